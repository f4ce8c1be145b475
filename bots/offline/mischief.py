"""How each fault goes over the wire. Pure.

Some faults take the answer's place; the others let it begin, and spoil it. A fault that
is about a stream streams, even where one piece was asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from bots.offline import wire
from bots.offline.faults import Fault
from bots.offline.reply import HTML, End, Reply, plain, whole
from bots.offline.residence import BUSY

CRASH = "model runner has unexpectedly stopped, this may be due to resource limitations"
PAGE = "<!DOCTYPE html><html><body><h1>It works!</h1></body></html>\n"
OTHER_MODEL = "somebody-elses:latest"
SAME = " the"
SAME_TIMES = 31
HUGE_CHARS = 1_000_000
HUGE_PIECE = 65_536

Line = Callable[[str], dict[str, JsonValue]]
"""From a piece of text to the line that carries it."""

_MARK = "\ue000"
_RAW = {
    "invalid_utf8": b"\xff\xc3(",
    "line_separators": " one\u2028two\u0085three".encode(),
}


@dataclass(frozen=True, slots=True)
class Spoilt:
    """An answer that goes wrong: its lines, and how the connection ends."""

    lines: Iterator[bytes]
    end: End = "well"


def instead(fault: Fault) -> Reply | None:
    """Give the reply that a fault puts in the place of any answer; none if it lets one begin."""
    match fault.fault:
        case "busy":
            return whole({"error": BUSY}, 503)
        case "error_500":
            return whole({"error": CRASH}, 500)
        case "missing":
            return whole({"error": "model 'gone' not found"}, 404)
        case "error_body":
            return whole({"error": CRASH})
        case "html":
            return plain(PAGE, kind=HTML)
        case "reset" | "refuse":
            return Reply(200, "", iter(()), streamed=True, end=fault.fault, closed_s=fault.seconds)
    return None


def changed(fault: Fault, generation: wire.Generation, others: Sequence[str]) -> wire.Generation:
    """Give what the model says, if it is the words that go wrong.

    Args:
        others: Who else is there, for an answer in another's name.
    """
    text = generation.text
    match fault.fault:
        case "empty":
            return replace(generation, tokens=())
        case "think_tags":
            text = f"<think>{fault.text}</think>{text}"
        case "thinking_only":
            return replace(generation, tokens=(), done_reason="length", thinking=fault.text)
        case "other_name":
            text = f"{others[0] if others else 'Somebody'}: {fault.text}"
        case "huge":
            words = (f"{text} " * (HUGE_CHARS // (len(text) + 1) + 1))[:HUGE_CHARS]
            starts = range(0, HUGE_CHARS, HUGE_PIECE)
            return replace(generation, tokens=tuple(words[at : at + HUGE_PIECE] for at in starts))
        case _:
            return generation
    return replace(generation, tokens=wire.tokens_in(text))


def spoil(fault: Fault, honest: Iterator[bytes], line: Line) -> Spoilt | None:
    """Give the lines of an answer whose stream goes wrong; none if the fault is no stream's.

    Args:
        honest: The lines as they should be.
        line: Makes one more.
    """
    kind = fault.fault
    if kind == "same_token":
        return Spoilt(iter([wire.encode(line(SAME)) + b"\n"] * SAME_TIMES))
    if kind == "line_separators":
        return Spoilt(_second(_raw(line, kind), honest))
    if kind == "wrong_model":
        return Spoilt(_renamed(one) for one in honest)
    begun = [wire.encode(line(token)) + b"\n" for token in wire.tokens_in(fault.text)]
    endings: dict[str, Callable[[], list[bytes]]] = {
        "error_line": lambda: [wire.encode({"error": CRASH}) + b"\n"],
        "no_done": list,
        "cut": list,
        "half_line": lambda: [begun[-1][: len(begun[-1]) // 2]],
        "garbage_line": lambda: [b"%!$ no JSON\n"],
        "blank_line": lambda: [b"\n", *honest],
        "invalid_utf8": lambda: [_raw(line, kind), *honest],
    }
    if kind not in endings:
        return None
    return Spoilt(iter([*begun, *endings[kind]()]), end="cut" if kind == "cut" else "well")


def _raw(line: Line, kind: str) -> bytes:
    """Write a line with bytes in its text that Go's encoder would never leave there."""
    mark = json.dumps(_MARK)[1:-1].encode()
    return (wire.encode(line(_MARK)) + b"\n").replace(mark, _RAW[kind])


def _renamed(line: bytes) -> bytes:
    return wire.encode({**json.loads(line), "model": OTHER_MODEL}) + b"\n"


def _second(odd: bytes, honest: Iterator[bytes]) -> Iterator[bytes]:
    """Put a line behind the first."""
    yield next(honest)
    yield odd
    yield from honest
