"""`parley record`: every run's record on disk, and the server trimmed behind it."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from parley import opening
from parley.options import pulse_file


@click.command(short_help="Record runs to disk; keep the server small.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The folder, one in it for each run.  [default: PARLEY_RECORDINGS]",
)
@click.option(
    "--keep",
    metavar="N",
    type=click.IntRange(100, 100_000_000),
    help="Entries of each stream that stay at the server.  [default: PARLEY_KEEP, or 10000]",
)
@click.option("--no-trim", is_flag=True, help="Leave all of them there.")
@click.option("--until-idle", is_flag=True, help="Leave once everything there is is recorded.")
@click.option("--quiet", is_flag=True, help="Say only what is wrong.")
@pulse_file
def command(
    out: Path | None,
    keep: int | None,
    no_trim: bool,
    until_idle: bool,
    quiet: bool,
    pulse: Path | None,
) -> None:
    """Record runs to disk; keep the server small.

    Follows every run there is: scenario, journal and calls, as JSON Lines in compressed
    segments. What is on the disk, and what no leader and no bot needs at the server any
    more, is taken from there: of each stream, the last N entries stay. Killed at any point
    and started again, it goes on where its files end. docs/recording.md has all of it.

    \b
    Examples:
      parley record
      parley record --out recordings --keep 1000
      parley record --out copy --no-trim --until-idle
    """
    from analytics.recorder.process import Recorder, claimed
    from analytics.recorder.trim import Trimmer
    from utils.clock import SystemClock
    from utils.logs import to_stderr

    to_stderr(quiet=quiet)
    here = opening.settings()
    folder = out or here.recordings_folder
    with claimed(folder), opening.streams(here, name="parley-record") as streams:
        trim = None if no_trim else Trimmer(keep=keep or here.keep)
        process = Recorder(streams, folder, clock=SystemClock(), trim=trim)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: process.stop())
        mark = opening.pulse(pulse, lambda: process.is_connected)
        process.run(until_idle=until_idle, is_abandoned=mark)
