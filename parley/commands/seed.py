"""`parley seed`: start a run on a swarm that is up."""

from __future__ import annotations

import json
from typing import Any

import click

from parley import opening
from parley.options import overrides


@click.command(short_help="Start a run on a swarm that is up.")
@click.argument("scenario", default="salon")
@click.option("--say", metavar="TEXT", help="What opens every channel.")
@overrides
@click.option("--json", "as_json", is_flag=True, help="One JSON line.")
def command(scenario: str, say: str | None, changes: dict[str, Any], as_json: bool) -> None:
    """Start a run on a swarm that is up; print the run's id.

    An orchestrator and hosts that run already take it from there: see `parley
    orchestrator` and `parley bots`.

    \b
    Examples:
      parley seed
      parley seed debate --turns 40 --seed 3
      parley seed --say "What do you owe a stranger?" --model llama3.2:1b
    """
    from parley import starting
    from parley.library import find_scenario
    from parley.resolve import Overrides, resolve_file

    spec = resolve_file(find_scenario(scenario), Overrides(**changes, say=say))
    with opening.streams(opening.settings(), name="parley-seed") as streams:
        starting.check_server(streams)
        run = starting.start(streams, spec)
        hosts = len(streams.presences())
    if as_json:
        click.echo(json.dumps({"run": run}))
        return
    click.echo(run)
    click.echo(f"watch it:   parley watch {run}", err=True)
    click.echo(f"export it:  parley export {run} --out datasets/{run}", err=True)
    if not hosts:
        click.echo("no host is up yet: parley bots", err=True)
