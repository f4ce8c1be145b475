"""`parley ready`: wait for a swarm, and say what to type next."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from parley import opening

if TYPE_CHECKING:
    from utils.clock import Clock
    from utils.settings import Settings
    from utils.streams import Streams

LOOK_S = 1.0


@click.command(short_help="Wait until a swarm can start a run; say what to type.")
@click.option("--scenario", default="salon", show_default=True, help="Whose models to wait for.")
@click.option(
    "--wait-s",
    type=click.IntRange(min=0),
    default=3_600,
    show_default=True,
    help="How long to wait, seconds.",
)
def command(scenario: str, wait_s: int) -> None:
    """Wait until a swarm can start a run; say what to type.

    Waits for a bot host, for the model server at OLLAMA_HOST, and for the models of the
    scenario there, or the one in PARLEY_MODEL. Says what it waits for whenever that
    changes. The last lines are the commands to copy.

    \b
    Examples:
      parley ready
      parley ready --scenario debate --wait-s 60
    """
    from parley.commands.pull import asked
    from parley.library import find_scenario
    from parley.resolve import resolve_file
    from utils.clock import SYSTEM_CLOCK
    from utils.errors import Missing

    here = opening.settings()
    models = (here.model,) if here.model else asked(resolve_file(find_scenario(scenario)))
    with opening.streams(here, name="parley-ready") as streams:
        lacking = wait(
            lambda: missing(here, streams, models),
            within_ms=wait_s * 1000,
            say=click.echo,
            clock=SYSTEM_CLOCK,
        )
        if lacking:
            raise Missing(f"waited {wait_s} s for {lacking}", mend=f"try: {here.typed} doctor")
        hosts = len(streams.presences())
    named = "" if scenario == "salon" else f" {scenario}"
    click.echo(f"Parley is up: {hosts} bot {'host' if hosts == 1 else 'hosts'}, {told(models)}")
    click.echo(f"start a conversation:  {here.typed} seed{named}")
    click.echo(f"watch it:              {here.typed} watch")


def told(models: tuple[str, ...]) -> str:
    """Name the models that answer."""
    return f"answers from {', '.join(models)}" if models else "no model asked"


def missing(here: Settings, streams: Streams, models: tuple[str, ...]) -> str:
    """Name the first thing a run would lack; empty when it lacks nothing."""
    from bots.minds.ollama_options import full_name
    from bots.minds.ollama_server import list_models
    from utils.errors import Missing, ServerGone

    try:
        if not streams.presences():
            return "a bot host"
    except ServerGone:
        return "the Redis server"
    for server in here.model_servers if models else ():
        try:
            _, there = list_models(server)
        except Missing:
            return f"the model server at {server}"
        lacking = [model for model in models if full_name(model) not in map(full_name, there)]
        if lacking:
            return f"the model {lacking[0]} at {server}"
    return ""


def wait(
    lacks: Callable[[], str], *, within_ms: int, say: Callable[[str], None], clock: Clock
) -> str:
    """Wait until nothing is lacking; what still is when the time is up.

    Args:
        lacks: Names what is lacking, empty for nothing.
        within_ms: How long to wait, milliseconds.
        say: Told what is waited for, when it is another thing than before.
        clock: Whose time passes.
    """
    from utils.clock import wait_until

    lacking = ""

    def is_complete() -> bool:
        nonlocal lacking
        before, lacking = lacking, lacks()
        if lacking and lacking != before:
            say(f"waiting for {lacking}")
        return not lacking

    wait_until(is_complete, within_ms=within_ms, every_ms=round(LOOK_S * 1000), clock=clock)
    return lacking
