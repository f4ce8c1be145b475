"""One thing that is wrong with a dataset: in which file, which line, which commit and turn."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analytics.columns import Row
from utils.dataset import Dataset
from utils.errors import BadEntry
from utils.protocol import Granted


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    Attributes:
        file: By its path in the dataset.
        why: What is wrong with it.
        line: The first line that differs, from 1.
        commit, turn: Which part of the run it is about, where it is about one.
    """

    file: str
    why: str
    line: int | None = None
    commit: int | None = None
    turn: int | None = None

    def __str__(self) -> str:
        """Write it as a line.

        Example:
            >>> print(Difference("tables/turns.csv", "not what was sealed", 7, 12, 5))
            tables/turns.csv:7: commit 12, turn 5: not what was sealed
            >>> print(Difference("codebook.csv", "missing"))
            codebook.csv: missing
        """
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        about = [
            f"{word} {number}"
            for word, number in (("commit", self.commit), ("turn", self.turn))
            if number is not None
        ]
        return ": ".join([place, *([", ".join(about)] if about else []), self.why])


def turn_of(dataset: Dataset, seq: int) -> int | None:
    """Tell which turn a commit is about: its own, or the last that was granted before it.

    None where there is none, and where the journal cannot be read so far.
    """
    turn = None
    try:
        for sealed in dataset.commits():
            events = sealed.commit.events
            if sealed.seq >= seq:
                own = (getattr(event, "turn", None) for event in events)
                return next((one for one in own if one is not None), turn)
            turn = next((one.turn for one in events if isinstance(one, Granted)), turn)
    except BadEntry:
        pass
    return turn


def commit_of(dataset: Dataset, row: Row) -> int | None:
    """Tell which commit a row of a table comes from, or the one that granted what it is about."""
    for name in ("seq", "closed_seq", "granted_seq"):
        value = row.get(name)
        if isinstance(value, int):
            return value
    epoch = row.get("epoch")
    if epoch is None:
        return None
    try:
        for sealed in dataset.commits():
            for event in sealed.commit.events:
                if isinstance(event, Granted) and event.epoch == epoch:
                    return sealed.seq
    except BadEntry:
        pass
    return None


def changed_call(dataset: Dataset) -> tuple[int | None, Row]:
    """Find the first call that is not the one the tables name there: its line, and its place.

    Where one is missing that is the line on which it stood. Only of use where the tables
    are as they were.
    """
    named = sorted(_named_calls(dataset), key=lambda row: _order(row["entry_id"]))
    number = 0
    try:
        for number, call in enumerate(dataset.calls(), 1):
            row = named[number - 1] if number <= len(named) else None
            if row is None or (row["entry_id"], row["call_sha256"]) != (call.id, call.sha256):
                return number, _place(row)
    except BadEntry:
        return number + 1, {}
    if number < len(named):
        return number + 1, _place(named[number])
    return None, {}


def _named_calls(dataset: Dataset) -> Iterable[Mapping[str, str]]:
    """Gather a row for each call: of the table of calls, or else of the one of incidents."""
    named: dict[str, Mapping[str, str]] = {}
    for table in ("incidents", "calls"):
        path = dataset.folder / "tables" / f"{table}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            named |= {
                row["entry_id"]: row for row in rows if row["entry_id"] and row["call_sha256"]
            }
    return named.values()


def _order(entry_id: str) -> tuple[int, ...]:
    return tuple(int(part) for part in entry_id.split("-"))


def _place(row: Mapping[str, str] | None) -> Row:
    if row is None or not row["epoch"]:
        return {}
    return {"epoch": int(row["epoch"]), "turn": int(row["turn"])}
