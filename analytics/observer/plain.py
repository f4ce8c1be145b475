"""A run as plain lines, and as JSON Lines: for pipes, files and other programs."""

from __future__ import annotations

import json
from textwrap import indent
from types import TracebackType
from typing import IO, Self

from analytics.observer.lines import Line, lines
from analytics.observer.view import View
from utils.journal import Sealed
from utils.protocol import Event

PLAIN_FORMAT = """\
[CHANNEL TURN] NAME: TEXT    what was heard; its further lines are indented by
                             four spaces, or empty. NAME is (opening) or (outside)
                             for words that are nobody's, (AUTHOR) for a person's,
                             (... to NAMES) where not all of them hear it
[CHANNEL TURN] -- NAME: ACT  what a bot did that is no speech
[CHANNEL TURN] -- REMARK     what became of a turn: passed, revoked, given up
[CHANNEL] -- REMARK          who comes to a channel and who goes
-- REMARK                    what concerns the whole run
"""
"""How plain lines look. Scripts may rely on it."""


class PlainScreen:
    """Writes lines, each once: no colours, no cursor, nothing that counts down.

    Args:
        out: Where to; what its encoding lacks is written as an escape.
        channel: Show this channel only, and what concerns the whole run.
        every: Show every event: see `lines`.
    """

    def __init__(self, out: IO[str], *, channel: str | None = None, every: bool = False) -> None:
        self._out, self._channel, self._every = out, channel, every

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Leave nothing behind."""

    def tell(self, before: View, after: View, sealed: Sealed) -> None:
        """Write the lines of a commit."""
        for line in lines(before, after, sealed, every=self._every):
            if is_of(line.channel, self._channel):
                write(self._out, plain(line) + "\n")

    def notice(self, text: str) -> None:
        """Write something about the reading itself."""
        write(self._out, f"-- {text}\n")

    def draw(self, view: View, now_ms: int) -> None:
        """Let what was written be seen."""
        self._out.flush()


class JsonScreen(PlainScreen):
    """Writes every event as one JSON object; notices go elsewhere.

    Args:
        out: Where events go.
        notices: Where notices go.
        channel: Write this channel's events only, and those of the whole run.
    """

    def __init__(self, out: IO[str], *, notices: IO[str], channel: str | None = None) -> None:
        super().__init__(out, channel=channel)
        self._notices = notices

    def tell(self, before: View, after: View, sealed: Sealed) -> None:
        """Write a commit's events in order."""
        for place, event in enumerate(sealed.commit.events):
            if is_of(getattr(event, "channel", None), self._channel):
                write(self._out, json_line(sealed, place, event))

    def notice(self, text: str) -> None:
        """Write something about the reading itself, away from the events."""
        write(self._notices, f"-- {text}\n")


def plain(line: Line) -> str:
    r"""Write a line as `PLAIN_FORMAT` says.

    Example:
        >>> print(plain(Line("said", "Well,\nyes.", 0, "main", 7, "ada", "Ada")))
        [main 7] Ada: Well,
            yes.
        >>> print(plain(Line("warning", "turn 7 given up", 0, "main", 7)))
        [main 7] -- turn 7 given up
        >>> print(plain(Line("end", "the run has ended", 0)))
        -- the run has ended
    """
    place = "" if line.channel is None else line.channel
    place = f"{place} {line.turn}" if line.turn is not None else place
    place = f"[{place}] " if place else ""
    if line.tone == "did":
        return f"{place}-- {line.speaker}: {line.text}"
    if line.tone in ("said", "outside"):
        return f"{place}{line.speaker}: " + indent(line.text, "    ").lstrip(" ")
    return f"{place}-- {line.text}"


def json_line(sealed: Sealed, place: int, event: Event) -> str:
    """Write an event with its commit's `seq` and `at_ms` and its own `index`, in ASCII."""
    where = {"seq": sealed.seq, "index": place, "at_ms": sealed.commit.at_ms}
    record = {**where, **event.model_dump(mode="json"), **where}
    return json.dumps(record).replace("\x7f", "\\u007f") + "\n"


def is_of(channel: str | None, wanted: str | None) -> bool:
    """Tell whether something is to be shown when one channel, or with none all, is wanted."""
    return wanted is None or channel is None or channel == wanted


def write(out: IO[str], text: str) -> None:
    """Write printable text to whatever encoding there is."""
    encoding = getattr(out, "encoding", None) or "utf-8"
    out.write(text.encode(encoding, "backslashreplace").decode(encoding))
