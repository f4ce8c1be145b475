"""`parley report`: a dataset as one page that a co-author can read."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click


@click.command(short_help="Write one HTML page about a dataset, with figures.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--out",
    "page",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The page to write.  [default: DIR.html, beside DIR]",
)
@click.option(
    "--figures",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Write each figure as SVG, too, and the data behind it as CSV.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON line at the end.")
def command(folder: Path, page: Path | None, figures: Path | None, as_json: bool) -> None:
    """Write one HTML page about a dataset, with figures.

    DIR is a dataset, or a folder of datasets: then runs are compared by their labels.
    The page is one file: it loads nothing and runs nothing, can be mailed, printed, and
    read on a telephone. What bots said is inert in it. The same dataset gives the same
    bytes. An earlier report of the same name is replaced, anything else is not.

    \b
    Examples:
      parley report datasets/tea
      parley report datasets/tea --out tea.html --figures figures
      parley report datasets --out study.html --json | jq .runs
    """
    from analytics.report.files import write_report
    from parley import __version__

    with _drawn() as progress:
        written = write_report(
            folder,
            page=page,
            figures=figures,
            made_by=f"Parley {__version__}",
            progress=progress,
        )
    if as_json:
        told = {
            "page": str(written.page),
            "figures": [str(path) for path in written.figures],
            "runs": list(written.runs),
        }
        click.echo(json.dumps(told))
        return
    for path in (written.page, *written.figures):
        click.echo(path)


@contextmanager
def _drawn() -> Iterator[Callable[[str], None]]:
    """Hold a line on stderr that says what is being done, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # 0.1 s to import

    from utils.printable import printable_line

    with Console(stderr=True).status("starting") as status:
        yield lambda step: status.update(printable_line(step, most=70))
