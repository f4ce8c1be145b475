"""One stream as it is recorded: where the files and the server agree, and what comes next."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from analytics.recorder.disk import Disk, write_whole
from analytics.recorder.segments import SegmentWriter
from utils.callfile import entry_line
from utils.errors import BadEntry
from utils.streams import Entry, Streams, order_of

log = logging.getLogger("recorder")

NOTHING_READ = "0-0"

LineOf = Callable[[Entry], str]


class Withdrawn(NamedTuple):
    """Lines that were recorded, and that the server forgot before it went on otherwise.

    Attributes:
        stream: `journal` or `calls`.
        kept: How many lines before them stay.
        withdrawn: How many they were.
        aside: The file they are in now, in the run's folder.
        instead: Id of the entry that came in place of the first of them.
        instead_sha256: The hash of that entry's text.
    """

    stream: str
    kept: int
    withdrawn: int
    aside: str
    instead: str
    instead_sha256: str


class Incidents:
    """The file of what the server forgot and went on otherwise.

    Args:
        path: Its path; made at the first incident.
    """

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path, self._disk = path, disk

    def note(self, withdrawn: Withdrawn) -> None:
        """Write one down."""
        line = json.dumps(withdrawn._asdict()).encode("ascii") + b"\n"
        lines = self._path.read_bytes().splitlines(keepends=True) if self._path.exists() else []
        if line not in lines:  # else it was before this process was killed, and began again
            write_whole(self._disk, self._path, [*lines, line])


def commit_line(entry: Entry) -> str:
    """Write a journal's entry as its line, as `utils.journal.to_line` does.

    Its bytes are checked against its hash, and not read: that takes ten times as long.

    Raises:
        BadEntry: They are not what the hash is of.
    """
    sha256 = entry.fields.get("h", "")
    if _digest(entry.body) != sha256:
        raise BadEntry(f"{entry.key} {entry.id}", "its hash is not that of its bytes")
    seq, second = order_of(entry.id)
    if second:
        raise BadEntry(f"{entry.key} {entry.id}", "it is no commit's id")
    return json.dumps({"seq": seq, "h": sha256, "b": entry.body}) + "\n"


def call_line(entry: Entry) -> str:
    """Write an entry of the stream of calls as its line."""
    return entry_line(entry.id, entry.body)


def id_of(line: str) -> str:
    """Read the id of the entry that a line was made of.

    Example:
        >>> id_of('{"seq": 4, "h": "", "b": ""}'), id_of('{"id": "17-1", "b": ""}')
        ('4-0', '17-1')
    """
    read = json.loads(line)
    return f"{read['seq']}-0" if "seq" in read else str(read["id"])


class Track:
    """One stream's recording.

    What was recorded and is not at the server any more stays: the server may have been
    restarted without its last second, and whoever wrote there is about to write it again.
    Only when something else comes in its place does the recording go back to where both
    agree, and what it had beyond is put aside.

    Attributes:
        segments: The lines on disk.
        position: Id of the last entry on which files and server agree.
        agreed: How many lines those are; fewer than there are while the server is behind.
    """

    def __init__(self, key: str, line_of: LineOf, segments: SegmentWriter, disk: Disk) -> None:
        self.key, self.segments = key, segments
        self.position, self.agreed = NOTHING_READ, 0
        self._line_of, self._disk = line_of, disk
        self._incidents = Incidents(segments.folder.parent / "incidents.jsonl", disk)
        self._ahead: Iterator[str] = iter(())

    @property
    def name(self) -> str:
        """The stream's name in the run's folder."""
        return self.segments.folder.name

    @property
    def is_ahead(self) -> bool:
        """Whether there are lines on disk that the server does not hold, for now."""
        return self.agreed < self.segments.count

    def align(self, streams: Streams) -> None:
        """Find the last line that the server holds as it is here.

        Called before the first read, and after every reconnect.

        Raises:
            BadEntry: What follows the last line here is not at the server any more.
        """
        first = next(iter(streams.range(self.key, count=1)), None)
        top = streams.top(self.key)
        self.position, self.agreed = NOTHING_READ, 0
        if first and top:
            self._find(streams, order_of(first.id), order_of(top.id))
            self._refuse_gap(order_of(first.id)[0])
        self._ahead = self.segments.lines(self.agreed)
        if self.is_ahead:
            log.warning(
                "%s: the server forgot what was recorded after %s; kept until it goes on",
                self.key,
                self.position,
            )

    def take(self, entries: Sequence[Entry]) -> None:
        """Record entries that were read after `position`; on the disk when this returns.

        If the server goes on otherwise than what is here, that is put aside.

        Raises:
            BadEntry: What follows the last line here was taken by another recorder.
        """
        if entries:
            self._refuse_gap(order_of(entries[0].id)[0])
        fresh = []
        for entry in entries:
            line = self._line_of(entry)
            if self.is_ahead and next(self._ahead) != line:
                self._withdraw(entry)
            if self.is_ahead:
                self.agreed += 1
            else:
                fresh.append(line)
            self.position = entry.id
        self.segments.append(fresh)
        if fresh:
            self.agreed = self.segments.count

    def _withdraw(self, instead: Entry) -> None:
        """Put aside what the server forgot: what comes in its place is the record now.

        Killed in between, it begins again, with the same files to the last byte: what is
        put aside is whole before the first line is cut off, and is not written again then.
        """
        first = next(self.segments.lines(self.agreed))
        digest = _digest(first + instead.id + instead.body)[:12]
        name = f"{self.name}-{self.agreed + 1:010}-{digest}.jsonl"
        folder = self.segments.folder.parent
        aside = folder / "withdrawn" / name
        if not aside.exists():
            lines = (line.encode("ascii") for line in self.segments.lines(self.agreed))
            self._disk.make(aside.parent)
            write_whole(self._disk, aside, lines)
        withdrawn = Withdrawn(
            stream=self.name,
            kept=self.agreed,
            withdrawn=aside.read_bytes().count(b"\n"),
            aside=f"withdrawn/{name}",
            instead=instead.id,
            instead_sha256=_digest(instead.body),
        )
        self._incidents.note(withdrawn)
        self.segments.cut(self.agreed)
        log.warning(
            "%s: the server went on otherwise after %s; %d recorded entries are put aside: %s",
            self.key,
            self.position,
            withdrawn.withdrawn,
            aside,
        )

    def _find(self, streams: Streams, first: tuple[int, int], top: tuple[int, int]) -> None:
        """Go back through the lines to the last one that the server holds."""
        for number, line in zip(
            range(self.segments.count, 0, -1), self.segments.backwards(), strict=True
        ):
            entry_id = id_of(line)
            if order_of(entry_id) < first:
                return
            held = streams.entry(self.key, entry_id) if order_of(entry_id) <= top else None
            if held is not None and self._line_of(held) == line:
                self.position, self.agreed = entry_id, number
                return

    def _refuse_gap(self, begins: int) -> None:
        """Refuse a journal whose next commit is not at the server any more."""
        if self._line_of is commit_line and begins > self.agreed + 1:
            raise BadEntry(
                self.key,
                f"the server holds it from commit {begins:,} on, and this folder up to "
                f"{self.segments.count:,}: another recorder's folder has what is between",
            )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
