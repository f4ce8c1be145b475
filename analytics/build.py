"""A dataset built from a run's records: what an export writes and `parley verify` compares.

Where its files go is the caller's: the same records give the same bytes, always.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from analytics.columns import Row
from analytics.files import NO_ROW, Files
from analytics.review import Review, findings
from analytics.sheets import PLAIN, Form, open_sheets, write_codebook
from analytics.statement import DETERMINISTIC, not_deterministic
from analytics.tables import read_spec, tables_from
from utils.callfile import RecordedCall, call_line
from utils.dataset import CALLS, JOURNAL, SPEC
from utils.journal import Sealed, sha256_of, to_line
from utils.manifest import Manifest, SealedFile
from utils.spec import Spec

CODEBOOK = "codebook.csv"
SETTINGS = {"world", "pace", "end", "floor", "guards"}
"""What the manifest repeats of the spec."""


class Records(Protocol):
    """A run's records. Each kind is read once: first all commits, then all calls."""

    @property
    def run(self) -> str:
        """The run's id."""

    @property
    def spec_text(self) -> str:
        """The resolved scenario, exactly as stored."""

    def commits(self) -> Iterable[Sealed]:
        """Read the journal from commit 1."""

    def calls(self) -> Iterable[RecordedCall]:
        """Read the calls that count."""


@dataclass(frozen=True, slots=True)
class Built:
    """What was built, as far as the manifest tells it.

    Attributes:
        row: The run's row of runs.csv.
        rows: Table to its number of rows.
    """

    spec: Spec
    spec_sha256: str
    row: Row
    rows: dict[str, int]
    review: Review
    form: Form

    @property
    def phase(self) -> str:
        """How far the run was."""
        return str(self.row["phase"])

    def manifest(self, files: Mapping[str, SealedFile], made_with: Mapping[str, str]) -> Manifest:
        """Write the manifest of these files, but for its seal."""
        row, review, models = self.row, self.review, self.review.models()
        checks = review.checks(row)
        told = {
            "run": row["run_id"],
            "scenario": self.spec.scenario,
            "labels": self.spec.labels,
            "phase": row["phase"],
            "commits": row["commits"],
            "last_sha256": row["last_sha256"],
            "calls": review.entries,
            "spec_sha256": self.spec_sha256,
            "seed": self.spec.seed,
            "settings": self.spec.model_dump(mode="json", include=SETTINGS),
            "models": models,
            "withheld": self.form.withheld,
            "text": self.form.text,
            "started_with": self.spec.started_with,
            "made_with": made_with,
            "deterministic": DETERMINISTIC,
            "not_deterministic": not_deterministic(
                models, is_withheld="texts" in self.form.withheld
            ),
            "checks": checks,
            "findings": findings(row, checks, models),
            "rows": self.rows,
            "files": files,
        }
        return Manifest.model_validate(told)


def build(records: Records, files: Files, form: Form = PLAIN) -> Built:
    """Write every file of a dataset but its manifest.

    Raises:
        BadEntry: A record is not what it should be.
    """
    spec = read_spec(records.spec_text)
    files.open(SPEC).write(records.spec_text)
    write_codebook(files.open(CODEBOOK), spec.labels)
    copied = _Copied(records, files, Review(spec))
    run = NO_ROW
    with open_sheets(files, spec.labels, form) as sheets:
        told = tables_from(
            records.spec_text,
            copied.commits(),
            copied.calls(),
            run=records.run,
        )
        for table, row in told:
            files.row = row
            sheets.add(table, row)
            if table == "runs":
                run = row
    return Built(spec, sha256_of(records.spec_text), run, sheets.rows, copied.review, form)


class _Copied:
    """Records on their way to the tables: each is copied to its file and looked at."""

    def __init__(self, records: Records, files: Files, review: Review) -> None:
        self.review = review
        self._records, self._files = records, files

    def commits(self) -> Iterator[Sealed]:
        file = self._files.open(JOURNAL)
        for sealed in self._records.commits():
            self._files.row = {"seq": sealed.seq}
            file.write(to_line(sealed))
            self.review.take(sealed)
            yield sealed

    def calls(self) -> Iterator[RecordedCall]:
        file = self._files.open(CALLS)
        for call in self._records.calls():
            self._files.row = {"entry_id": call.id}
            file.write(call_line(call))
            self.review.take_call(call)
            yield call
