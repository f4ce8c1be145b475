"""One run as it is recorded: a folder that grows with it.

    spec.json            the resolved scenario, as it was stored
    journal/             commits, in segments
    calls/               calls, in segments
    incidents.jsonl      what the server forgot and went on otherwise, one line each time
    withdrawn/           what had been recorded of that
    closed.json          how many commits and calls the closed record has; written last

The lines of journal and calls are those of a dataset's raw files, and the files hold
nothing else: which bytes they are depends on the run alone, not on when it was recorded
or how often the recorder died.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from analytics.recorder.disk import Disk, write_whole
from analytics.recorder.segments import SIZE, SegmentWriter
from analytics.recorder.track import (
    NOTHING_READ,
    Track,
    call_line,
    commit_line,
    id_of,
)
from utils import keys
from utils.errors import BadEntry
from utils.journal import Sealed, from_line
from utils.protocol import Closed, Incident, StateHashed
from utils.streams import Entry, Streams, order_of, unseal_entry

SPEC, CLOSED = "spec.json", "closed.json"


class Recording:
    """A run that is recorded.

    Args:
        folder: The run's own.
        disk: What is done to files.
        size: Lines of a segment.

    Attributes:
        closed: The event that closed the record, once it was read.
    """

    def __init__(self, run: str, folder: Path, disk: Disk, *, size: int = SIZE) -> None:
        self.run, self.folder = run, folder
        self._disk = disk
        self.closed: Closed | None = None
        journal = SegmentWriter(folder / "journal", disk, size=size)
        calls = SegmentWriter(folder / "calls", disk, size=size)
        self.journal = Track(keys.journal(run), commit_line, journal, disk)
        self.calls = Track(keys.calls(run), call_line, calls, disk)

    def open(self, streams: Streams) -> None:
        """Take up what is in the folder, and find where the server agrees with it.

        Raises:
            BadEntry: The folder holds another run, a segment is missing, or the server
                has been trimmed beyond what is here.
        """
        self._disk.make(self.folder)
        self._disk.remove(self.folder / CLOSED)
        self._keep_spec(streams)
        for track in (self.journal, self.calls):
            track.segments.open()
        self.align(streams)

    def align(self, streams: Streams) -> None:
        """Find where server and files agree; after every reconnect."""
        for track in (self.journal, self.calls):
            track.align(streams)
        self.closed = None
        if not self.journal.is_ahead:
            self.closed = _closing(map(from_line, self.journal.segments.backwards()))

    def positions(self) -> dict[str, str]:
        """List the streams to read, each with the id of the last entry that is here."""
        return {track.key: track.position for track in (self.journal, self.calls)}

    def take(self, entries: Sequence[Entry]) -> None:
        """Record what was read after `positions`; it is on the disk when this returns.

        Calls before commits: a commit that is here has its calls here.
        """
        for track in (self.calls, self.journal):
            read = [entry for entry in entries if entry.key == track.key]
            track.take(read)
        commits = (entry for entry in reversed(entries) if entry.key == self.journal.key)
        self.closed = _closing(map(unseal_entry, commits), before=self.closed)

    def close(self, streams: Streams) -> bool:
        """Finish the folder of a run whose record is closed and wholly here; whether it is.

        Calls that came after the record was closed are no part of it. Those that the server
        lost before they were read are missing, and the record's own count says so.
        """
        if self.closed is None or self.journal.is_ahead:
            return False
        top = streams.top(self.journal.key)
        if top is None or top.id != self.journal.position:
            return False  # it was closed here, and there is more there
        last = order_of(self.closed.last_call_id or NOTHING_READ)
        written = streams.top(self.calls.key)
        if written and order_of(self.calls.position) < min(last, order_of(written.id)):
            return False  # what is not there by now was lost: calls come before their commits
        self._drop_late_calls(last)
        for track in (self.journal, self.calls):
            track.segments.close()
        head = from_line(next(self.journal.segments.backwards()))
        told = {
            "run": self.run,
            "commits": self.journal.segments.count,
            "calls": self.calls.segments.count,
            "sha256": head.sha256,
        }
        write_whole(self._disk, self.folder / CLOSED, [json.dumps(told).encode("ascii") + b"\n"])
        return True

    def _drop_late_calls(self, last: tuple[int, int]) -> None:
        count = self.calls.segments.count
        for line in self.calls.segments.backwards():
            if order_of(id_of(line)) <= last:
                break
            count -= 1
        self.calls.segments.cut(count)

    def _keep_spec(self, streams: Streams) -> None:
        body = streams.spec(self.run)
        if body is None:
            raise BadEntry(keys.spec(self.run), "the server has no such run any more")
        octets = body.encode("utf-8", "surrogateescape")
        path = self.folder / SPEC
        if not path.exists():
            write_whole(self._disk, path, [octets])
        elif path.read_bytes() != octets:
            raise BadEntry(str(path), "it is another run's: the server's spec is not this one")


def is_whole(streams: Streams, run: str, folder: Path) -> bool:
    """Tell whether a folder has a run to its end, as the server holds it if it still does."""
    path = folder / CLOSED
    if not path.exists():
        return False
    try:
        sha256 = json.loads(path.read_bytes())["sha256"]
    except (ValueError, KeyError, TypeError):
        return False  # what is there is written anew
    top = streams.top(keys.journal(run))
    return top is None or top.fields.get("h") == sha256


def _closing(backwards: Iterable[Sealed], before: Closed | None = None) -> Closed | None:
    """Find the event that closed a record, if its last commits say that it is closed.

    A leader that mends what a server forgot may say so after it, and the hash of a state may
    come after anything.

    Args:
        backwards: The last commits, the last one first.
        before: What the commits before those say.
    """
    for sealed in backwards:
        for event in reversed(sealed.commit.events):
            if isinstance(event, Closed):
                return event
            if not isinstance(event, Incident | StateHashed):
                return None
    return before
