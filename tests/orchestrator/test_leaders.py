"""Leaders that die, hang, are paused, or are two, with real processes."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.findings import found, record_of
from tests.processes import LEASE_MS, closings, epochs, processes
from tests.scenes import spec_of
from tests.swarm import fake_swarm, happened, transcript
from utils import keys
from utils.clock import wait_until
from utils.spec import FloorSpec, Spec


def a_long_talk(turns: int = 400) -> Spec:
    return spec_of(bots=("ada", "bo"), turns=turns, floor=FloorSpec(allow_s=10))


def test_a_standby_goes_on_when_the_leader_is_killed_and_nothing_is_said_twice(
    tmp_path: Path,
) -> None:
    with processes(tmp_path, fsync="always") as swarm:
        first = swarm.start("orchestrator")
        swarm.start("bots", "--seats-per-process", "2")
        run = swarm.seed(a_long_talk())
        swarm.wait(run, turns=20)
        swarm.start("orchestrator")
        swarm.kill(first)
        assert swarm.turns(run) < 400
        journal = swarm.finish(run)
    spoken = [turn for _, turn, speaker, _ in transcript(journal) if speaker]
    assert spoken == list(range(1, 401))
    assert closings(journal) == dict.fromkeys(epochs(journal), 1)


def test_a_standby_leads_within_a_lease_and_a_second_of_the_leaders_death(tmp_path: Path) -> None:
    with processes(tmp_path) as swarm:
        leading = swarm.arrive("orchestrator")
        swarm.start("bots", "--seats-per-process", "2")
        run = swarm.seed(a_long_talk(turns=100_000))
        swarm.wait(run, turns=20)
        standing_by = swarm.arrive("orchestrator")
        assert swarm.leader(run) == leading
        killed_ms = swarm.streams.time_ms()
        swarm.kill(swarm.names[leading])
        assert wait_until(lambda: swarm.leader(run) == standing_by, within_ms=10_000, every_ms=5)
        took_ms = swarm.streams.time_ms() - killed_ms
        swarm.wait(run, turns=swarm.turns(run) + 20)
    assert took_ms <= LEASE_MS + 1_000


def test_a_leader_whose_loop_hangs_loses_its_lease_for_nothing_renews_it_meanwhile() -> None:
    with fake_swarm(lease_ms=300) as swarm:
        hung, other = swarm.orchestrator(), swarm.orchestrator()
        host = swarm.host(3)
        run = swarm.seed(spec_of(turns=60))
        swarm.until(lambda: run in hung.led and hung.led[run].state.turns >= 10)
        left_ms: list[int] = []

        def is_taken_over() -> bool:
            other.step(block_ms=1)
            host.step(block_ms=1)
            if swarm.streams.lease_owners([keys.leader(run)]) == [hung.name]:
                left_ms.append(swarm.streams._redis.pttl(keys.leader(run)))
            return run in other.led

        assert wait_until(is_taken_over, within_ms=10_000, every_ms=1)
        assert left_ms == sorted(left_ms, reverse=True)
        assert hung.led[run].state.turns < 60  # it believes that it leads still
        hung.step(block_ms=1)
        assert run not in hung.led
        swarm.finish(run)
        assert found(record_of(swarm.streams, run), turns=60) == []


def test_a_paused_leader_that_wakes_after_another_took_over_writes_nothing(
    tmp_path: Path,
) -> None:
    with processes(tmp_path) as swarm:
        paused = swarm.start("orchestrator")
        swarm.start("bots", "--seats-per-process", "2")
        run = swarm.seed(a_long_talk(turns=3_000))
        swarm.wait(run, turns=20)
        old = swarm.leader(run)
        paused.process.send_signal(signal.SIGSTOP)
        swarm.start("orchestrator")
        assert wait_until(lambda: swarm.leader(run) not in (None, old), within_ms=10_000)
        taken_at = swarm.turns(run)
        swarm.wait(run, turns=taken_at + 20)
        paused.process.send_signal(signal.SIGCONT)
        journal = swarm.finish(run)
        log = paused.log.read_text()
    spoken = [turn for _, turn, speaker, _ in transcript(journal) if speaker]
    assert spoken == list(range(1, 3_001))
    assert closings(journal) == dict.fromkeys(epochs(journal), 1)
    assert "another leads it now" in log or "another leader wrote" in log


def test_two_leaders_by_accident_harm_nothing() -> None:
    with fake_swarm() as swarm:
        one, two = swarm.orchestrator(), swarm.orchestrator()
        swarm.host(3)
        run = swarm.seed(spec_of(turns=60))
        swarm.until(lambda: run in one.led or run in two.led)
        for _ in range(40):
            # The lease is lost sight of at every other step: both think they lead.
            swarm.streams.drop([keys.leader(run)])
            for each in (one, two):
                if run not in each.led and run in swarm.streams.live_runs():
                    each._try_to_lead(run)
                    swarm.streams.drop([keys.leader(run)])
            swarm.step()
        journal = swarm.finish(run)
    spoken = [turn for _, turn, speaker, _ in transcript(journal) if speaker]
    assert spoken == list(range(1, 61))
    assert closings(journal) == dict.fromkeys(epochs(journal), 1)
    assert len({event.message_id for event in happened(journal, "heard")}) == 61
