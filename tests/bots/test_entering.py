"""A host that comes to a long talk is not thought lost while it reads what was said."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from bots.outbox import Outbox
from bots.runtime import Host
from tests.scenes import spec_of
from tests.swarm import FakeStreams, timeless_swarm
from utils.clock import ManualClock
from utils.settings import Settings
from utils.streams import Entry

LEASE_MS = 300
TURNS = 450
ENTRY_MS = 1


class Slow(FakeStreams):
    """A connection over which each entry of a channel takes time to come in."""

    clock: ManualClock
    announced_ms: list[int]

    def all(self, key: str, *, upto: str = "+", page: int = 1000) -> Iterator[Entry]:
        for entry in super().all(key, upto=upto, page=page):
            if ":channel:" in key:
                self.clock.advance(ENTRY_MS)
            yield entry

    def announce(self, host: str, *, until_ms: int) -> None:
        self.announced_ms.append(self.clock.now_ms())
        super().announce(host, until_ms=until_ms)


def test_a_host_says_that_it_is_there_while_it_reads_a_long_talk() -> None:
    with timeless_swarm() as (swarm, clock):
        leader = swarm.orchestrator()
        first = swarm.host(3)
        run = swarm.seed(spec_of(turns=TURNS + 20))
        swarm.until(lambda: run in leader.led and leader.led[run].state.turns >= TURNS)
        first.leave()
        swarm.hosts.clear()
        streams = Slow(swarm.streams.server)  # type: ignore[attr-defined]
        streams.clock, streams.announced_ms = clock, []
        host = Host(
            streams,
            settings=Settings(home=Path("unused"), lease_ms=LEASE_MS),
            clock=clock,
            name="late",
            places=3,
            outbox=Outbox(swarm.connect()),
        )
        swarm.hosts.append(host)
        began_ms = clock.now_ms()
        swarm.finish(run)
        said_ms = streams.announced_ms
    assert clock.now_ms() - began_ms > 3 * TURNS * ENTRY_MS, "it read everything for each seat"
    assert max(after - before for before, after in pairwise(said_ms)) < LEASE_MS
