"""The few things a recorder does to files, each of them lasting once it returns.

The seam at which tests kill it: between any two of these a process may die, and in the
middle of an append.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


class Disk:
    """The disk itself."""

    def settle(self, file: int) -> None:
        """Wait until what was done to an open file or folder is on the disk."""
        os.fsync(file)

    def make(self, folder: Path) -> None:
        """Make a folder and those above it, unless it is there."""
        folder.mkdir(parents=True, exist_ok=True)
        self._settle(folder.parent)

    def append(self, path: Path, pieces: Iterable[bytes]) -> None:
        """Write at a file's end, and wait until it is on the disk; make the file if need be."""
        is_new = not path.exists()
        with path.open("ab") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            self.settle(file.fileno())
        if is_new:
            self._settle(path.parent)

    def cut(self, path: Path, octets: int) -> None:
        """Keep only a file's first octets."""
        with path.open("r+b") as file:
            file.truncate(octets)
            self.settle(file.fileno())

    def rename(self, path: Path, name: Path) -> None:
        """Give a file its name, in place of any other that had it."""
        path.replace(name)
        self._settle(name.parent)

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        path.unlink(missing_ok=True)
        self._settle(path.parent)

    def _settle(self, folder: Path) -> None:
        held = os.open(folder, os.O_RDONLY)
        try:
            self.settle(held)
        finally:
            os.close(held)


def write_whole(disk: Disk, path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file that is there whole, or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    disk.remove(fresh)
    disk.append(fresh, pieces)
    disk.rename(fresh, path)
