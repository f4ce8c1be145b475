"""Leaders that die, hang, are paused, or are two, with real processes."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.processes import Processes, closings, epochs, processes
from tests.scenes import spec_of
from tests.swarm import fake_swarm, happened, transcript
from utils import keys
from utils.clock import wait_until
from utils.spec import FloorSpec, Spec


def a_long_talk(turns: int = 400) -> Spec:
    return spec_of(bots=("ada", "bo"), turns=turns, floor=FloorSpec(allow_s=10))


def leader_of(swarm: Processes, run: str) -> str | None:
    return swarm.streams.lease_owners([keys.leader(run)])[0]


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


def test_a_paused_leader_that_wakes_after_another_took_over_writes_nothing(
    tmp_path: Path,
) -> None:
    with processes(tmp_path) as swarm:
        paused = swarm.start("orchestrator")
        swarm.start("bots", "--seats-per-process", "2")
        run = swarm.seed(a_long_talk(turns=3_000))
        swarm.wait(run, turns=20)
        old = leader_of(swarm, run)
        paused.process.send_signal(signal.SIGSTOP)
        swarm.start("orchestrator")
        assert wait_until(lambda: leader_of(swarm, run) not in (None, old), within_ms=10_000)
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
