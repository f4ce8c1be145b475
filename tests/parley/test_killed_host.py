"""What a run survives, with real processes: a host that is killed and started again."""

from __future__ import annotations

from pathlib import Path

from tests.processes import closings, epochs, processes
from tests.scenes import spec_of
from tests.swarm import transcript
from utils.spec import FloorSpec

TURNS = 200


def test_a_run_whose_only_host_is_killed_and_started_again_speaks_every_turn_once(
    tmp_path: Path,
) -> None:
    spec = spec_of(bots=("ada", "bo"), turns=TURNS, floor=FloorSpec(allow_s=10))
    with processes(tmp_path, fsync="always") as swarm:
        swarm.start("orchestrator")
        host = swarm.start("bots", "--seats-per-process", "2")
        run = swarm.seed(spec)
        swarm.wait(run, turns=20)
        swarm.kill(host)
        killed_at = swarm.turns(run)
        swarm.start("bots", "--seats-per-process", "2")
        journal = swarm.finish(run)
    assert killed_at < TURNS, "it was over before the host was killed: the test shows nothing"
    spoken = [line for line in transcript(journal) if line[2] is not None]
    assert [turn for _, turn, _, _ in spoken] == list(range(1, TURNS + 1))
    assert closings(journal) == dict.fromkeys(epochs(journal), 1)
