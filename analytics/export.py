"""A run as a dataset folder: raw records, the tables folded from them, the codebook.

    exported = export_run(streams, "tea", Path("data/tea"))

Two exports of a closed run have the same bytes. A run that still goes on is cut at
one commit: the journal's last one when the export began.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from analytics.folder import whole
from analytics.observer.runs import registered
from analytics.sheets import open_new, open_sheets, write_codebook
from analytics.tables import read_spec, tables_from
from utils import keys
from utils.callfile import RecordedCall, call_line, read_call
from utils.errors import BadEntry, BadInput, ParleyError, StreamError
from utils.journal import Sealed, to_line
from utils.manifest import NAME, Manifest, SealedFile, manifest_text
from utils.names import check_name, nearest, shown
from utils.protocol import Closed
from utils.streams import Streams, unseal_entry

PAGE = 200
"""Entries read at once: usually 400 KB, and 200 MB if all were as large as may be."""

Progress = Callable[[int, int], None]
"""Told now and then how many of how many records are done."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A dataset that was written.

    Attributes:
        rows: Table to its number of rows.
        phase: How far the run was: only a `closed` one's dataset is final.
    """

    folder: Path
    rows: dict[str, int]
    phase: str
    run: str


def export_run(
    streams: Streams, run: str, out: Path, *, progress: Progress | None = None
) -> Exported:
    """Write a run as a dataset folder.

    Args:
        out: The folder; must not exist. It appears whole, or not at all.
        progress: Told how far it is, about once every `PAGE` records.

    Raises:
        BadInput: There is no such run, or there is something at `out`.
        BadEntry: The run's record is broken; the line says where.
        ServerGone: The server cannot be reached.
    """
    spec = _spec(streams, run)
    with whole(out) as folder:
        rows, phase = _write(_Records(streams, run, progress), spec, folder)
    return Exported(folder=out, rows=rows, phase=phase, run=run)


def export_all(
    streams: Streams, out: Path, *, progress: Progress | None = None
) -> tuple[list[Exported], dict[str, ParleyError]]:
    """Write every run of the registry into one folder, a dataset each.

    Args:
        out: The folder; must not exist. It appears whole, or not at all.

    Returns:
        The datasets, and the runs whose record is broken, each with the reason: they
        are left out, so that one does not stand in the way of all.

    Raises:
        BadInput: There is no run, or there is something at `out`.
        StreamError: Every run's record is broken.
        ServerGone: The server cannot be reached.
    """
    runs = _known(streams)
    if not runs:
        raise BadInput("there is no run to export", mend="start one: parley run salon")
    done: list[Exported] = []
    broken: dict[str, ParleyError] = {}
    with whole(out) as folder:
        for run in runs:
            try:
                one = export_run(streams, run, folder / run, progress=progress)
            except (StreamError, BadInput) as error:
                broken[run] = error
            else:
                done.append(Exported(out / run, one.rows, one.phase, run))
        if not done:
            first, why = next(iter(broken.items()))
            raise StreamError(f"none of {len(runs)} runs can be exported; {first}: {why}")
    return done, broken


def _spec(streams: Streams, run: str) -> str:
    spec = streams.spec(check_name(run, "run", "RUN"))
    if spec is None:
        close = nearest(run, _known(streams))
        meant = f"did you mean {shown(close)}? " if close else ""
        raise BadInput(f"unknown run {shown(run)}", mend=f"{meant}parley runs lists what there is")
    return spec


def _known(streams: Streams) -> list[str]:
    """List the runs of the registry, the earliest first."""
    return list(dict.fromkeys(entry.run for entry in registered(streams)[::-1]))


def _write(records: _Records, spec: str, folder: Path) -> tuple[dict[str, int], str]:
    labels = read_spec(spec).labels
    raw, tables = folder / "raw", folder / "tables"
    raw.mkdir()
    tables.mkdir()
    (raw / "spec.json").write_bytes(spec.encode("utf-8", "surrogateescape"))
    write_codebook(folder / "codebook.csv", labels)
    phase = ""
    with (
        open_new(raw / "journal.jsonl") as journal,
        open_new(raw / "calls.jsonl") as calls,
        open_sheets(tables, labels) as sheets,
    ):
        commits, attempts = records.commits(journal), records.calls(calls)
        for table, row in tables_from(spec, commits, attempts, run=records.run):
            sheets.add(table, row)
            if table == "runs":
                phase = str(row["phase"])
    _seal(records, spec, folder, sheets.rows, phase)
    return sheets.rows, phase


def _seal(records: _Records, spec: str, folder: Path, rows: dict[str, int], phase: str) -> None:
    """Write the manifest, last."""
    parsed = read_spec(spec)
    files = {
        path.relative_to(folder).as_posix(): SealedFile(
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(), bytes=path.stat().st_size
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    manifest = Manifest.model_validate(
        {
            "run": records.run,
            "scenario": parsed.scenario,
            "labels": parsed.labels,
            "phase": phase,
            "commits": records.commits_read,
            "last_sha256": records.last_sha256,
            "calls": records.calls_read,
            "spec_sha256": hashlib.sha256(spec.encode("utf-8", "surrogateescape")).hexdigest(),
            "seed": parsed.seed,
            "rows": rows,
            "files": files,
        }
    )
    with open_new(folder / NAME) as file:
        file.write(manifest_text(manifest))


class _Records:
    """A run's streams, read once, up to one cut; each record is copied to a file as it is.

    The calls' end is read after the journal's: every call that a commit before the cut
    names was written before that commit.
    """

    def __init__(self, streams: Streams, run: str, progress: Progress | None) -> None:
        self.streams, self.run = streams, run
        self._progress = progress
        self._top = streams.top(keys.journal(run))
        self._calls, self._last_call = streams.tally(keys.calls(run))
        self._commits = int(self._top.id.partition("-")[0]) if self._top else 0
        self._done = self.commits_read = self.calls_read = 0
        self.last_sha256 = ""

    def commits(self, copy: TextIO) -> Iterator[Sealed]:
        """Read the journal up to the cut."""
        if self._top is None:
            return
        for entry in self.streams.all(keys.journal(self.run), upto=self._top.id, page=PAGE):
            sealed = unseal_entry(entry)
            copy.write(to_line(sealed))
            self._note(sealed)
            self.last_sha256 = sealed.sha256
            self.commits_read += 1
            yield sealed
        if self.last_sha256 != self._top.fields.get("h"):
            raise BadEntry(f"journal {self._commits}", "it was there a moment ago and is not now")

    def calls(self, copy: TextIO) -> Iterator[RecordedCall]:
        """Read the calls up to the cut, or up to where a closed run's journal ends them."""
        if self._last_call in ("", "0-0"):
            return
        for entry in self.streams.all(keys.calls(self.run), upto=self._last_call, page=PAGE):
            call = read_call(entry.id, entry.body)
            copy.write(call_line(call))
            self._tick()
            self.calls_read += 1
            yield call

    def _note(self, sealed: Sealed) -> None:
        self._tick()
        for event in sealed.commit.events:
            if isinstance(event, Closed):
                self._last_call, self._calls = event.last_call_id, event.calls

    def _tick(self) -> None:
        self._done += 1
        if self._progress and self._done % PAGE == 0:
            self._progress(self._done, self._commits + self._calls)
