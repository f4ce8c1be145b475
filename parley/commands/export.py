"""`parley export`: a run as a dataset folder."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from parley import opening

if TYPE_CHECKING:
    from analytics.export import Exported

SHORT = 5_000
"""Records of which an export is done before anybody wonders: no progress is drawn."""


@click.command(short_help="Write a run's dataset folder.")
@click.argument("run", required=False)
@click.option(
    "--out",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path),
    help="The folder to write; must not exist. With --all, one folder a run inside it.",
)
@click.option("--all", "every", is_flag=True, help="Export every run there is.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a dataset.")
def command(run: str | None, out: Path, every: bool, as_json: bool) -> None:
    """Write a run's dataset folder.

    RUN is a run's id, as `parley runs` lists them. The folder holds the tables as CSV,
    a codebook of their columns, and the raw records as JSON Lines; docs/data.md has
    every column. It appears whole, or not at all. A run that still goes on is cut at
    its last commit, and runs.csv says so.

    \b
    Examples:
      parley export tea-20261121-7f3a --out datasets/tea
      parley export --all --out datasets
      parley export tea-20261121-7f3a --out tea --json | jq .rows.messages
    """
    from analytics.export import export_all, export_run
    from utils.errors import ParleyError

    if every == (run is not None):
        raise click.UsageError("give either a RUN or --all")
    broken: dict[str, ParleyError] = {}
    with opening.records(opening.settings(), name="parley-export") as streams, _drawn() as progress:
        if run is not None:
            done = [export_run(streams, run, out, progress=progress)]
        else:
            done, broken = export_all(streams, out, progress=progress)
    for exported in done:
        _say(exported, as_json=as_json)
    for name, error in broken.items():
        click.echo(f"parley: run {name} is left out: {error}", err=True)
    if broken:
        raise ParleyError(f"{len(broken)} of {len(broken) + len(done)} runs could not be exported")


def _say(exported: Exported, *, as_json: bool) -> None:
    """Print a dataset's folder and how many rows each of its tables has."""
    if as_json:
        told = {
            "run": exported.run,
            "folder": str(exported.folder),
            "phase": exported.phase,
            "rows": exported.rows,
        }
        click.echo(json.dumps(told))
        return
    cut = "" if exported.phase == "closed" else f"; cut while {exported.phase}"
    click.echo(f"{exported.folder}  (run {exported.run}{cut})")
    for table, count in exported.rows.items():
        click.echo(
            f"  tables/{table}.csv {count:>{22 - len(table)},} {'row' if count == 1 else 'rows'}"
        )


@contextmanager
def _drawn() -> Iterator[Callable[[int, int], None] | None]:
    """Hold a progress bar on stderr, if that is a terminal and there is much to do."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # 0.1 s to import
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("exporting", visible=False)
        yield lambda done, of: bar.update(task, completed=done, total=of, visible=of > SHORT)
