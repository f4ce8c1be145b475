"""A dataset folder as it is read: its manifest, its spec, its commits and its calls.

    dataset = Dataset.open(Path("datasets/tea"))
    for sealed in chain(dataset.commits()): ...

Nothing is checked beyond each record by itself: `utils.journal.chain` checks how commits
stand on one another, and `parley verify` checks all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from utils import manifest as manifests
from utils.callfile import RecordedCall, call_from_line
from utils.errors import BadEntry, BadInput
from utils.journal import Sealed, from_line
from utils.manifest import Manifest, read_manifest
from utils.spec import Spec

T = TypeVar("T")

SPEC = "raw/spec.json"
JOURNAL = "raw/journal.jsonl"
CALLS = "raw/calls.jsonl"


@dataclass(frozen=True, slots=True)
class Dataset:
    """One run's dataset.

    Attributes:
        spec_text: The resolved scenario, exactly: its bytes decoded with `surrogateescape`.
    """

    folder: Path
    manifest: Manifest
    spec_text: str

    @classmethod
    def open(cls, folder: Path) -> Dataset:
        """Open a dataset: its manifest and its spec are read.

        Raises:
            BadInput: There is no dataset, or it is of a newer version.
            BadEntry: Its manifest is no manifest.
        """
        path = folder / manifests.NAME
        if not os.path.lexists(path):
            raise _no_dataset(folder)
        try:
            manifest = read_manifest(path.read_text("utf-8"), str(path))
            spec = (folder / SPEC).read_bytes().decode("utf-8", "surrogateescape")
        except OSError as error:
            raise BadInput(
                f"no dataset at {folder}: {error.strerror}: {Path(error.filename or path).name}",
                mend="name a folder that parley export wrote",
            ) from error
        except UnicodeDecodeError as error:
            raise BadEntry(str(path), "not UTF-8") from error
        return cls(folder=folder, manifest=manifest, spec_text=spec)

    @property
    def run(self) -> str:
        """The run's id."""
        return self.manifest.run

    @property
    def has_texts(self) -> bool:
        """Whether its texts are there. Where they were withheld, each is a digest."""
        return "texts" not in self.manifest.withheld

    def spec(self) -> Spec:
        """Parse the resolved scenario. Raises `BadEntry`."""
        return Spec.read(self.run, self.spec_text)

    def commits(self) -> Iterator[Sealed]:
        """Read the journal, from commit 1.

        Each commit's hash is that of its body, but where texts were withheld: there the
        body is what was left, and the hash is of what was.

        Raises:
            BadEntry: A line is not what it should be, with its file and number.
        """
        read = partial(from_line, is_withheld=not self.has_texts)
        return _lines(self.folder / JOURNAL, read)

    def calls(self) -> Iterator[RecordedCall]:
        """Read the calls, in the order in which they were recorded. Raises `BadEntry`."""
        return _lines(self.folder / CALLS, call_from_line)


def datasets_in(folder: Path) -> list[Path]:
    """List the datasets a folder is or holds, sorted by name.

    Raises:
        BadInput: It is none and holds none.
    """
    if os.path.lexists(folder / manifests.NAME):
        return [folder]
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [one for one in inside if os.path.lexists(one / manifests.NAME)]
    if not found:
        raise _no_dataset(folder)
    return found


def _no_dataset(folder: Path) -> BadInput:
    if folder.is_dir():
        why = f"no {manifests.NAME} in it"
    else:
        why = "a file, not a folder" if os.path.lexists(folder) else "no such folder"
    return BadInput(f"no dataset at {folder}: {why}", mend="name a folder that parley export wrote")


def _lines(path: Path, read: Callable[[str], T]) -> Iterator[T]:
    number = 0
    try:
        with path.open(encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith("\n"):
                    raise BadEntry(f"{path}:{number}", "the line is cut off")
                try:
                    one = read(line)
                except BadEntry as error:
                    raise BadEntry(f"{path}:{number}", str(error)) from error
                yield one
    except OSError as error:
        raise BadEntry(str(path), error.strerror or "cannot be read") from error
    except UnicodeDecodeError as error:
        raise BadEntry(f"{path}:{number + 1}", "not UTF-8") from error
