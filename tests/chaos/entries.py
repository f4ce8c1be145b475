"""What the simulated server's keys hold, and the ids of a stream's entries."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, NamedTuple

Id = tuple[int, int]


class Stream:
    """A stream: ids, the fields of each, and how many there ever were."""

    def __init__(self) -> None:
        self.ids: list[Id] = []
        self.fields: list[list[str]] = []
        self.last: Id = (0, 0)
        self.added = 0

    def add(self, entry_id: Id, fields: list[str]) -> None:
        self.ids.append(entry_id)
        self.fields.append(fields)
        self.last = entry_id
        self.added += 1

    def remove(self, gone: frozenset[Id]) -> None:
        kept = [place for place, one in enumerate(self.ids) if one not in gone]
        self.fields = [self.fields[place] for place in kept]
        self.ids = [self.ids[place] for place in kept]

    def after(self, last: Id, count: int) -> list[list[Any]]:
        start = bisect_right(self.ids, last)
        return [self.entry(place) for place in range(start, min(start + count, len(self.ids)))]

    def entry(self, place: int) -> list[Any]:
        return [written(self.ids[place]), list(self.fields[place])]


class Text(NamedTuple):
    """A string, and when it lapses by the server's clock; 0 for never."""

    value: str
    lapses_ms: int = 0


def read(entry_id: str, number: int = 0) -> Id:
    """Read an id as the server does; `number` where it names none."""
    if entry_id in ("-", "+"):
        return (0, 0) if entry_id == "-" else (2**63, 2**63)
    ms, _, n = entry_id.partition("-")
    return int(ms), int(n) if n else number


def written(entry_id: Id) -> str:
    return f"{entry_id[0]}-{entry_id[1]}"
