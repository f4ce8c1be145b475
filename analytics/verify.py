"""Grade A: does a dataset follow from its own raw records, to the byte? No server, no model.

    verified = verify(Path("datasets/tea"))
    for difference in verified.differences: print(difference)

Three things must hold. The manifest is as it was sealed, and every file is what it says.
The journal is a chain in which every commit has its hash. The records, folded again,
give every table, the codebook and the manifest, byte for byte.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from analytics.build import build
from analytics.compare import ComparedFiles, Parting
from analytics.difference import Difference, changed_call, commit_of, turn_of
from analytics.files import sealed_file
from analytics.sheets import Form
from analytics.statement import versions
from utils.callfile import RecordedCall
from utils.dataset import CALLS, JOURNAL, SPEC, Dataset
from utils.errors import BadEntry, BadInput
from utils.journal import Sealed
from utils.manifest import NAME, Manifest, manifest_text, read_manifest

Progress = Callable[[int, int], None]
STEP = 200
"""Records between two words on how far it is."""


@dataclass(slots=True)
class Verified:
    """What verifying one dataset found.

    Attributes:
        manifest: None if it is damaged: then nothing else could be checked.
        differences: What is wrong; nothing if grade A holds.
        unchecked: What could not be checked, and why.
    """

    folder: Path
    manifest: Manifest | None = None
    differences: list[Difference] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.differences


def verify(folder: Path, *, progress: Progress | None = None) -> Verified:
    """Check a dataset against itself.

    Args:
        progress: Told now and then how many of how many records are done.

    Raises:
        BadInput: There is no dataset, or it is of a newer version.
    """
    verified = Verified(folder)
    try:
        text = (folder / NAME).read_bytes().decode("utf-8")
        manifest = verified.manifest = read_manifest(text)
    except OSError as error:
        mend = "name a folder that parley export wrote"
        raise BadInput(f"no dataset at {folder}: {error.strerror}: {NAME}", mend=mend) from error
    except UnicodeDecodeError:
        verified.differences.append(Difference(NAME, "not UTF-8"))
        return verified
    except BadEntry as error:
        verified.differences.append(Difference(NAME, error.why))
        return verified
    _Check(verified, manifest, progress).run(text)
    verified.differences.sort(key=lambda one: (one.file, one.line or 0))
    return verified


class _Check:
    """One dataset's check. `changed` are the files that are not what was sealed."""

    def __init__(self, verified: Verified, manifest: Manifest, progress: Progress | None) -> None:
        self.folder, self.manifest, self.verified = verified.folder, manifest, verified
        self.changed: dict[str, str] = {}
        self.partings: dict[str, Parting] = {}
        self._progress = progress

    def run(self, text: str) -> None:
        self._check_files()
        expected = manifest_text(self.manifest)
        if {SPEC, JOURNAL, CALLS} & set(self._missing()) or SPEC in self.changed:
            self.verified.unchecked.append(
                "the tables: raw records that they follow from differ or are gone"
            )
        else:
            try:
                expected = self._rebuild()
            except BadEntry as error:
                self._blame(error)
                self.verified.unchecked.append("the tables: the record cannot be read to its end")
        self._report()
        if self._is_record_bad():  # then the manifest cannot be blamed for what it says of it
            expected = manifest_text(self.manifest)
        if text != expected:
            line = _first_line(text, expected)
            self._note(Difference(NAME, "not what was sealed, or not what the record gives", line))
        if not self.manifest.withheld:
            return
        self.verified.unchecked.append(
            "the commits' own bytes and the prompts' hashes: texts were withheld, so only that "
            "each commit names the one before was checked"
        )

    # --- the files --------------------------------------------------------------------

    def _check_files(self) -> None:
        """Compare every file's hash, and find those that are missing or too many."""
        there = set(_listed(self.folder)) - {NAME}
        for name in self._missing():
            self._note(Difference(name, "missing"))
        for name in sorted(there - set(self.manifest.files)):
            self._note(Difference(name, "not a file of this dataset"))
        for name, sealed in self.manifest.files.items():
            if name in there:
                found = sealed_file(self.folder / name)
                if found != sealed:
                    self.changed[name] = "not the bytes that were sealed"

    def _missing(self) -> list[str]:
        return sorted(set(self.manifest.files) - set(_listed(self.folder)))

    # --- the record ---------------------------------------------------------------------

    def _rebuild(self) -> str:
        """Build every file again beside the one that is there; the manifest as it must be."""
        dataset = self._dataset()
        made_with = self.manifest.made_with
        parquet = any(name.endswith(".parquet") for name in self.manifest.files)
        if parquet and versions(with_parquet=True)["pyarrow"] != made_with.get("pyarrow"):
            parquet = False
            self.verified.unchecked.append(
                f"the Parquet files, beyond their hashes: pyarrow {made_with.get('pyarrow')} "
                "wrote them, and another version is here"
            )
        form = Form(text=self.manifest.text, withheld=self.manifest.withheld, parquet=parquet)
        with (
            tempfile.TemporaryDirectory(prefix="parley-verify-") as scratch,
            ComparedFiles(self.folder, Path(scratch)) as files,
        ):
            try:
                built = build(_Told(dataset, self._progress), files, form)
                files.finish()
            finally:
                self.partings = files.partings
        return manifest_text(built.manifest(self.manifest.files, made_with))

    def _blame(self, error: BadEntry) -> None:
        """Say where a record is bad: in one line of one file."""
        place, _, last = error.entry.replace("journal ", "journal:").rpartition(":")
        number = int(last) if last.isdecimal() else None
        is_call = Path(place).name == Path(CALLS).name
        name = CALLS if is_call else JOURNAL if number is not None else SPEC
        seq = None if is_call else number
        why = error.why.partition(": ")[2] if error.why.startswith("journal ") else error.why
        self.changed.pop(name, None)
        turn = None if seq is None else turn_of(self._dataset(), seq)
        self._note(Difference(name, why, number, seq, turn))

    # --- the report -----------------------------------------------------------------------

    def _report(self) -> None:
        """Say which files differ, and where: of tables that only follow a bad record, nothing."""
        for name, why in self.changed.items():
            self._note(self._placed(name, why))
        if self._is_record_bad():
            return
        for name in self.partings.keys() - self.changed.keys():
            self._note(self._placed(name, "not what the record gives"))

    def _is_record_bad(self) -> bool:
        return bool({SPEC, JOURNAL, CALLS} & {one.file for one in self.verified.differences})

    def _placed(self, name: str, why: str) -> Difference:
        parting = self.partings.get(name)
        if name == SPEC:
            return Difference(name, why, commit=1)
        if parting is None and name == CALLS:
            line, row = changed_call(self._dataset())
        else:
            line, row = (parting.line, parting.row) if parting else (None, {})
        commit = commit_of(self._dataset(), row)
        turn = row.get("turn")
        if turn is None and commit is not None:
            turn = turn_of(self._dataset(), commit)
        return Difference(name, why, line, commit, int(turn) if turn is not None else None)

    def _dataset(self) -> Dataset:
        spec = self.folder / SPEC
        text = spec.read_bytes().decode("utf-8", "surrogateescape") if spec.is_file() else ""
        return Dataset(folder=self.folder, manifest=self.manifest, spec_text=text)

    def _note(self, difference: Difference) -> None:
        self.verified.differences.append(difference)


class _Told:
    """A dataset's records, telling now and then how far they are read."""

    def __init__(self, dataset: Dataset, progress: Progress | None) -> None:
        self.run, self.spec_text = dataset.run, dataset.spec_text
        self._dataset, self._progress = dataset, progress
        self._of = dataset.manifest.commits + dataset.manifest.calls
        self._done = 0

    def commits(self) -> Iterator[Sealed]:
        for sealed in self._dataset.commits():
            self._tick()
            yield sealed

    def calls(self) -> Iterator[RecordedCall]:
        for call in self._dataset.calls():
            self._tick()
            yield call

    def _tick(self) -> None:
        self._done += 1
        if self._progress and self._done % STEP == 0:
            self._progress(self._done, self._of)


def _listed(folder: Path) -> Iterator[str]:
    """List everything in a dataset that is no folder."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            yield path.relative_to(folder).as_posix()


def _first_line(text: str, expected: str) -> int:
    """Find the first line in which two texts part: its number."""
    lines = zip(text.split("\n"), expected.split("\n"), strict=False)
    number = 0
    for number, (one, other) in enumerate(lines, 1):
        if one != other:
            return number
    return number + 1
