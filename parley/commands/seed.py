"""`parley seed`: start a run on a swarm that is up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from parley import opening
from parley.options import overrides

if TYPE_CHECKING:
    from utils.settings import Settings
    from utils.spec import Spec


@click.command(short_help="Start a run on a swarm that is up.")
@click.argument("scenario", default="salon")
@click.option("--say", metavar="TEXT", help="What opens every channel.")
@overrides
@click.option("--json", "as_json", is_flag=True, help="One JSON line.")
def command(scenario: str, say: str | None, changes: dict[str, Any], as_json: bool) -> None:
    """Start a run on a swarm that is up; print the run's id.

    An orchestrator and hosts that run already take it from there: see `parley
    orchestrator` and `parley bots`. Where OLLAMA_HOST names a server of your own, that is
    asked first whether it has the models. PARLEY_MODEL goes before the scenario's models.

    \b
    Examples:
      parley seed
      parley seed debate --turns 40 --seed 3
      parley seed --say "What do you owe a stranger?" --model llama3.2:1b
    """
    from parley import starting
    from parley.library import find_scenario
    from parley.resolve import Overrides, resolve_file

    here = opening.settings()
    if here.model and changes["model"] is None:
        changes["model"] = here.model
        click.echo(f"model {here.model}, as PARLEY_MODEL says", err=True)
    spec = resolve_file(find_scenario(scenario), Overrides(**changes, say=say))
    ask_for_models(spec, here)
    with opening.streams(here, name="parley-seed") as streams:
        starting.check_server(streams)
        run = starting.start(streams, starting.stamped(spec, streams))
        hosts = len(streams.presences())
    if as_json:
        click.echo(json.dumps({"run": run}))
        return
    click.echo(run)
    click.echo(f"watch it:   {here.typed} watch {run}", err=True)
    click.echo(f"export it:  {here.typed} export {run} --out datasets/{run}", err=True)
    if not hosts:
        click.echo("no host is up yet: parley bots", err=True)


def ask_for_models(spec: Spec, here: Settings) -> None:
    """Ask the model server for the scenario's models, where the user said which server.

    Raises:
        Missing: A model is not there. A run without it would be silence.
    """
    from bots.around import Around
    from parley import starting
    from utils.errors import Missing
    from utils.settings import DEFAULT_OLLAMA_HOST, DEFAULT_TYPED

    if here.model_servers == (DEFAULT_OLLAMA_HOST,):
        return
    around = Around.of(here, redis_url=opening.address(here) or "")
    try:
        starting.preflight(spec, around)
    except Missing as error:
        mend = error.mend.replace("ollama pull", f"{here.typed} pull")
        if mend == error.mend and here.typed != DEFAULT_TYPED:
            mend = f"see its log, or try: {here.typed} doctor"
        raise Missing(error.what, where=error.where, mend=mend) from error
