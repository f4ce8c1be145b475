"""`parley orchestrator`: the process that leads runs."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from parley import opening
from parley.options import pulse_file


@click.command(short_help="Lead runs: grant turns, keep the journal.")
@click.option("--run", "run_id", metavar="RUN", help="Lead this run alone.")
@click.option("--until-closed", is_flag=True, help="With --run: leave once it is closed.")
@click.option("--quiet", is_flag=True, help="Say only what is wrong.")
@pulse_file
def command(run_id: str | None, until_closed: bool, quiet: bool, pulse: Path | None) -> None:
    """Lead runs: grant turns, keep the journal.

    Leads every live run that nobody else leads. Start two on two machines: one stands
    by for the other. Ctrl-C or SIGTERM hands over at once.

    \b
    Examples:
      parley orchestrator
      parley orchestrator --run tea-20261121-7f3a --until-closed
    """
    from orchestrator.runtime import Orchestrator
    from utils.clock import SystemClock, fresh_id
    from utils.errors import BadInput
    from utils.logs import to_stderr
    from utils.names import check_name

    if until_closed and run_id is None:
        raise BadInput("--until-closed needs --run")
    to_stderr(quiet=quiet)
    only = check_name(run_id, "run", "--run") if run_id else None
    here = opening.settings()
    name = f"orchestrator-{fresh_id(8)}"
    with opening.streams(here, name=name) as streams:
        process = Orchestrator(
            streams,
            clock=SystemClock(),
            name=name,
            lease_ms=here.lease_ms,
            only=only,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: process.stop())
        is_abandoned = opening.abandoned(until_closed)
        mark = opening.pulse(pulse, lambda: process.is_connected)
        process.run(until_closed=until_closed, is_abandoned=lambda: mark() or is_abandoned())
