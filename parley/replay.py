"""A record played again: where it is, how quick, and on what it is shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import click
from rich.console import Console

from analytics.observer.plain import JsonScreen
from analytics.observer.plan import Plan, plan_of
from analytics.observer.remote import Remote
from analytics.observer.replaying import AT_ONCE, START, Replaying, Seek
from analytics.observer.runs import check_channel, spec_of
from analytics.observer.show import Screen, show
from analytics.observer.terminal import TerminalScreen, screen_for
from analytics.observer.view import View, blank
from utils import manifest
from utils.clock import SYSTEM_CLOCK, Clock
from utils.dataset import Dataset
from utils.errors import BadInput
from utils.journal import Sealed
from utils.spec import Spec
from utils.streams import Streams

Form = Literal["drawn", "plain", "json"]


@dataclass(frozen=True, slots=True)
class Shown:
    """On what kind of screen, and how much of it."""

    form: Form = "drawn"
    channel: str | None = None
    every: bool = False

    def screen(self, plan: Plan, out: IO[str]) -> Screen:
        """Make the screen."""
        if self.form == "json":
            return JsonScreen(out, notices=sys.stderr, channel=self.channel)
        console = Console(file=out, highlight=False)
        plain = self.form == "plain"
        return screen_for(console, plan, plain=plain, channel=self.channel, every=self.every)


@dataclass(frozen=True, slots=True)
class Wished:
    """How a record is to be played, as it was typed; speed is none where nothing was."""

    speed: float | None = None
    seek: Seek = START

    @classmethod
    def parse(cls, speed: str | None, seek: str | None, *, channel: str | None) -> Wished:
        """Read `--speed` and `--seek`. Raises `BadInput`."""
        place = START if seek is None else Seek.parse(seek, channel=channel)
        return cls(None if speed is None else _speed(speed), place)

    @property
    def is_there(self) -> bool:
        """Whether anything was typed that only a record can do."""
        return self.speed is not None or self.seek != START


@dataclass(frozen=True, slots=True)
class Record:
    """A run that was: `name` is what it was called by."""

    name: str
    run: str
    spec: Spec
    commits: Callable[[], Iterator[Sealed]]


def is_folder(name: str) -> bool:
    """Tell whether something is a folder, or can be nothing else."""
    return os.sep in name or os.path.lexists(Path(name) / manifest.NAME)


def record_in(folder: str) -> Record:
    """Find the record of a dataset. Raises `BadInput`."""
    dataset = Dataset.open(Path(folder))
    return Record(folder, dataset.run, dataset.spec(), dataset.commits)


def record_of(streams: Streams, run: str) -> Record:
    """Find the record of a run that a server holds.

    Raises:
        BadInput: There is no such run, or it is not over.
    """
    spec = spec_of(streams, run)
    if run in streams.live_runs():
        raise BadInput(
            f"run {run} is not over, and cannot be played again yet",
            mend=f"watch it live: parley watch {run}",
        )
    return Record(run, run, spec, lambda: streams.journal(run))


def replay(
    record: Record,
    wished: Wished,
    shown: Shown,
    *,
    out: IO[str] | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> View:
    """Play a record on stdout to its end.

    Without a speed it is played as it was on a terminal, and at once elsewhere.

    Raises:
        BadInput: The record has no such channel, or ends before the place sought.
        BadEntry: It cannot be read.
        SystemExit: It was interrupted.
    """
    if shown.channel is not None:
        check_channel(record.commits(), record.run, record.spec, shown.channel)
    plan = plan_of(record.run, record.spec)
    screen = shown.screen(plan, out or sys.stdout)
    is_drawn = isinstance(screen, TerminalScreen)
    speed = wished.speed or (1.0 if is_drawn else AT_ONCE)
    source = Replaying(record.commits(), speed=speed, seek=wished.seek, clock=clock)
    with ExitStack() as stack:
        remote = stack.enter_context(Remote(source)) if is_drawn and sys.stdin.isatty() else None
        try:
            return show(
                source,
                blank(plan),
                screen,
                stop=lambda view: source.is_over,
                on_idle=remote.look if remote else None,
                clock=clock,
            )
        except KeyboardInterrupt:
            on = f"parley watch {record.name} --seek {source.seq + 1}"
            click.echo(f"go on with: {on}", err=True)
            raise SystemExit(130) from None


def _speed(text: str) -> float:
    try:
        speed = AT_ONCE if text == "max" else float(text)
    except ValueError:
        speed = -1.0
    if not speed >= 0:
        mend = "give a number, such as 4, or max"
        raise BadInput(f"'{text}' is no speed", where="--speed", mend=mend)
    return speed or AT_ONCE
