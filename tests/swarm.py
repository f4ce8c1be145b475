"""A whole swarm in one thread: orchestrators and hosts stepped by hand over one server.

Minds that do not wait answer inside a step, so a run of scripted minds is driven to
its end without a thread, a sleep or a race.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fakeredis

from bots.outbox import Outbox
from bots.runtime import Host
from orchestrator.runtime import Orchestrator
from parley.starting import start
from utils.clock import SYSTEM_CLOCK, Clock
from utils.journal import Sealed, chain
from utils.settings import Settings
from utils.spec import Spec
from utils.streams import Streams

MAX_STEPS = 20_000


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

    def info(self) -> dict[str, object]:
        return {"redis_version": "7.0.0", "run_id": "fake", "maxmemory_policy": "noeviction"}


def fake_streams(server: fakeredis.FakeServer | None = None) -> Streams:
    """Open a connection to a server inside this process."""
    return FakeStreams(server or fakeredis.FakeServer())


class Swarm:
    """Processes that share a server, none of them a process.

    Args:
        connect: Opens one more connection to the server.
        lease_ms: Of leaders and hosts.
    """

    def __init__(
        self, connect: Callable[[], Streams], *, lease_ms: int = 5_000, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self.connect, self.clock = connect, clock
        self.settings = Settings(home=Path("unused"), lease_ms=lease_ms)
        self.streams = connect()
        self.orchestrators: list[Orchestrator] = []
        self.hosts: list[Host] = []
        self._named = 0

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
        for orchestrator in self.orchestrators:
            orchestrator.step(block_ms=0)
        for host in self.hosts:
            host.step(block_ms=0)

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


@contextmanager
def fake_swarm(**given: Any) -> Iterator[Swarm]:
    """Hold a swarm over a server inside this process."""
    server = fakeredis.FakeServer()
    swarm = Swarm(lambda: fake_streams(server), **given)
    try:
        yield swarm
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
