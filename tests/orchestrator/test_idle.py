"""A world that waits costs next to nothing: it is woken by deadlines, and by nobody asking.

In virtual time: a read that finds nothing lets as much time pass as it may have waited.
"""

from __future__ import annotations

from collections.abc import Mapping

import fakeredis

from tests.scenes import spec_of
from tests.swarm import FakeStreams, Process, Swarm, happened
from utils import keys
from utils.clock import ManualClock
from utils.spec import FloorSpec
from utils.streams import Entry, Streams

RUNS = 20
LEASE_MS = 6_000
LEASES = 20
ALLOW_S = 500.25


class Waiting(FakeStreams):
    """A connection whose reads wait in virtual time, by which the server's clock goes too."""

    def __init__(self, server: fakeredis.FakeServer, clock: ManualClock, began_ms: int) -> None:
        super().__init__(server)
        self.clock, self.began_ms = clock, began_ms

    def another(self, name: str = "") -> Streams:
        return Waiting(self.server, self.clock, self.began_ms)

    def time_ms(self) -> int:
        return self.began_ms + self.clock.now_ms()

    def read(
        self, after: Mapping[str, str], *, block_ms: int = 0, count: int = 1000
    ) -> list[Entry]:
        read = super().read(after, count=count)
        self.clock.advance(0 if read else block_ms)
        return read

    def read_then(
        self, after: Mapping[str, str], then: Mapping[str, str], *, block_ms: int, count: int = 1000
    ) -> tuple[list[Entry], list[Entry]]:
        read = self.read(after, block_ms=block_ms, count=count)
        return read, super().read(then, count=count)


class Idle:
    """Runs that each wait for the answer to one grant, which their host does not read."""

    def __init__(self) -> None:
        self.clock, server = ManualClock(), fakeredis.FakeServer()
        began_ms = FakeStreams(server).time_ms()
        self.swarm = Swarm(
            lambda: Waiting(server, self.clock, began_ms), lease_ms=LEASE_MS, clock=self.clock
        )
        spec = spec_of(("ada", "bo"), turns=9, floor=FloorSpec(allow_s=ALLOW_S, tries=1))
        self.runs = [self.swarm.seed(spec) for _ in range(RUNS)]
        self.orchestrator, self.host = self.swarm.orchestrator(), self.swarm.host(RUNS * 2)
        self.swarm.until(lambda: all(self.is_talking(run) for run in self.runs))
        self.orchestrator.step(block_ms=0)  # takes in what the host has said
        forever_ms = self.swarm.streams.time_ms() * 2
        self.swarm.streams.announce(self.host.name, until_ms=forever_ms)

    def is_talking(self, run: str) -> bool:
        return run in self.orchestrator.led and self.orchestrator.led[run].state.turns > 0

    def steps(self, process: Process, *, for_ms: int) -> int:
        """Count the steps in which a process lets that much time pass."""
        until_ms, steps = self.clock.now_ms() + for_ms, 0
        while self.clock.now_ms() < until_ms:
            process.step()
            steps += 1
            assert steps < 10_000, "it spins"
        return steps


def test_an_orchestrator_of_runs_that_wait_looks_up_three_times_a_lease() -> None:
    idle = Idle()
    steps = idle.steps(idle.orchestrator, for_ms=LEASES * LEASE_MS)
    assert set(idle.orchestrator.led) == set(idle.runs)
    assert steps <= 3 * LEASES + 1


def test_a_host_of_runs_that_wait_looks_up_three_times_a_lease() -> None:
    idle = Idle()
    idle.steps(idle.host, for_ms=LEASE_MS)  # reads what its last words have led to
    steps = idle.steps(idle.host, for_ms=LEASES * LEASE_MS)
    assert set(idle.host.places.companies) == set(idle.runs)
    assert steps <= 3 * LEASES + 1


def test_a_deadline_wakes_an_orchestrator_to_the_millisecond() -> None:
    idle = Idle()
    led = idle.orchestrator.led
    granted = {run: led[run].state.live()[0].event for run in idle.runs}
    # The journal's time is the server's, of which the floor told a little more than the clock.
    looks = idle.steps(idle.orchestrator, for_ms=round(ALLOW_S * 1000) + LEASE_MS)
    assert looks <= 3 * (ALLOW_S * 1000 / LEASE_MS + 1) + RUNS + 1
    for run in idle.runs:
        (sealed,) = [one for one in idle.swarm.journal(run) if happened([one], "revoked")]
        assert sealed.commit.at_ms == granted[run].deadline_ms
        assert idle.swarm.streams.lease_owners([keys.leader(run)]) == [idle.orchestrator.name]
