"""A dataset's files against what they should be: the builder writes, this compares."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from analytics.columns import Row
from analytics.files import NO_ROW, Sink, encoded

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Parting:
    """Where a file is first not what it should be.

    Attributes:
        line: From 1; none in a file without lines.
        row: What stands there by rights; empty where the file goes on past its end.
    """

    line: int | None
    row: Row


class ComparedFiles:
    """The files of a dataset, each compared with what is written into it.

    Args:
        folder: The dataset.
        scratch: An empty folder, for files that are no text.

    Attributes:
        partings: File to where it first differs, for those that do. A file that is not
            there is not among them.
    """

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.row = NO_ROW
        self.partings: dict[str, Parting] = {}
        self._folder, self._scratch = folder, scratch
        self._open: dict[str, _Compared] = {}
        self._others: list[str] = []
        self._stack = ExitStack()

    def __enter__(self) -> ComparedFiles:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stack.close()

    def open(self, name: str) -> Sink:
        """Begin to compare a text file."""
        path = self._folder / name
        file = self._stack.enter_context(path.open("rb")) if path.is_file() else None
        one = self._open[name] = _Compared(name, file, self)
        return one

    def path(self, name: str) -> Path:
        """Make room for a file that is compared once it is whole."""
        path = self._scratch / name
        path.parent.mkdir(exist_ok=True)
        self._others.append(name)
        return path

    def finish(self) -> None:
        """Find what goes on past its end, and compare the files that are no text."""
        self.row = NO_ROW
        for one in self._open.values():
            one.finish()
        for name in self._others:
            there = self._folder / name
            if there.is_file() and not _are_same(there, self._scratch / name):
                self.partings[name] = Parting(None, NO_ROW)


class _Compared:
    def __init__(self, name: str, file: BinaryIO | None, files: ComparedFiles) -> None:
        self._name, self._file, self._files = name, file, files
        self._line = 1

    def write(self, text: str) -> None:
        if self._file is None:
            return
        octets = encoded(text)
        there = self._file.read(len(octets))
        if there != octets:
            pairs = zip(there, octets, strict=False)
            same = next((at for at, (one, other) in enumerate(pairs) if one != other), len(there))
            self._part(self._line + octets.count(b"\n", 0, same))
        self._line += octets.count(b"\n")

    def finish(self) -> None:
        if self._file is not None and self._file.read(1):
            self._part(self._line)

    def _part(self, line: int) -> None:
        self._files.partings[self._name] = Parting(line, self._files.row)
        self._file = None


def _are_same(one: Path, other: Path) -> bool:
    with one.open("rb") as first, other.open("rb") as second:
        while True:
            ours, theirs = first.read(CHUNK_BYTES), second.read(CHUNK_BYTES)
            if ours != theirs:
                return False
            if not ours:
                return True
