"""Many bot hosts at once, as processes here or as containers beside a stack."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import click

from orchestrator.docker_launch import DockerLauncher, Limits, connect, find_stack
from orchestrator.launch import Launcher, ProcessDied
from parley import opening
from utils.clock import SYSTEM_CLOCK
from utils.errors import BadInput
from utils.names import counted

LOOK_S = 0.5


class Running(Protocol):
    """What was started, in either form."""

    @property
    def name(self) -> str: ...

    def has_ended(self) -> bool: ...

    def last_lines(self) -> list[str]: ...


class Launching(Protocol):
    """A launcher, in either form."""

    @property
    def running(self) -> Sequence[Running]: ...

    def start(self, name: str, arguments: Sequence[str]) -> Running: ...

    def check(self, *, finished_is_fine: bool = False) -> None: ...

    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Many:
    """How many hosts are asked for, and in which form.

    Attributes:
        docker: So many containers; none for no containers.
        processes: So many processes; none for this one.
        stack: The compose project to join; none for the only one that is up.
        memory, cpus, pids: What a container may use.
    """

    docker: int | None
    processes: int | None
    stack: str | None
    memory: str
    cpus: float
    pids: int

    @property
    def count(self) -> int:
        """How many hosts are to be started beside this process."""
        return self.docker or self.processes or 0


def serve_many(many: Many, arguments: Sequence[str], *, until_closed: bool) -> None:
    """Start hosts, watch them, and stop exactly those when told to, or when one dies.

    Args:
        many: How many, and in which form.
        arguments: What follows `parley bots` for each.
        until_closed: The hosts leave by themselves, and so does this.

    Raises:
        ProcessDied: A host died; its last lines are on stderr, the others are stopped.
        Missing: There is no engine, no stack, or no image.
    """
    if many.docker and many.processes:
        raise BadInput("give either --docker or --processes")
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)  # in order, as after Ctrl-C
    with ExitStack() as stack:
        launcher = _launcher(many, stack)
        stack.callback(launcher.stop)
        where = "as containers" if many.docker else "as processes"
        with suppress(KeyboardInterrupt):
            for number in range(1, many.count + 1):
                launcher.start(f"host-{number}", ["bots", *arguments])
            click.echo(f"{counted(many.count, 'bot host')} {where}; Ctrl-C stops them", err=True)
            _watch(launcher, until_closed=until_closed)


def _launcher(many: Many, stack: ExitStack) -> Launching:
    if many.docker:
        engine = connect()
        stack.callback(engine.close)
        limits = Limits(memory=many.memory, cpus=many.cpus, pids=many.pids)
        return DockerLauncher(engine, find_stack(engine, many.stack), limits=limits)
    here = opening.settings()
    url = stack.enter_context(opening.server(here))
    logs = Path(stack.enter_context(TemporaryDirectory(prefix="parley-logs-")))
    # The URL has the password by now: the processes need no file of it.
    return Launcher(env={"REDIS_URL": url, "REDIS_PASSWORD_FILE": ""}, logs=logs)


def _watch(launcher: Launching, *, until_closed: bool) -> None:
    while not (until_closed and all(one.has_ended() for one in launcher.running)):
        try:
            launcher.check(finished_is_fine=until_closed)
        except ProcessDied:
            _show_logs(launcher)
            raise
        SYSTEM_CLOCK.sleep_s(LOOK_S)


def _show_logs(launcher: Launching) -> None:
    """Show what those that ended said last."""
    for one in launcher.running:
        for line in one.last_lines() if one.has_ended() else ():
            click.echo(f"{one.name}: {line}", err=True)
