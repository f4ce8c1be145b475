"""A run as a dataset folder: raw records, the tables folded from them, the codebook.

    exported = export_run(streams, "tea", Path("data/tea"))

Two exports of a closed run have the same bytes. A run that still goes on is cut at
one commit: the journal's last one when the export began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from analytics.build import Built, build
from analytics.files import NewFiles
from analytics.folder import whole
from analytics.observer.runs import registered
from analytics.sheets import PLAIN, Form
from analytics.statement import versions
from analytics.tables import read_spec
from analytics.withhold import Withholder
from utils import keys
from utils.callfile import RecordedCall, read_call
from utils.errors import BadEntry, BadInput, ParleyError, StreamError
from utils.journal import Sealed
from utils.manifest import NAME, manifest_text
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
    streams: Streams,
    run: str,
    out: Path,
    *,
    form: Form = PLAIN,
    replace: bool = False,
    progress: Progress | None = None,
) -> Exported:
    """Write a run as a dataset folder.

    Args:
        out: The folder. It appears whole, or not at all.
        replace: Take the place of a dataset that is there, once the new one is whole.
        progress: Told how far it is, about once every `PAGE` records.

    Raises:
        BadInput: There is no such run, or there is something at `out`.
        BadEntry: The run's record is broken; the line says where.
        ServerGone: The server cannot be reached.
    """
    spec = _spec(streams, run)
    with whole(out, replace=replace) as folder:
        built = _write(_Records(streams, run, spec, progress), folder, form)
    return Exported(folder=out, rows=built.rows, phase=built.phase, run=run)


def export_all(
    streams: Streams,
    out: Path,
    *,
    form: Form = PLAIN,
    replace: bool = False,
    progress: Progress | None = None,
) -> tuple[list[Exported], dict[str, ParleyError]]:
    """Write every run of the registry into one folder, a dataset each.

    Args:
        out: The folder. It appears whole, or not at all.
        replace: Take the place of a folder of datasets that is there.

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
    with whole(out, replace=replace) as folder:
        for run in runs:
            try:
                one = export_run(streams, run, folder / run, form=form, progress=progress)
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


def _write(records: _Records, folder: Path, form: Form) -> Built:
    """Write all files; the manifest last, so that what has one is whole."""
    with NewFiles(folder) as files:
        told = _Withheld(records) if form.withheld else records
        built = build(told, files, form)
        manifest = built.manifest(files.seal(), versions(with_parquet=form.parquet))
        (folder / NAME).write_text(manifest_text(manifest), "utf-8")
    return built


class _Withheld:
    """A run's records on their way to where their texts must not be."""

    def __init__(self, records: _Records) -> None:
        self.run, self.spec_text = records.run, records.spec_text
        self._records = records
        self._withholder = Withholder(read_spec(records.spec_text))

    def commits(self) -> Iterator[Sealed]:
        return map(self._withholder.commit, self._records.commits())

    def calls(self) -> Iterator[RecordedCall]:
        return map(self._withholder.call, self._records.calls())


class _Records:
    """A run's streams, read once, up to one cut.

    The calls' end is read after the journal's: every call that a commit before the cut
    names was written before that commit.
    """

    def __init__(self, streams: Streams, run: str, spec: str, progress: Progress | None) -> None:
        self.streams, self.run, self.spec_text = streams, run, spec
        self._progress = progress
        self._top = streams.top(keys.journal(run))
        self._calls, self._last_call = streams.tally(keys.calls(run))
        self._commits = int(self._top.id.partition("-")[0]) if self._top else 0
        self._done = 0

    def commits(self) -> Iterator[Sealed]:
        """Read the journal up to the cut."""
        if self._top is None:
            return
        last = ""
        for entry in self.streams.all(keys.journal(self.run), upto=self._top.id, page=PAGE):
            sealed = unseal_entry(entry)
            self._note(sealed)
            last = sealed.sha256
            yield sealed
        if last != self._top.fields.get("h"):
            raise BadEntry(f"journal {self._commits}", "it was there a moment ago and is not now")

    def calls(self) -> Iterator[RecordedCall]:
        """Read the calls up to the cut, or up to where a closed run's journal ends them."""
        if self._last_call in ("", "0-0"):
            return
        for entry in self.streams.all(keys.calls(self.run), upto=self._last_call, page=PAGE):
            self._tick()
            yield read_call(entry.id, entry.body)

    def _note(self, sealed: Sealed) -> None:
        self._tick()
        for event in sealed.commit.events:
            if isinstance(event, Closed):
                self._last_call, self._calls = event.last_call_id, event.calls

    def _tick(self) -> None:
        self._done += 1
        if self._progress and self._done % PAGE == 0:
            self._progress(self._done, self._commits + self._calls)
