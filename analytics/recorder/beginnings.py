"""The beginnings of runs, read back from disk where the server holds them no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from analytics.recorder.segments import Segments
from analytics.recorder.track import id_of
from utils import keys
from utils.errors import BadEntry, Missing
from utils.streams import Entry, order_of


class Recorded:
    """What a recorder wrote, as a stream's beginning.

    Args:
        recordings: The recorder's folder. It may not be there: nobody needs it who reads
            runs that were never trimmed.
    """

    def __init__(self, recordings: Path) -> None:
        self.recordings = recordings
        self._read: dict[str, tuple[str, int]] = {}

    def covers(self, key: str) -> bool:
        """Tell whether a stream is recorded: journals and calls are."""
        run = keys.run_of(key)
        return bool(run) and key in (keys.journal(run), keys.calls(run))

    def before(self, first: Entry, *, after: str, count: int) -> list[Entry]:
        """Read at most so many entries after an id and before the server's first one.

        Raises:
            Missing: They are not in the folder.
            BadEntry: They do not join what the server holds.
        """
        segments = self._segments(first)
        entries: list[Entry] = []
        number = self._line_after(segments, first.key, after)
        for line in segments.lines(number):
            entry = entry_of(first.key, line)
            if order_of(entry.id) >= order_of(first.id):
                self._check_joint(segments, entry, first)
                return entries
            entries.append(entry)
            number += 1
            if len(entries) == count:
                self._read[first.key] = entry.id, number
                return entries
        raise self._missing(first, f"it ends before {_named(first)}")

    def _segments(self, first: Entry) -> Segments:
        run = keys.run_of(first.key)
        segments = Segments(self.recordings / run / first.key.rpartition(":")[2])
        segments.look()
        if not segments.count:
            raise self._missing(first, "it is not there")
        return segments

    def _line_after(self, segments: Segments, key: str, after: str) -> int:
        """Tell how many lines come up to an id."""
        if order_of(after) <= (0, 0):
            return 0
        if key == keys.journal(keys.run_of(key)):
            return order_of(after)[0]
        last, number = self._read.get(key, ("", 0))
        if last == after:
            return number
        return sum(1 for _ in self._upto(segments, after))

    def _upto(self, segments: Segments, last: str) -> Iterator[str]:
        for line in segments.lines():
            if order_of(id_of(line)) > order_of(last):
                return
            yield line

    def _check_joint(self, segments: Segments, entry: Entry, first: Entry) -> None:
        """Check that recording and server have the same entry where they meet."""
        if entry != first:
            raise BadEntry(
                f"{segments.folder}",
                f"what is recorded as {_named(entry)} is not what the server holds: "
                "it is another run's, or was changed",
            )

    def _missing(self, first: Entry, why: str) -> Missing:
        return Missing(
            f"the server holds the {first.key.rpartition(':')[2]} of run "
            f"{keys.run_of(first.key)} from {_named(first)} on; its beginning is in the folder "
            f"of parley record, and in {self.recordings} {why}",
            mend="name the folder: PARLEY_RECORDINGS=DIR",
        )


def entry_of(key: str, line: str) -> Entry:
    """Read a line as the entry it was made of. Raises `BadEntry`."""
    try:
        told = json.loads(line)
        fields = {"b": str(told["b"])}
        if "seq" in told:
            return Entry(key, f"{int(told['seq'])}-0", fields | {"h": str(told["h"])})
        return Entry(key, str(told["id"]), fields)
    except (ValueError, KeyError, TypeError) as error:
        raise BadEntry(key, "a recorded line is no entry") from error


def _named(entry: Entry) -> str:
    first, second = order_of(entry.id)
    return f"commit {first:,}" if entry.key.endswith(":journal") else f"{first}-{second}"
