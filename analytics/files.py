"""The files of a new dataset: each is hashed while it is written."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol

from analytics.columns import Row
from utils.manifest import SealedFile

BUFFER_CHARS = 1 << 18
"""Text kept of each file before it is encoded, hashed and written."""

NO_ROW: Row = {}


class Sink(Protocol):
    """What a file's text goes into, as `csv.writer` wants it."""

    def write(self, text: str, /) -> object: ...


class Files(Protocol):
    """Where a dataset's files go: onto the disk, or against what is there.

    Attributes:
        row: What is being written, for whoever has to say where two files part.
    """

    row: Row

    def open(self, name: str) -> Sink:
        """Begin a text file, by its path in the dataset."""

    def path(self, name: str) -> Path:
        """Name where a file that is no text may be written, by its path in the dataset."""


class NewFiles:
    """The files of a new dataset.

    Args:
        folder: Must exist, and hold nothing of these names.

    Attributes:
        sealed: Once they are closed: every file, by its path in the dataset.
    """

    def __init__(self, folder: Path) -> None:
        self.row = NO_ROW
        self.sealed: dict[str, SealedFile] = {}
        self._folder = folder
        self._open: dict[str, _Hashed] = {}
        self._others: list[str] = []
        self._stack = ExitStack()

    def __enter__(self) -> NewFiles:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stack.close()

    def open(self, name: str) -> Sink:
        """Make a new text file: UTF-8, line ends as they are written."""
        path = self.path(name, is_text=True)
        sink = self._open[name] = _Hashed(self._stack.enter_context(path.open("xb")))
        return sink

    def path(self, name: str, *, is_text: bool = False) -> Path:
        """Make room for a new file."""
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        if not is_text:
            self._others.append(name)
        return path

    def seal(self) -> dict[str, SealedFile]:
        """Finish all files, and tell their hashes and sizes, sorted by name."""
        sealed = {name: sink.close() for name, sink in self._open.items()}
        sealed |= {name: sealed_file(self._folder / name) for name in self._others}
        self._open.clear()
        self._others.clear()
        self.sealed |= sealed
        return dict(sorted(self.sealed.items()))


def sealed_file(path: Path) -> SealedFile:
    """Hash a file that is there. Raises OSError."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return SealedFile(sha256=sha256, bytes=file.tell())


def encoded(text: str) -> bytes:
    """Encode a file's text; bytes that were no UTF-8 come out as they were."""
    return text.encode("utf-8", "surrogateescape")


class _Hashed:
    def __init__(self, file: _Writable) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._parts: list[str] = []
        self._chars = 0

    def write(self, text: str) -> None:
        self._parts.append(text)
        self._chars += len(text)
        if self._chars >= BUFFER_CHARS:
            self._flush()

    def close(self) -> SealedFile:
        self._flush()
        self._file.close()
        return SealedFile(sha256=self._hash.hexdigest(), bytes=self._bytes)

    def _flush(self) -> None:
        octets = encoded("".join(self._parts))
        self._parts.clear()
        self._chars = 0
        self._hash.update(octets)
        self._bytes += len(octets)
        self._file.write(octets)


class _Writable(Protocol):
    def write(self, octets: bytes, /) -> int: ...

    def close(self) -> None: ...
