"""`parley offline-model`: Ollama's API with no model behind it."""

from __future__ import annotations

import signal

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
    "--tokens-per-s",
    type=click.FloatRange(min=0, min_open=True),
    help="Pace of the answers.  [default: as fast as it goes]",
)
def command(host: str, port: int, tokens_per_s: float | None) -> None:
    """Serve Ollama's API with no model behind it.

    A seeded phrase grammar that uses the persona and the last lines. It is not a
    language model, and says so in every reply that has room for it.

    \b
    Examples:
      parley offline-model
      parley offline-model --port 0 --tokens-per-s 40
    """
    from bots.offline.server import OfflineServer

    with OfflineServer(host=host, port=port, tokens_per_s=tokens_per_s) as server:
        click.echo(f"parley-offline (not a language model) at {server.url}")
        click.echo("stop it with Ctrl-C", err=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.default_int_handler)
        try:
            signal.pause()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
