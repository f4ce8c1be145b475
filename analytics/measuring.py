"""Metrics of datasets: computed from their tables, written beside them, never into them.

A dataset is what happened; what somebody later computed of it is not part of that. So
measures have a folder of their own, with a codebook in which every metric stands with
its unit, range, meaning and source.
"""

from __future__ import annotations

import csv
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analytics.catalogue import metrics
from analytics.cells import cell
from analytics.codebook import HEADER
from analytics.columns import Column, decimal, label_columns, text
from analytics.datasets import Tables
from analytics.folder import whole
from analytics.metrics.frames import Frames
from analytics.metrics.seam import Metric, Reading, readings
from utils.dataset import Dataset
from utils.errors import BadInput, ParleyError

COLUMNS = (
    text("run_id", "The run's id; empty for what is of several runs.", "runs"),
    text("name", "The metric.", "The entry point's name"),
    text(
        "scope",
        "Of what the value is: `run`, `channel`, `bot`, `pair`, `turn`, `round`; `study` and "
        "`time` are of all runs whose labels agree but for `item` and `replicate`.",
        "The metric",
    ),
    text("channel", "Of which channel, if of one.", "The metric"),
    text("bot", "Of which bot; of a pair, who follows, names, takes up.", "The metric"),
    text("other", "Of a pair, who is followed, named, taken from.", "The metric"),
    decimal(
        "at",
        "Which turn or round; of `time`, where on the runs' course, in the metric's words.",
        "The metric",
        unit="the scope's",
    ),
    decimal(
        "value", "The value; empty where the run cannot give it.", "The metric", unit="its own"
    ),
    text("why", "Why there is no value.", "The metric"),
)
"""Of measures.csv; the runs' labels follow."""

_MARKED = re.compile(r"(<!-- metrics -->\n).*?(<!-- end -->)", re.DOTALL)

NOT_ARMS = ("item", "replicate")

Progress = Callable[[int, int], None]
"""Told how many of how many metrics are done."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One value of one metric, and of what.

    Attributes:
        run: None for a value of several runs.
        labels: The run's; of several runs, those they share.
    """

    metric: Metric
    run: str | None
    labels: dict[str, str]
    reading: Reading


def measure(
    datasets: Sequence[Dataset],
    chosen: Sequence[Metric],
    *,
    seed: int = 0,
    embeddings: Mapping[str, pd.DataFrame] | None = None,
    progress: Progress | None = None,
) -> Iterator[Measure]:
    """Compute metrics: those of a run for each dataset, then those of several runs.

    Args:
        seed: For metrics that draw: the same seed, the same values.
        embeddings: Run to what a model makes of its messages: see `Frames`.
        progress: Told before the first metric and after each.

    Raises:
        BadInput: A table, or a column of it, is not there.
        ParleyError: A metric failed, or gave what it says it never does.
    """
    given = embeddings or {}
    of_one = [one for one in chosen if not one.of_many]
    of_many = [one for one in chosen if one.of_many]
    groups = arms(datasets) if of_many else []
    total = len(of_one) * len(datasets) + len(of_many) * len(groups)
    told = _Told(progress, total)
    for dataset in datasets:
        frames = Frames(_tables([dataset], of_one), embeddings=given.get(dataset.run))
        for metric in of_one:
            for one in computed(metric, frames, seed, [dataset]):
                yield Measure(metric, dataset.run, dataset.manifest.labels, one)
            told.tick()
    for labels, runs in groups:
        frames = Frames(_tables(runs, of_many))
        for metric in of_many:
            for one in computed(metric, frames, seed, runs):
                yield Measure(metric, None, labels, one)
            told.tick()


def computed(
    metric: Metric, frames: Frames, seed: int, datasets: Sequence[Dataset]
) -> Iterator[Reading]:
    """Compute a metric of datasets, if they have the texts it reads.

    Raises:
        ParleyError: The metric failed, a stranger's perhaps, or gave what it says it never does.
    """
    read = {column for columns in metric.tables.values() for column in columns}
    reads_texts = not read.isdisjoint({"text", "said", "prompt", "answer"})
    if reads_texts and not all(one.has_texts for one in datasets):
        yield Reading(metric.scopes[0], None, "the texts were withheld")
        return
    try:
        yield from readings(metric, frames, seed=seed)
    except ParleyError:
        raise
    except Exception as error:
        of = datasets[0].run if len(datasets) == 1 else f"{len(datasets)} runs"
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise ParleyError(f"the metric '{metric.name}' failed on {of}: {why}") from error


def arms(datasets: Sequence[Dataset]) -> list[tuple[dict[str, str], list[Dataset]]]:
    """Gather the runs whose labels agree but for `item` and `replicate`."""
    groups: dict[tuple[tuple[str, str], ...], list[Dataset]] = defaultdict(list)
    for one in datasets:
        shared = {
            name: label for name, label in one.manifest.labels.items() if name not in NOT_ARMS
        }
        groups[tuple(sorted(shared.items()))].append(one)
    return [(dict(shared), runs) for shared, runs in groups.items()]


def write_measures(out: Path, measures: Iterable[Measure], chosen: Sequence[Metric]) -> int:
    """Write measures.csv and its codebook.csv as a folder, whole or not at all.

    Args:
        out: The folder; must not exist.

    Returns:
        How many rows there are.

    Raises:
        BadInput: There is something at `out`.
    """
    rows = list(measures)
    labels = sorted({name for row in rows for name in row.labels})
    if os.path.lexists(out):
        raise BadInput(f"{out} exists", where="--out", mend="choose another, or remove it")
    with whole(out) as folder:
        with (folder / "measures.csv").open("x", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            columns = (*COLUMNS, *label_columns(labels))
            writer.writerow([column.name for column in columns])
            for row in rows:
                cells = [*values_of(row), *(row.labels.get(name) for name in labels)]
                writer.writerow([cell(one) for one in cells])
        with (folder / "codebook.csv").open("x", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADER)
            for line in codebook_lines(chosen, labels):
                writer.writerow([cell(one) for one in line])
    return len(rows)


def values_of(measure: Measure) -> tuple[str | float | None, ...]:
    """Write a measure as a row of `COLUMNS`."""
    one = measure.reading
    at = int(one.at) if one.at is not None and float(one.at).is_integer() else one.at
    where = (one.scope, one.channel, one.bot, one.other, at)
    return (measure.run, measure.metric.name, *where, one.value, one.why or None)


def codebook_lines(
    chosen: Sequence[Metric], labels: Iterable[str] = ()
) -> Iterator[tuple[str, ...]]:
    """List the columns of measures.csv, then every metric as `value[<name>]`."""
    columns: tuple[Column, ...] = (*COLUMNS, *label_columns(labels))
    for one in columns:
        yield "measures", one.name, one.type, one.unit, one.meaning, one.source
    for metric in chosen:
        meaning = f"{metric.meaning} Range: {metric.range}."
        place = f"value[{metric.name}]"
        yield "measures", place, "decimal", metric.unit, meaning, metric.source


def as_markdown(chosen: Sequence[Metric]) -> str:
    """Write metrics as the Markdown tables of docs/measures.md, one a family."""
    lines: list[str] = []
    for family in dict.fromkeys(metric.family for metric in chosen):
        lines += [f"### {family.replace('_', ' ').capitalize()}", ""]
        lines += ["| metric | of | unit | range | meaning | source |", "|---|---|---|---|---|---|"]
        for one in chosen:
            if one.family == family:
                of = ", ".join(one.scopes)
                about = f"{one.unit} | {one.range} | {one.meaning} | {one.source}"
                lines.append(f"| `{one.name}` | {of} | {about} |")
        lines.append("")
    return "\n".join(lines)


def renewed(document: str) -> str:
    """Write the tables of all metrics again between the marks of docs/measures.md."""
    return _MARKED.sub(lambda mark: f"{mark[1]}{as_markdown(metrics())}{mark[2]}", document)


def _tables(datasets: Sequence[Dataset], chosen: Sequence[Metric]) -> Tables:
    wanted: dict[str, set[str]] = defaultdict(set)
    for metric in chosen:
        for table, columns in metric.tables.items():
            wanted[table].update(columns)
    return Tables(datasets, wanted)


class _Told:
    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, -1
        self.tick()

    def tick(self) -> None:
        self._done += 1
        if self._progress:
            self._progress(self._done, self._total)
