"""`parley bots`: the process that serves bots."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import click

from parley import opening
from parley.options import many as many_hosts
from parley.options import pulse_file


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
@pulse_file
@many_hosts
def command(
    places: int,
    run_id: str | None,
    until_closed: bool,
    quiet: bool,
    pulse: Path | None,
    many: dict[str, Any],
) -> None:
    """Serve bots: take seats, answer grants.

    Takes free seats of live runs, asks each bot's mind, and lets the seats go on
    SIGTERM or Ctrl-C. Models are asked at OLLAMA_HOST, or at the
    servers in OLLAMA_HOSTS, unless the scenario says where.

    With --docker or --processes, starts that many hosts instead, and stops exactly those
    when it ends. Should one of them die, its last lines are shown and all are stopped.

    \b
    Examples:
      parley bots
      parley bots --seats-per-process 10
      OLLAMA_HOST=http://127.0.0.1:11434 parley bots --seats-per-process 3
      parley bots --docker 4 --memory 128m --cpus 0.5
    """
    from utils.errors import BadInput
    from utils.logs import to_stderr
    from utils.names import check_name

    if until_closed and run_id is None:
        raise BadInput("--until-closed needs --run")
    to_stderr(quiet=quiet)
    only = check_name(run_id, "run", "--run") if run_id else None
    if many["docker"] or many["processes"]:
        from parley.hosts import Many, serve_many

        arguments = ["--seats-per-process", str(places), *(["--run", only] if only else [])]
        flags = {"--until-closed": until_closed, "--quiet": quiet}
        arguments += [flag for flag, is_given in flags.items() if is_given]
        serve_many(Many(**many), arguments, until_closed=until_closed)
        return
    serve(places, only=only, until_closed=until_closed, pulse=pulse)


def serve(places: int, *, only: str | None, until_closed: bool, pulse: Path | None) -> None:
    """Be a host until told to stop, or until the one run is closed."""
    from bots.runtime import Host
    from utils.clock import SystemClock, fresh_id

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
        is_abandoned = opening.abandoned(until_closed)
        mark = opening.pulse(pulse, lambda: process.is_connected)
        process.run(until_closed=until_closed, is_abandoned=lambda: mark() or is_abandoned())
