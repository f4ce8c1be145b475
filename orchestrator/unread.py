"""Floor entries that a leader before this one passed over. Pure.

A server that forgot its tail, and whose clock went back, gives new entries ids at or below
the cursor. The leader that mends its journal knows, and sets the cursor back; if it dies
between the two, only the floor itself can tell: it holds what no commit consumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from orchestrator.batch import entry_place
from utils.journal import Consumed, consume
from utils.streams import Entry

LOOKED_AT = 1_000
"""Entries up to the cursor that a new leader compares with what was consumed."""

COMPARED_CHARS = 500
"""Of each: what is too large for a commit is kept no longer than this."""


class Taken(NamedTuple):
    """One input that was consumed, by what it is known on the floor."""

    id: str
    begins: str


def taken(consumed: Consumed) -> Taken:
    """Note an input that a commit consumed."""
    return Taken(consumed.id, consumed.raw[:COMPARED_CHARS])


def first_unread(consumed: Iterable[Taken], floor: Sequence[Entry], cursor: str) -> str | None:
    """Find where to read the floor again from.

    Args:
        consumed: The last inputs that the journal's commits consumed.
        floor: The entries up to the cursor, in any order.

    Returns:
        A cursor just before the first entry that was passed over; none if none was. What
        is older than all of `consumed` is not looked at.
    """
    known = set(consumed)
    oldest = min((entry_place(one.id) for one in known), default=(0, 0))
    unread = [
        entry_place(entry.id)
        for entry in floor
        if oldest <= entry_place(entry.id) <= entry_place(cursor)
        and taken(consume(entry.id, entry.fields)) not in known
    ]
    return _before(*min(unread)) if unread else None


def _before(ms: int, number: int) -> str:
    """Write the id before one; of the first in its millisecond, the last of the one before.

    Example:
        >>> _before(5, 3), _before(5, 0)
        ('5-2', '4-18446744073709551615')
    """
    return f"{ms}-{number - 1}" if number else f"{max(ms, 1) - 1}-{2**64 - 1}"
