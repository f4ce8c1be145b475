"""`parley export`: a run as a dataset folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from parley import opening
from parley.progress import drawn

if TYPE_CHECKING:
    from analytics.export import Exported


@click.command(short_help="Write a run's dataset folder.")
@click.argument("run", required=False)
@click.option(
    "--out",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path),
    help="The folder to write. With --all, one folder a run inside it.",
)
@click.option("--all", "every", is_flag=True, help="Export every run there is.")
@click.option("--replace", is_flag=True, help="Take the place of a dataset that is there.")
@click.option("--parquet", is_flag=True, help="Write each table as Parquet, too.")
@click.option(
    "--raw-text", is_flag=True, help="Leave texts as they are: a spreadsheet may run them."
)
@click.option(
    "--withhold",
    type=click.Choice(["texts"]),
    help="Put a digest and a length in the place of every text but the scenario's.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON line a dataset.")
def command(
    run: str | None,
    out: Path,
    every: bool,
    replace: bool,
    parquet: bool,
    raw_text: bool,
    withhold: Literal["texts"] | None,
    as_json: bool,
) -> None:
    """Write a run's dataset folder.

    RUN is a run's id, as `parley runs` lists them. The folder holds the tables as CSV,
    a codebook of their columns, and the raw records as JSON Lines; docs/data.md has
    every column, and what seals it. It appears whole, or not at all. A run that still
    goes on is cut at its last commit, and runs.csv says so. With --all, runs that are
    one and the same are named.

    \b
    Examples:
      parley export tea-20261121-7f3a --out datasets/tea
      parley export --all --out datasets
      parley export tea-20261121-7f3a --out tea --parquet --replace
      parley export tea-20261121-7f3a --out tea-public --withhold texts
      parley export tea-20261121-7f3a --out tea --json | jq .rows.messages
    """
    from analytics.collection import alike
    from analytics.export import export_all, export_run
    from analytics.sheets import Form
    from utils.dataset import Dataset
    from utils.errors import ParleyError

    if every == (run is not None):
        raise click.UsageError("give either a RUN or --all")
    broken: dict[str, ParleyError] = {}
    form = Form(
        text="raw" if raw_text else "spreadsheet",
        withheld=(withhold,) if withhold else (),
        parquet=parquet,
    )
    here = opening.settings()
    with opening.records(here, name="parley-export") as streams, drawn("exporting") as progress:
        if run is not None:
            done = [export_run(streams, run, out, form=form, replace=replace, progress=progress)]
        else:
            done, broken = export_all(streams, out, form=form, replace=replace, progress=progress)
    for exported in done:
        _say(exported, as_json=as_json)
    if every:
        for likeness in alike({one.run: Dataset.open(one.folder).manifest for one in done}):
            click.echo(f"note: {likeness}", err=as_json)
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
