"""`parley run`: one whole run on this machine."""

from __future__ import annotations

from typing import Any

import click

from parley.options import output, overrides


@click.command(short_help="Run a scenario from start to end here, and export its dataset.")
@click.argument("scenario")
@overrides
@output
@click.option("--offline", is_flag=True, help="Answer with the offline model: no language model.")
@click.option(
    "--seats-per-process",
    "seats",
    type=click.IntRange(1, 10_000),
    help="Bots a host.  [default: 1 up to eight bots, then as many as eight hosts need]",
)
@click.option("--dry-run", is_flag=True, help="Print the first prompts and an estimate, and stop.")
def command(
    scenario: str,
    changes: dict[str, Any],
    shown: dict[str, Any],
    offline: bool,
    seats: int | None,
    dry_run: bool,
) -> None:
    """Run a scenario from start to end here, and export its dataset.

    SCENARIO is a file, or the name of one that comes with Parley. Starts a server, an
    orchestrator and hosts, shows the talk live, stops them all after it.

    \b
    Examples:
      parley run salon --model llama3.2:1b
      parley run salon --offline --turns 12
      parley run my.yaml --seed 11 --out datasets/tea
      parley run debate --dry-run
    """
    from parley.dry_run import dry_run as show
    from parley.library import find_scenario
    from parley.resolve import Overrides, resolve_file
    from parley.whole_run import Wishes, whole_run

    spec = resolve_file(find_scenario(scenario), Overrides(**changes, offline=offline))
    if dry_run:
        show(spec)
    else:
        whole_run(spec, Wishes(**shown, offline=offline, seats=seats))
