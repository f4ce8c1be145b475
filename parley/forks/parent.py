"""What is forked, and where: a dataset or a run on the server, up to one of its commits."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from parley.forks.point import ForkPoint, Reading
from utils import keys
from utils.callfile import RecordedCall, read_call
from utils.dataset import Dataset
from utils.errors import BadInput
from utils.journal import Sealed, chain
from utils.lineage import check_era, eras_of
from utils.names import NAME_RULE, check_name, nearest, shown
from utils.streams import Streams

_AT = re.compile(
    r"(?P<seq>[0-9]{1,15})|turn:((?P<channel>[a-z0-9][a-z0-9_-]*):)?(?P<turn>[0-9]{1,15})"
)


class Parent(Protocol):
    """A run's records, read as often as they are asked for."""

    @property
    def run(self) -> str:
        """The run's id."""

    @property
    def spec_text(self) -> str:
        """The resolved scenario, exactly as stored."""

    def commits(self) -> Iterator[Sealed]:
        """Read the journal from commit 1."""

    def calls(self) -> Iterator[RecordedCall]:
        """Read the calls, in the order in which they were recorded."""


@dataclass(frozen=True, slots=True)
class RunOnServer:
    """A run's records where it was made."""

    streams: Streams
    run: str
    spec_text: str

    def commits(self) -> Iterator[Sealed]:
        """Read the journal from commit 1."""
        return self.streams.journal(self.run)

    def calls(self) -> Iterator[RecordedCall]:
        """Read the calls, in the order in which they were recorded."""
        for entry in self.streams.all(keys.calls(self.run)):
            yield read_call(entry.id, entry.body)


@dataclass(frozen=True, slots=True)
class At:
    """Where to fork: a commit, or the one in which a turn closed.

    `turn` counts turns of `channel`, or of the run where none is named.
    """

    text: str
    seq: int | None = None
    turn: int | None = None
    channel: str | None = None

    @classmethod
    def read(cls, text: str) -> At:
        """Read what stands after `--at`.

        Raises:
            BadInput: It says no such place.
        """
        found = _AT.fullmatch(text)
        if found is None:
            mend = "name a commit (40), or a turn (turn:12, turn:main:12)"
            raise BadInput(f"{shown(text)} is no place in a run", where="--at", mend=mend)
        number = int(found["seq"] or found["turn"])
        if number < 1:
            mend = "nothing is there to fork before the first; name 1 or later"
            raise BadInput(f"{shown(text)} is before the run began", where="--at", mend=mend)
        if found["seq"]:
            return cls(text, seq=number)
        return cls(text, turn=number, channel=found["channel"])


def open_parent(named: str, streams: Streams) -> Parent:
    """Find what is to be forked: a folder, else a run on the server.

    Raises:
        BadInput: It is neither, or a dataset without its texts.
    """
    folder = Path(named)
    if "/" in named or os.path.lexists(folder):
        dataset = Dataset.open(folder)
        if not dataset.has_texts:
            mend = "fork the whole dataset, where it is kept"
            raise BadInput("its texts were withheld", where=named, mend=mend)
        return dataset
    spec = streams.spec(check_name(named, "run", "DIR-or-RUN"))
    if spec is None:
        known = (str(run) for run in streams.live_runs())
        close = nearest(named, known)
        meant = f"did you mean {shown(close)}? " if close else ""
        mend = f"{meant}parley runs lists what there is; a folder has a / in it"
        raise BadInput(f"there is no folder and no run {shown(named)}", mend=mend)
    return RunOnServer(streams, named, spec)


def find_point(parent: Parent, at: At) -> ForkPoint:
    """Read a parent up to where it is to be forked.

    Raises:
        BadInput: It has no such place, or nothing can go on from there.
        BadEntry: Its journal is not what it should be.
    """
    eras = eras_of(parent.run, parent.spec_text)
    reading = Reading(eras)
    for sealed in chain(parent.commits()):
        check_era(eras, sealed)
        reading.take(sealed)
        if reading.is_over:
            break
        if _is_there(reading, at):
            return reading.point(sealed)
    raise BadInput(_past(reading, at), where="--at", mend=_mend(reading))


def _is_there(reading: Reading, at: At) -> bool:
    if at.seq is not None:
        return reading.seq == at.seq
    closed = reading.closed.get(at.channel, 0) if at.channel else reading.turns
    return at.turn is not None and closed >= at.turn


def _past(reading: Reading, at: At) -> str:
    if at.channel and at.channel not in reading.seen:
        known = ", ".join(sorted(reading.seen)[:8]) or "none"
        return f"the run has no channel {shown(at.channel)}; it has {known}"
    if reading.is_over:
        return f"{shown(at.text)} is past the end: the run ends with commit {reading.seq}"
    return f"{shown(at.text)} is past the end: the journal has {reading.seq} commits"


def _mend(reading: Reading) -> str:
    last = reading.seq - 1 if reading.is_over else reading.seq
    return f"the last place to fork it is commit {last}" if last else f"use {NAME_RULE}"
