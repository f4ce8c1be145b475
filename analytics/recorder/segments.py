"""Lines on disk, in files of so many lines each: the open one plain, the others compressed.

    0000000001.jsonl.gz      lines 1 to 1,000
    0000001001.jsonl.gz      lines 1,001 to 2,000
    0000002001.jsonl         what came since

A file is named by the number of its first line. There is no clock in it and no name: the
same lines are the same bytes. Where the writer stands is what the files hold: there is
no cursor beside them that could disagree.

A segment is closed by writing its compressed file whole and removing the plain one, and
opened again the other way round. Where both are there, a process died in between, and
the compressed one counts: it is never the shorter one.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from analytics.recorder.disk import Disk, write_whole
from utils.errors import BadEntry

SIZE = 1_000
"""Lines of a segment."""

LEVEL = 6
"""How hard a segment is compressed: fixed, so that the same lines are the same bytes."""

PIECE = 1 << 20


class Segments:
    """One stream's lines, read from a folder; nothing is written to it.

    Args:
        folder: Where the files are; may not be there yet.
        size: Lines of a segment, unless what is there says otherwise.

    Attributes:
        count: How many lines there are.

    Raises:
        BadEntry: A segment is missing, or has fewer lines than it should.
    """

    def __init__(self, folder: Path, *, size: int = SIZE) -> None:
        self.folder, self.size = folder, size
        self.count = 0

    def look(self) -> None:
        """Find how many lines there are. A line that is not whole yet is none."""
        firsts = sorted({_first(path) for path in self.folder.glob("??????????.jsonl*")} - {0})
        if firsts[1:]:
            self.size = sum(1 for _ in self._lines_of(1)) or self.size
        wanted = list(range(1, 1 + self.size * len(firsts), self.size))
        if firsts != wanted:
            where = next(one for one in wanted if one not in firsts)
            raise BadEntry(f"{self.folder}", f"the segment from line {where:,} on is missing")
        last = firsts[-1] if firsts else 1
        self.count = last - 1 + sum(1 for _ in self._lines_of(last))

    def lines(self, after: int = 0) -> Iterator[str]:
        """Read the lines after the first so many, each with its line end."""
        for first in range(1 + after - after % self.size, self.count + 1, self.size):
            upto = min(self.size, self.count - first + 1)
            skip = max(0, after + 1 - first)
            came = skip
            for line in islice(self._lines_of(first), skip, upto):
                came += 1
                yield line
            if came < upto:
                raise BadEntry(str(self._gz(first)), f"it has {came:,} lines, not {upto:,}")

    def backwards(self) -> Iterator[str]:
        """Read the lines from the last to the first."""
        if self.count:
            for first in range(self._first_of(self.count), 0, -self.size):
                page = islice(self._lines_of(first), self.count - first + 1)
                yield from reversed(list(page))

    def _first_of(self, number: int) -> int:
        """Tell the first line of the segment that a line is in."""
        return number - (number - 1) % self.size

    def _gz(self, first: int) -> Path:
        return self.folder / f"{first:010}.jsonl.gz"

    def _plain(self, first: int) -> Path:
        return self.folder / f"{first:010}.jsonl"

    def _lines_of(self, first: int) -> Iterator[str]:
        """Read a segment's lines, as far as they are whole."""
        closed, octets = self._gz(first), b""
        if not closed.exists():
            with suppress(FileNotFoundError):  # closed this moment, or not there at all
                octets = self._plain(first).read_bytes()
        if closed.exists() and not octets:
            try:
                with gzip.open(closed, "rt", encoding="ascii", newline="\n") as file:
                    yield from file
            except (OSError, EOFError, ValueError, zlib.error) as error:
                raise BadEntry(str(closed), f"cannot be read: {error}") from error
        for line in octets.splitlines(keepends=True):
            if not _is_whole(line):
                return
            yield line.decode("ascii")


class SegmentWriter(Segments):
    """One stream's lines, written by this process alone.

    Args:
        disk: What is done to files.
    """

    def __init__(self, folder: Path, disk: Disk, *, size: int = SIZE) -> None:
        super().__init__(folder, size=size)
        self._disk = disk

    def open(self) -> None:
        """Take up what is there, whatever the last writer died of."""
        self._disk.make(self.folder)
        for left in sorted(self.folder.glob("*.new")):
            self._disk.remove(left)
        for plain in sorted(self.folder.glob("*.jsonl")):
            if self._gz(_first(plain)).exists():
                self._disk.remove(plain)
        self.look()
        self._mend_end()

    def append(self, lines: Sequence[str]) -> None:
        """Write lines; they are on the disk when this returns."""
        while lines:
            first = self._first_of(self.count + 1)
            self._reopen(first)
            here, lines = lines[: self._left()], lines[self._left() :]
            self._disk.append(self._plain(first), ["".join(here).encode("ascii")])
            self.count += len(here)
            if self.count % self.size == 0:
                self._close(first)

    def cut(self, count: int) -> None:
        """Keep only the first so many lines."""
        if count >= self.count:
            return
        for first in range(self._first_of(self.count), count, -self.size):
            self._disk.remove(self._plain(first))
            self._disk.remove(self._gz(first))
            self.count = first - 1
        if count < self.count:
            first = self._first_of(self.count)
            kept = list(islice(self._lines_of(first), count - first + 1))
            self._reopen(first)
            self._disk.cut(self._plain(first), sum(map(len, kept)))
        self.count = count

    def close(self) -> None:
        """Compress the last segment, too: no more lines are to come."""
        if self.count % self.size:
            first = self._first_of(self.count)
            if not self._gz(first).exists():
                self._close(first)

    def _left(self) -> int:
        return self.size - self.count % self.size

    def _mend_end(self) -> None:
        """Drop what is left of a line that was being written, and close what is full."""
        first = self._first_of(self.count + 1)
        full = self._first_of(self.count)
        if self.count and self.count % self.size == 0 and self._plain(full).exists():
            self._close(full)
        plain = self._plain(first)
        if plain.exists():
            whole = sum(len(line) for line in self._lines_of(first))
            if whole < plain.stat().st_size:
                self._disk.cut(plain, whole)

    def _close(self, first: int) -> None:
        """Compress a segment."""
        write_whole(self._disk, self._gz(first), _compressed(self._plain(first)))
        self._disk.remove(self._plain(first))

    def _reopen(self, first: int) -> None:
        """Make a segment that was closed early plain again."""
        if self._gz(first).exists():
            lines = (line.encode("ascii") for line in list(self._lines_of(first)))
            write_whole(self._disk, self._plain(first), lines)
            self._disk.remove(self._gz(first))


def _first(path: Path) -> int:
    """Read the number of a file's first line from its name; 0 when it has none."""
    number = path.name.partition(".")[0]
    is_ours = path.name in (f"{number}.jsonl", f"{number}.jsonl.gz")
    return int(number) if is_ours and number.isdecimal() else 0


def _is_whole(line: bytes) -> bool:
    """Tell whether a line was written to its end: a disk may grow a file and not fill it."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return line.endswith(b"\n")


def _compressed(path: Path) -> Iterable[bytes]:
    """Compress a file, with neither name nor time in it."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield packer.compress(piece)
    yield packer.flush()
