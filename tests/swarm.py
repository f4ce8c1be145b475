"""A whole swarm in one thread: orchestrators and hosts stepped by hand over one server.

Minds that do not wait answer inside a step, so a run of scripted minds is driven to
its end without a thread, a sleep or a race.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any, Protocol

import fakeredis

from bots.outbox import Outbox
from bots.runtime import Host
from orchestrator.runtime import Orchestrator
from parley.starting import start
from utils.clock import SYSTEM_CLOCK, Clock, ManualClock, monotonic_ms
from utils.journal import Sealed, chain
from utils.seeds import Chance
from utils.settings import Settings
from utils.spec import Spec
from utils.streams import Streams

MAX_STEPS = 20_000
LONGEST_S = 60.0


class FakeStreams(Streams):
    """A connection to a server inside this process, which knows no INFO."""

    def __init__(self, server: fakeredis.FakeServer) -> None:
        client = fakeredis.FakeRedis(
            server=server, decode_responses=True, encoding_errors="surrogateescape", protocol=2
        )
        super().__init__("fake://", client=client)
        self.server = server

    def another(self, name: str = "") -> Streams:
        return FakeStreams(self.server)

    def info(self, *sections: str) -> dict[str, object]:
        return {"redis_version": "7.0.0", "run_id": "fake", "maxmemory_policy": "noeviction"}


def fake_streams(server: fakeredis.FakeServer | None = None) -> Streams:
    """Open a connection to a server inside this process."""
    return FakeStreams(server or fakeredis.FakeServer())


class Killed(BaseException):
    """A process is killed here. No `except Exception` outlives it."""


class Doom:
    """Kills whoever makes a certain write, once.

    Args:
        at: Which write, from 1, of all that are made under this doom; 0 kills nobody.
    """

    def __init__(self, at: int = 0) -> None:
        self.at, self.writes = at, 0

    def wrote(self) -> None:
        self.writes += 1
        if self.writes == self.at:
            raise Killed


class Mortal(FakeStreams):
    """A connection whose process may be killed right after any of its writes.

    Args:
        clock: Whose time the server tells; its own when there is none.
    """

    def __init__(
        self, server: fakeredis.FakeServer, doom: Doom, clock: Clock | None = None
    ) -> None:
        super().__init__(server)
        self.doom, self.clock = doom, clock

    def another(self, name: str = "") -> Streams:
        return Mortal(self.server, self.doom, self.clock)

    def time_ms(self) -> int:
        return super().time_ms() if self.clock is None else self.clock.wall_ms()

    def append(self, key: str, body: str) -> str:
        written = super().append(key, body)
        self.doom.wrote()
        return written

    def append_all(self, entries: Sequence[tuple[str, str]]) -> list[str]:
        written = super().append_all(entries)
        self.doom.wrote()
        return written

    def commit(self, run: str, sealed: Sealed, targets: Mapping[str, str]) -> None:
        super().commit(run, sealed, targets)
        self.doom.wrote()

    def retire(self, run: str) -> None:
        super().retire(run)
        self.doom.wrote()


class Process(Protocol):
    """What can be stepped by hand."""

    def step(self, *, block_ms: int = ...) -> None: ...


def rehearse(
    begin: Sequence[Callable[[], Process]],
    is_over: Callable[[], bool],
    *,
    bury: Callable[[Process], None] = lambda dead: None,
    pass_time: Callable[[], None] = lambda: None,
) -> None:
    """Step processes in turn until it is over; begin again whichever is killed.

    Args:
        bury: Called with a process that was killed.
        pass_time: Called when all have stepped once.
    """
    living = [start_one() for start_one in begin]
    for _ in range(MAX_STEPS):
        if is_over():
            return
        for place, process in enumerate(living):
            try:
                process.step(block_ms=0)
            except Killed:
                bury(process)
                living[place] = begin[place]()
        pass_time()
    raise AssertionError("it never came to be")


class Swarm:
    """Processes that share a server, none of them a process.

    Args:
        connect: Opens one more connection to the server.
        lease_ms: Of leaders and hosts.
        shuffle: Draws who steps when, so that some lag behind; none lets all step in turn.
    """

    def __init__(
        self,
        connect: Callable[[], Streams],
        *,
        lease_ms: int = 5_000,
        clock: Clock = SYSTEM_CLOCK,
        shuffle: Chance | None = None,
    ) -> None:
        self.connect, self.clock, self.shuffle = connect, clock, shuffle
        self.settings = Settings(home=Path("unused"), lease_ms=lease_ms)
        self.streams = connect()
        self.orchestrators: list[Orchestrator] = []
        self.hosts: list[Host] = []
        self._named = self._steps = 0

    def orchestrator(self, **given: Any) -> Orchestrator:
        self._named += 1
        one = Orchestrator(
            self.connect(),
            clock=self.clock,
            name=f"orchestrator-{self._named}",
            lease_ms=self.settings.lease_ms,
            **given,
        )
        self.orchestrators.append(one)
        return one

    def host(self, places: int = 1, **given: Any) -> Host:
        self._named += 1
        one = Host(
            self.connect(),
            settings=self.settings,
            clock=self.clock,
            name=f"host-{self._named}",
            places=places,
            outbox=Outbox(self.connect()),
            **given,
        )
        self.hosts.append(one)
        return one

    def seed(self, spec: Spec) -> str:
        return start(self.streams, spec)

    def step(self) -> None:
        """Let everybody step once; when they are shuffled, some of them, in a drawn order."""
        processes: list[Orchestrator | Host] = [*self.orchestrators, *self.hosts]
        if self.shuffle is not None:
            self._steps += 1
            some = 1 + self.shuffle.below(len(processes), "how many", self._steps)
            processes = self.shuffle.shuffled(processes, "who", self._steps)[:some]
        for process in processes:
            process.step(block_ms=0)

    def until(self, is_so: Callable[[], bool]) -> None:
        """Step until something is so; fail after `MAX_STEPS`."""
        for _ in range(MAX_STEPS):
            if is_so():
                return
            self.step()
        raise AssertionError("it never came to be")

    def finish(self, run: str) -> list[Sealed]:
        """Step until a run is closed, and read its journal, the chain checked."""
        self.until(lambda: run not in self.streams.live_runs())
        return self.journal(run)

    def journal(self, run: str) -> list[Sealed]:
        return list(chain(self.streams.journal(run)))

    def close(self) -> None:
        for host in self.hosts:
            host.leave()
        for one in self.orchestrators:
            one.hand_over()


class Pace:
    """Steps a swarm, and lets the threads that ask minds have the processor between."""

    def __init__(self, swarm: Swarm) -> None:
        self._swarm, self._pause = swarm, Event()

    def finish(self, run: str) -> list[Sealed]:
        end_ms = monotonic_ms() + LONGEST_S * 1000
        while run in self._swarm.streams.live_runs():
            assert monotonic_ms() < end_ms, "the run never ended"
            self._swarm.step()
            self._pause.wait(0.001)
        return self._swarm.journal(run)


@contextmanager
def fake_swarm(**given: Any) -> Iterator[Swarm]:
    """Hold a swarm over a server inside this process."""
    server = fakeredis.FakeServer()
    swarm = Swarm(lambda: fake_streams(server), **given)
    try:
        yield swarm
    finally:
        swarm.close()


@contextmanager
def timeless_swarm() -> Iterator[tuple[Swarm, ManualClock]]:
    """Hold a swarm in which no time passes but what a test lets pass."""
    server, clock = fakeredis.FakeServer(), ManualClock(wall_ms=fake_streams().time_ms())
    swarm = Swarm(lambda: Mortal(server, Doom(), clock), lease_ms=30_000, clock=clock)
    try:
        yield swarm, clock
    finally:
        swarm.close()


def happened(journal: Iterable[Sealed], *kinds: str) -> list[Any]:
    """List a journal's events of some kinds, in order."""
    return [event for sealed in journal for event in sealed.commit.events if event.kind in kinds]


def transcript(journal: Iterable[Sealed]) -> list[tuple[str, int, str | None, str]]:
    """List what was heard: channel, turn, speaker, text."""
    return [
        (event.channel, event.turn, event.speaker, event.text)
        for event in happened(journal, "heard")
    ]
