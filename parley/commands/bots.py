"""`parley bots`: the process that serves bots."""

from __future__ import annotations

import signal

import click

from parley import opening


@click.command(short_help="Serve bots: take seats, answer grants.")
@click.option(
    "--seats-per-process",
    "places",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="How many bots this process serves at most.",
)
@click.option("--run", "run_id", metavar="RUN", help="Serve this run alone.")
@click.option("--until-closed", is_flag=True, help="With --run: leave once it is closed.")
@click.option("--quiet", is_flag=True, help="Say only what is wrong.")
def command(places: int, run_id: str | None, until_closed: bool, quiet: bool) -> None:
    """Serve bots: take seats, answer grants.

    Takes free seats of live runs, asks each bot's mind, and lets the seats go on
    SIGTERM or Ctrl-C. Models are asked at OLLAMA_HOST, or at the
    servers in OLLAMA_HOSTS, unless the scenario says where.

    \b
    Examples:
      parley bots
      parley bots --seats-per-process 10
      OLLAMA_HOST=http://127.0.0.1:11434 parley bots --seats-per-process 3
    """
    from bots.runtime import Host
    from utils.clock import SystemClock, fresh_id
    from utils.errors import BadInput
    from utils.logs import to_stderr
    from utils.names import check_name

    if until_closed and run_id is None:
        raise BadInput("--until-closed needs --run")
    to_stderr(quiet=quiet)
    only = check_name(run_id, "run", "--run") if run_id else None
    here = opening.settings()
    name = f"host-{fresh_id(8)}"
    with opening.streams(here, name=name) as streams:
        process = Host(
            streams,
            settings=here,
            clock=SystemClock(),
            name=name,
            places=places,
            only=only,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: process.stop())
        process.run(until_closed=until_closed, is_abandoned=opening.abandoned(until_closed))
