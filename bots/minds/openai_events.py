"""The server-sent events of a chat completion: bytes to events to an answer. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from bots.minds.failures import failed_status, well_formed

MAX_EVENT_BYTES = 2**22
MAX_COUNT = 2**53
LAST = b"[DONE]"


def events_in(parts: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    r"""Split a stream into its events, wherever the network cut it, up to the last one.

    A line ends at a line feed and nowhere else: what else a text may take for the end
    of a line is a character of some answer.

    Raises:
        ValueError: An event is no JSON object, or larger than any should be.

    Example:
        >>> list(events_in([b'data: {"a"', b": 1}\n\n: ping\n", b"data: [DONE]\n\ndata: {"]))
        [{'a': 1}]
    """
    left = b""
    for part in parts:
        *lines, left = (left + part).split(b"\n")
        for line in lines:
            event = line.rstrip(b"\r").removeprefix(b"data:").strip()
            if not line.startswith(b"data:") or not event:
                continue
            if event == LAST:
                return
            found = json.loads(event)
            if not isinstance(found, dict):
                raise ValueError(f"no object: {event[:80]!r}")
            yield found
        if len(left) > MAX_EVENT_BYTES:
            raise ValueError(f"an event of more than {MAX_EVENT_BYTES} bytes")


class Heard:
    """What has come of an answer so far."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._thinking: list[str] = []
        self.done_reason = ""
        self.prompt_tokens: int | None = None
        self.answer_tokens: int | None = None
        self.prompt_ns: int | None = None
        self.answer_ns: int | None = None

    @property
    def text(self) -> str:
        """The answer's words."""
        return well_formed("".join(self._text))

    @property
    def thinking(self) -> str:
        """What the server keeps apart as reasoning."""
        return well_formed("".join(self._thinking))

    def take(self, event: dict[str, Any]) -> None:
        """Take one event in.

        Raises:
            MindFailed: It tells of an error in mid-answer.
            KeyError, TypeError, ValueError: It is not what the API says.
        """
        if "error" in event:
            error = event["error"]
            why = error.get("message", "") if isinstance(error, dict) else error
            raise failed_status(200, str(why), partial=self.text)
        for choice in event["choices"]:
            delta = choice["delta"]
            self._text.append(_text(delta.get("content")))
            self._thinking.append(_text(delta.get("reasoning_content")))
            self.done_reason = self.done_reason or _text(choice.get("finish_reason"))
        usage = event.get("usage") or {}
        self.prompt_tokens = _count(usage.get("prompt_tokens"), self.prompt_tokens)
        self.answer_tokens = _count(usage.get("completion_tokens"), self.answer_tokens)
        timings = event.get("timings") or {}  # llama.cpp tells them, in milliseconds
        self.prompt_ns = _ns(timings.get("prompt_ms"), self.prompt_ns)
        self.answer_ns = _ns(timings.get("predicted_ms"), self.answer_ns)


def _text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    raise TypeError(f"no text: {value!r:.80}")


def _count(value: object, before: int | None) -> int | None:
    return value if isinstance(value, int) and 0 <= value <= MAX_COUNT else before


def _ns(value: object, before: int | None) -> int | None:
    is_time = isinstance(value, int | float) and 0 <= value < MAX_COUNT / 10**6
    return round(value * 10**6) if is_time and isinstance(value, int | float) else before
