"""Many runs and many channels at once: nobody is kept waiting, and order decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from pathlib import Path

import fakeredis

from tests.findings import Record, found, record_of
from tests.processes import Processes, processes
from tests.scenes import spec_of
from tests.swarm import FakeStreams, Swarm, fake_streams, fake_swarm, happened, transcript
from utils.journal import Sealed
from utils.seeds import Chance
from utils.spec import ChannelSpec, FloorSpec, Spec

RUNS = 30
TURNS = 40
FROM_TURN = 10
"""Fewer turns are too few to be unequal: two are twice one."""

DYADS = [(f"left-{number:02}", f"right-{number:02}") for number in range(12)]
SEEDS = (1, 2, 3, 4)


# --- thirty runs ----------------------------------------------------------------------


class Busy(FakeStreams):
    """A leader's connection: while it writes, the world goes on."""

    def __init__(self, server: fakeredis.FakeServer) -> None:
        super().__init__(server)
        self.meanwhile: Callable[[], None] = lambda: None

    def commit(self, run: str, sealed: Sealed, targets: Mapping[str, str]) -> None:
        super().commit(run, sealed, targets)
        self.meanwhile()


def unfairness(samples: Iterable[Mapping[str, int]]) -> float:
    """Tell how far the quickest run ever was ahead of the slowest, as the turns' ratio.

    Args:
        samples: Run to the turns it has closed since all runs began to talk; looked at
            from when each of them has closed `FROM_TURN`.
    """
    return max(
        max(turns.values()) / min(turns.values())
        for turns in samples
        if min(turns.values()) >= FROM_TURN
    )


def told_by(journals: Mapping[str, list[Sealed]]) -> list[dict[str, int]]:
    """Sample the turns closed by each run at every time that any of their journals names."""
    began_ms = max(at_ms for one in journals.values() for at_ms in times(one, "gathered"))
    closed = sorted(
        (at_ms, run)
        for run, journal in journals.items()
        for at_ms in times(journal, "turn_closed")
        if at_ms > began_ms
    )
    turns = Counter(dict.fromkeys(journals, 0))
    samples: dict[int, dict[str, int]] = {}
    for at_ms, run in closed:
        turns[run] += 1
        samples[at_ms] = dict(turns)
    return list(samples.values())


def times(journal: list[Sealed], kind: str) -> list[int]:
    return [sealed.commit.at_ms for sealed in journal for _ in happened([sealed], kind)]


def thirty(swarm: Swarm | Processes, turns: int) -> list[str]:
    return [swarm.seed(spec_of(("ada", "bo"), turns=turns, seed=place)) for place in range(RUNS)]


def test_thirty_runs_go_on_alike_though_hosts_answer_while_the_leader_is_writing() -> None:
    server, samples = fakeredis.FakeServer(), list[dict[str, int]]()
    leading = Busy(server)
    swarm = Swarm(lambda: fake_streams(server), lease_ms=600_000)
    runs = thirty(swarm, TURNS)
    orchestrator = swarm.orchestrator()
    orchestrator.streams = leading
    for _ in range(3):
        swarm.host(RUNS * 2 // 3)
    led = orchestrator.led
    swarm.until(lambda: [one.state.phase for one in led.values()] == ["running"] * RUNS)
    before = {run: led[run].state.turns for run in runs}

    def meanwhile() -> None:
        Chance(7).pick(swarm.hosts, "who", len(samples)).step(block_ms=0)
        turns = {run: led[run].state.turns if run in led else TURNS for run in runs}
        samples.append({run: turns[run] - before[run] for run in runs})

    leading.meanwhile = meanwhile
    while swarm.streams.live_runs():
        seen = len(samples)
        orchestrator.step(block_ms=0)
        if len(samples) == seen:
            meanwhile()
    assert unfairness(samples) <= 1.5
    assert {run: found(record_of(swarm.streams, run), turns=TURNS) for run in runs} == {
        run: [] for run in runs
    }
    swarm.close()


def test_thirty_runs_of_real_processes_go_on_alike(tmp_path: Path) -> None:
    # One host: that a busy machine lets one host run and not another is not the leader's doing.
    with processes(tmp_path) as swarm:
        runs = thirty(swarm, turns=120)
        swarm.start("orchestrator")
        swarm.start("bots", "--seats-per-process", str(RUNS * 2))
        journals = {run: swarm.finish(run) for run in runs}
    assert {len(times(journal, "turn_closed")) for journal in journals.values()} == {120}
    assert unfairness(told_by(journals)) <= 1.5


# --- twelve dyads ---------------------------------------------------------------------


def dyads(turns: int = 12) -> Spec:
    """Twelve channels of two, each with a question of its own, in one run."""
    channels = [
        ChannelSpec(
            name=f"pair-{place:02}",
            members=pair,
            policy="random",
            opening=f"What is number {place} for?",
            turns=turns,
        )
        for place, pair in enumerate(DYADS)
    ]
    bots = [bot for pair in DYADS for bot in pair]
    return spec_of(bots, channels=channels, turns=None, floor=FloorSpec(allow_s=600))


def played(shuffle: Chance | None) -> Record:
    with fake_swarm(shuffle=shuffle, lease_ms=60_000) as swarm:
        swarm.orchestrator()
        for _ in range(6):
            swarm.host(4)
        run = swarm.seed(dyads())
        swarm.finish(run)
        return record_of(swarm.streams, run)


def by_channel(record: Record) -> dict[str, list[tuple[str, int, str | None, str]]]:
    lines = transcript(record.journal)
    return {line[0]: [one for one in lines if one[0] == line[0]] for line in lines}


def order(record: Record) -> list[str]:
    """Name the channel of every word, in the order the run heard them."""
    return [line[0] for line in transcript(record.journal)]


def asked(record: Record) -> set[tuple[object, ...]]:
    """List what every mind was asked, by its place: prompt and seed."""
    return {
        (call.channel, call.turn, call.bot, call.seed, call.messages_sha256)
        for call in record.calls
    }


def test_twelve_dyads_say_the_same_whichever_host_is_slow() -> None:
    plain, *shuffled = [played(None), *(played(Chance(seed)) for seed in SEEDS)]
    assert len(by_channel(plain)) == 12
    for record in (plain, *shuffled):
        assert found(record, turns=144) == []
        assert by_channel(record) == by_channel(plain)
        assert asked(record) == asked(plain)
    for one, other in combinations((plain, *shuffled), 2):
        assert order(one) != order(other), "the hosts were all equally quick: this shows nothing"
