"""One whole run on this machine: server, orchestrator, hosts, screen, dataset."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from analytics.folder import check_name_fits
from bots.around import Around
from orchestrator.launch import Launcher, ProcessDied
from parley import opening, starting, telling
from parley.resolve import OFFLINE_MODEL
from utils.clock import SYSTEM_CLOCK, fresh_id
from utils.errors import BadInput, ParleyError
from utils.protocol import Stop
from utils.settings import Settings
from utils.spec import Spec
from utils.streams import Streams

if TYPE_CHECKING:
    from analytics.export import Exported

MOST_PROCESSES = 8
"""Hosts that a run starts by itself: more bots than that share them."""

ALWAYS_TOLD = ("messages", "turns", "incidents")
"""Tables whose rows are counted at the end though they have none."""

OFFLINE_SLOTS = 64
"""Calls that a run's own offline model is sent at a time: it answers any number."""

DEMO_TOKENS_PER_S = 150.0
"""Pace of the offline model where a person watches: about that of a small real one."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a run is to be carried out.

    Attributes:
        out: The dataset folder; none for `datasets/<run id>`.
        offline: Answer with the offline model.
        seats: Seats a host; none for one each while there are few bots.
        tokens_per_s: Pace of the offline model; none for as fast as it goes.
    """

    out: Path | None = None
    offline: bool = False
    seats: int | None = None
    plain: bool = False
    as_json: bool = False
    tokens_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """What runs need on this machine: a server, and where models answer."""

    here: Settings
    streams: Streams


@dataclass(frozen=True, slots=True)
class Performed:
    """A run that is over.

    Attributes:
        interrupted: Whether the user ended it.
        died: What went wrong with its processes, if anything did.
    """

    run: str
    exported: Exported
    interrupted: bool
    died: ParleyError | None


@contextmanager
def stage(wishes: Wishes) -> Iterator[Stage]:
    """Hold a stage for as long as the block runs. Raises `Missing`."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # in order, as after Ctrl-C
    here = opening.settings()
    with ExitStack() as stack:
        if wishes.offline:
            here = stack.enter_context(_offline(here, wishes))
        streams = stack.enter_context(opening.records(here, name="parley-run"))
        starting.check_server(streams)
        yield Stage(here, streams)


def preflight(on: Stage, spec: Spec) -> list[str]:
    """Ask every model of a scenario whether it is there. Raises `Missing`."""
    return starting.preflight(spec, Around.of(on.here, redis_url=on.streams.url))


def perform(on: Stage, spec: Spec, run: str, wishes: Wishes) -> Performed:
    """Have a run that is registered led and served to its end, show it, and export it."""
    with ExitStack() as stack:
        logs = Path(stack.enter_context(TemporaryDirectory(prefix="parley-logs-")))
        launcher = Launcher(env=_environment(on.here, on.streams), logs=logs)
        stack.callback(launcher.stop)
        launch(launcher, spec, run, seats=wishes.seats)
        died: ParleyError | None = None
        try:
            interrupted = _follow(on.streams, run, launcher, wishes)
        except ProcessDied as error:
            interrupted, died = False, error
            _end(on.streams, run, why="a process of it died")
        return Performed(run, _export(on.streams, run, wishes), interrupted, died)


def whole_run(spec: Spec, wishes: Wishes) -> None:
    """Run a scenario to its end, show it, and export its dataset.

    Ctrl-C ends the run in order: its record is closed and its dataset written, and
    the exit code is 130.

    Raises:
        ParleyError: Something was missing, or the run found something wrong.
    """
    check_out(wishes.out or Path("datasets"), may_exist=wishes.out is None)
    with stage(wishes) as on:
        models = preflight(on, spec)
        run = starting.start(on.streams, starting.stamped(spec, on.streams), reserved=True)
        if not wishes.as_json:
            _say_what_runs(spec, run, models)
        performed = perform(on, spec, run, wishes)
        _say_what_came(performed.exported, run, wishes, interrupted=performed.interrupted)
    check_performed(performed)


def check_performed(performed: Performed) -> None:
    """Leave with what the run came to, unless all was well.

    Raises:
        ParleyError: One of its processes died, or nothing was said.
        Exit: The user ended it.
    """
    if performed.died is not None:
        raise performed.died
    if performed.interrupted:
        raise click.exceptions.Exit(130)
    if not performed.exported.rows.get("messages"):
        raise ParleyError("nothing was said in the whole run; see tables/incidents.csv")


def check_out(out: Path, *, may_exist: bool) -> None:
    """Refuse, before anything runs, a folder that could not be written after it."""
    check_name_fits(out)
    if os.path.lexists(out) and not may_exist:
        raise BadInput("there is something already", where=str(out), mend="name another")
    there = out.absolute()
    while not os.path.lexists(there):  # of a path that is too long, Path.exists would raise
        there = there.parent
    try:
        TemporaryDirectory(prefix=".parley-", dir=there).cleanup()
    except OSError as error:
        why = f"cannot be written: {there}: {error.strerror}"
        raise BadInput(why, where="--out", mend="name another") from error


def launch(launcher: Launcher, spec: Spec, run: str, *, seats: int | None) -> None:
    """Start one orchestrator, and hosts enough for all bots."""
    bots = len(spec.bots)
    places = seats or (1 if bots <= MOST_PROCESSES else -(-bots // MOST_PROCESSES))
    one_run = ["--run", run, "--until-closed"]
    launcher.start("orchestrator", ["orchestrator", *one_run])
    for number in range(-(-bots // places)):
        launcher.start(f"host-{number + 1}", ["bots", *one_run, "--seats-per-process", str(places)])


@contextmanager
def _offline(here: Settings, wishes: Wishes) -> Iterator[Settings]:
    """Serve the offline model for as long as the block runs."""
    from bots.offline.server import OfflineServer

    with OfflineServer(models=(OFFLINE_MODEL,), tokens_per_s=wishes.tokens_per_s) as server:
        changes = {"ollama_host": server.url, "ollama_hosts": (), "slots": OFFLINE_SLOTS}
        yield here.model_copy(update=changes)


def _environment(here: Settings, streams: Streams) -> Mapping[str, str]:
    """Tell the processes where things are, in the words `Settings` reads."""
    return {
        "REDIS_URL": streams.url,
        "OLLAMA_HOST": here.ollama_host,
        "OLLAMA_HOSTS": ",".join(here.ollama_hosts),
        "PARLEY_SLOTS": str(here.slots),
        "PARLEY_HOME": str(here.home),
        "PARLEY_LEASE_MS": str(here.lease_ms),
    }


def _follow(streams: Streams, run: str, launcher: Launcher, wishes: Wishes) -> bool:
    """Show the run until its record is closed; whether the user ended it."""
    from rich.console import Console

    from analytics.observer.terminal import show_run

    try:
        console = Console(quiet=wishes.as_json)
        show_run(
            streams,
            run,
            console=console,
            plain=wishes.plain or not console.is_terminal,
            stop=lambda: False,
            on_idle=lambda: launcher.check(finished_is_fine=True),
        )
    except (KeyboardInterrupt, BrokenPipeError) as why:
        if isinstance(why, BrokenPipeError):  # nobody reads on, as after `| head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        click.echo("interrupted: ending the run and writing what there is", err=True)
        _end(streams, run, why="interrupted")
        return True
    return False


def _end(streams: Streams, run: str, *, why: str) -> None:
    """Ask for the run's end, and wait a while for its record to be closed."""
    asked = Stop(author=f"person-{fresh_id(8)}", nonce=fresh_id(), why=why)
    telling.send(streams, run, asked)
    if not starting.wait_for_close(streams, run, within_ms=15_000, clock=SYSTEM_CLOCK):
        mend = f"parley orchestrator --run {run} --until-closed"
        click.echo(f"run {run} is not closed yet; close it: {mend}", err=True)


def _export(streams: Streams, run: str, wishes: Wishes) -> Exported:
    from analytics.export import export_run

    return export_run(streams, run, wishes.out or Path("datasets") / run)


def _say_what_runs(spec: Spec, run: str, models: list[str]) -> None:
    click.echo(f"run {run}: {spec.about or spec.scenario}")
    for line in models:
        click.echo(f"model {line}")
    asked = [model for model in spec.models.values() if model.mind == "ollama"]
    if any(model.model == OFFLINE_MODEL for model in asked):
        click.echo("parley-offline is a phrase grammar with Ollama's API, not a language model")


def _say_what_came(exported: Exported, run: str, wishes: Wishes, *, interrupted: bool) -> None:
    if wishes.as_json:
        line = {
            "run": run,
            "dataset": str(exported.folder),
            "rows": exported.rows,
            "phase": exported.phase,
            "interrupted": interrupted,
        }
        click.echo(json.dumps(line))
        return
    told = [(one, count) for one, count in exported.rows.items() if count or one in ALWAYS_TOLD]
    rows = [f"{count} {_called(one, count)}" for one, count in told if one != "runs"]
    click.echo(", ".join(rows))
    click.echo(f"dataset: {exported.folder}")


def _called(table: str, count: int) -> str:
    """Name so many rows of a table.

    Example:
        >>> _called("world_events", 1), _called("messages", 25)
        ('world event', 'messages')
    """
    return (table.removesuffix("s") if count == 1 else table).replace("_", " ")
