"""A reply of the offline model: what it says, and how the connection ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from bots.offline import wire

JSON = "application/json; charset=utf-8"
NDJSON = "application/x-ndjson"
TEXT = "text/plain"
HTML = "text/html"

End = Literal["well", "cut", "reset", "refuse"]
"""How a connection ends: as HTTP has it; inside a chunk; by a RST before anything is
sent; or so, and nobody is let in for a while."""


def nothing() -> None:
    """Do nothing: what a reply that holds nothing does when it is over."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply: a status and its body, in one piece or line by line.

    Args:
        status: HTTP status.
        content_type: The header of that name.
        body: Pieces in order. Taking the next one may wait, when the server is paced.
        streamed: Whether each piece is sent as soon as it is there.
        end: How the connection ends.
        closed_s: After the end `refuse`, how long nobody is let in, seconds.
        release: Called once, when the last piece was sent or cannot be.
    """

    status: int
    content_type: str
    body: Iterator[bytes]
    streamed: bool = False
    end: End = "well"
    closed_s: float = 0.0
    release: Callable[[], None] = nothing


def whole(value: JsonValue, status: int = 200) -> Reply:
    """Reply with one JSON value."""
    return Reply(status, JSON, iter([wire.encode(value)]))


def plain(text: str, status: int = 200, *, kind: str = TEXT) -> Reply:
    """Reply with text, as Ollama's router does for what it does not know."""
    return Reply(status, kind, iter([text.encode()]))
