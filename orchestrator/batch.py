"""Which floor entries go into the next commit, and what fires before them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from utils.journal import MAX_INPUTS, Consumed

MAX_BATCH_CHARS = 300_000
"""Keeps a commit under its megabyte: an input is journalled, done, and heard."""


def entry_ms(entry_id: str) -> int:
    """Read the server time, milliseconds since 1970, out of a stream id.

    Example:
        >>> entry_ms("1700000000123-4")
        1700000000123
    """
    return int(entry_id.partition("-")[0])


def entry_place(entry_id: str) -> tuple[int, int]:
    """Tell where in its stream an entry stands.

    Example:
        >>> entry_place("1700000000123-4")
        (1700000000123, 4)
    """
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number)


def before_deadline(
    waiting: Sequence[Consumed], due_ms: int | None, *, most: int = MAX_INPUTS
) -> tuple[Consumed, ...]:
    """Take the inputs that go into the next commit, in floor order.

    An input that came after a deadline waits until the deadline has fired, so that no
    flood can hold a deadline up, and a late answer is late whenever it is read.

    Args:
        waiting: What was read from the floor and is not consumed yet.
        due_ms: When something is due next, journal time; none when nothing ever is.
        most: Most inputs to take.

    Returns:
        A beginning of `waiting`; empty when the deadline comes first.

    Example:
        >>> late = Consumed(id="2000-0", raw="")
        >>> before_deadline([late], 1500), before_deadline([late], 2000) == (late,)
        ((), True)
    """
    taken: list[Consumed] = []
    chars = 0
    for consumed in waiting[:most]:
        chars += len(consumed.raw)
        if due_ms is not None and entry_ms(consumed.id) > due_ms:
            break
        if taken and chars > MAX_BATCH_CHARS:
            break
        taken.append(consumed)
    return tuple(taken)
