"""`parley offline-model`: Ollama's API with no model behind it."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import click


@click.command(short_help="Serve Ollama's API with no model behind it.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=11434,
    show_default=True,
    help="Port to listen at; 0 takes a free one.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME[,KEY=NUMBER...]",
    help="A model to offer, with size_mb, load_s, tokens_per_s and slots; may be repeated.",
)
@click.option(
    "--tokens-per-s",
    type=click.FloatRange(min=0, min_open=True),
    help="Pace of the models that have none of their own.  [default: as fast as it goes]",
)
@click.option(
    "--most-loaded",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Models in memory at a time: one more puts one out.",
)
@click.option(
    "--most-pending",
    type=click.IntRange(min=0),
    default=512,
    show_default=True,
    help="Requests that may wait for a model to be loaded; beyond, the server is busy.",
)
@click.option(
    "--faults",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file that says which calls go wrong, and how: see docs/calls.md.",
)
def command(
    host: str,
    port: int,
    models: tuple[str, ...],
    tokens_per_s: float | None,
    most_loaded: int,
    most_pending: int,
    faults: Path | None,
) -> None:
    """Serve Ollama's API with no model behind it.

    A seeded phrase grammar that uses the persona and the last lines. It is not a
    language model, and says so in every reply that has room for it.

    \b
    Examples:
      parley offline-model
      parley offline-model --port 0 --tokens-per-s 40
      parley offline-model --model tiny,load_s=2,slots=1 --model other,load_s=5
      parley offline-model --faults faults.yaml
    """
    from bots.offline.faults import read_plan
    from bots.offline.models import Offered
    from bots.offline.server import DEFAULT_MODEL, Limits, OfflineServer

    offered = [Offered.parse(spelled) for spelled in models or (DEFAULT_MODEL,)]
    paced = [replace(one, tokens_per_s=one.tokens_per_s or tokens_per_s) for one in offered]
    with OfflineServer(
        host=host,
        port=port,
        models=paced,
        limits=Limits(most_loaded=most_loaded, most_pending=most_pending),
        faults=read_plan(faults) if faults else None,
    ) as server:
        click.echo(f"parley-offline (not a language model) at {server.url}")
        click.echo("stop it with Ctrl-C", err=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.default_int_handler)
        try:
            signal.pause()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
