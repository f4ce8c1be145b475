"""`parley measure`: metrics of datasets."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from analytics.measuring import Measure
    from analytics.metrics.seam import Metric

SHOWN = ("run", "channel", "bot", "study")
"""Scopes that a screen has room for; the others are in --out and --json."""


@click.command(short_help="Compute metrics of datasets.")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--metric",
    "names",
    metavar="NAME",
    multiple=True,
    help="Only this metric; may be given more than once. Nothing else is loaded.",
)
@click.option(
    "--out",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Write measures.csv and codebook.csv there; must not exist.",
)
@click.option(
    "--embeddings",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A model's embeddings of the messages: CSV of run_id, message_id, numbers.",
)
@click.option("--seed", default=0, show_default=True, help="For metrics that draw.")
@click.option("--list", "is_list", is_flag=True, help="List the metrics there are.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a value, or a metric.")
def command(
    folder: Path | None,
    names: tuple[str, ...],
    out: Path | None,
    embeddings: Path | None,
    seed: int,
    is_list: bool,
    as_json: bool,
) -> None:
    """Compute metrics of datasets.

    DIR is a dataset, or a folder of many. A dataset is not changed: with --out the
    values go to a folder of their own, with a codebook. A run that cannot give a metric
    says why, and has no value. docs/measures.md has every metric.

    \b
    Examples:
      parley measure tea
      parley measure tea --metric mtld --metric distinct_2 --json
      parley measure datasets --out measures
      parley measure --list
    """
    from analytics.catalogue import metrics

    if is_list is (folder is not None):
        raise click.UsageError("give either DIR or --list")
    chosen = metrics(names, where="--metric" if names else "")
    if folder is None:
        _list(chosen, as_json=as_json)
        return
    from analytics.datasets import read_embeddings
    from analytics.measuring import measure, write_measures
    from parley.progress import drawn
    from utils.dataset import Dataset, datasets_in

    with drawn("measuring", beyond=0) as progress:
        found = [Dataset.open(one) for one in datasets_in(folder)]
        given = read_embeddings(embeddings) if embeddings else None
        measures = measure(found, chosen, seed=seed, embeddings=given, progress=progress)
        if out is None:
            lines = _json(measures) if as_json else _lines(measures)
        else:
            count = write_measures(out, measures, chosen)
            told = {"folder": str(out), "datasets": len(found), "values": count}
            lines = [json.dumps(told) if as_json else f"{out}  ({count:,} values)"]
    for line in lines:
        click.echo(line)


def _list(metrics: Iterable[Metric], *, as_json: bool) -> None:
    for one in metrics:
        if as_json:
            about = {name: getattr(one, name) for name in ("name", "family", "scopes", "unit")}
            more = {name: getattr(one, name) for name in ("low", "high", "meaning", "source")}
            click.echo(json.dumps(about | more))
        else:
            click.echo(f"{one.name:<28} {', '.join(one.scopes):<13} {one.meaning}")


def _json(measures: Iterable[Measure]) -> list[str]:
    from analytics.measuring import COLUMNS, values_of

    names = [column.name for column in COLUMNS]
    return [
        json.dumps(
            dict(zip(names, values_of(one), strict=True))
            | {f"label_{name}": label for name, label in one.labels.items()}
        )
        for one in measures
    ]


def _lines(measures: Iterable[Measure]) -> list[str]:
    """Tell values as a person reads them; of those of every turn or pair, how many there are."""
    from utils.names import counted

    lines: list[str] = []
    more: Counter[tuple[str, str]] = Counter()
    for one in measures:
        reading, unit, name = one.reading, one.metric.unit, one.metric.name
        run, whose = one.run or "all runs", reading.bot or reading.channel or ""
        if reading.scope not in SHOWN and not (reading.value is None and reading.at is None):
            more[run, name] += 1
            continue
        value = reading.why
        if reading.value is not None:
            value = f"{reading.value:.6g}{'' if unit == 'none' else f' {unit}'}"
        lines.append(_line(run, name, whose, value))
    for (run, name), count in more.items():
        lines.append(
            _line(run, name, "", f"{counted(count, 'value')}: see them with --json or --out")
        )
    return lines


def _line(run: str, name: str, whose: str, value: str) -> str:
    return f"{run}  {name:<26} {whose:<12} {value}"
