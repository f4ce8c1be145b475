"""Every process is killed at every tenth turn, and the words are those of the undisturbed run.

The bots answer from the undisturbed run's dataset: a prompt that is not word for word the
one of then is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from analytics.export import export_run
from tests.chaos.beside import trimmed
from tests.chaos.promises import Words, broken, words_of
from tests.chaos.scene import LEASE_MS, RUN, scene_of
from tests.chaos.scheduler import Process
from tests.chaos.simulation import Parts, Play, Played, play
from tests.chaos.wire import SimulatedStreams
from tests.scenes import spec_of
from tests.swarm import fake_swarm
from utils import keys
from utils.journal import Sealed
from utils.spec import ChannelSpec, FloorSpec, ModelSpec, Spec

TURNS, EVERY = 200, 10
TRIMMED_AT = 40
"""Of some 250 commits: the first snapshot is written two intervals late."""
BOTS = ("ada", "bo", "cy", "dot")
POLICIES = ("round_robin", "random", "addressed", "simultaneous")


def talk(policy: str, seed: int, turns: int) -> Spec:
    main = ChannelSpec(name="main", members=BOTS, policy=policy, opening="Well?", turns=turns)
    floor = FloorSpec(allow_s=600, gather_s=600)
    return spec_of(BOTS, channels=[main], turns=None, floor=floor, seed=seed)


def said_before(spec: Spec, folder: Path) -> tuple[Spec, Words]:
    """Play a talk in peace and export it: the same talk from its record, and its words."""
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(len(BOTS))
        run = swarm.seed(spec)
        words = words_of(swarm.finish(run))
        export_run(swarm.streams, run, folder)
    model = ModelSpec(mind="recorded", record=str(folder))
    return spec.model_copy(update={"models": {"m": model}}), words


class Killer:
    """Kills every process, the server too, some moment after every tenth turn."""

    def __init__(self) -> None:
        self.turns = self.kills = 0

    def __call__(self, on: Play, process: Process) -> None:
        journal, seen = keys.journal(RUN), 0
        while True:
            stream = on.network.server.stream(journal)
            for fields in stream.after((seen, 0), 1_000) if stream else ():
                self.turns += str(fields).count('"kind":"turn_closed"')
            seen = stream.last[0] if stream else 0
            if self.turns // EVERY > self.kills:
                self.kills += 1
                on.scheduler.wait(on.chance.randrange(60))
                self._kill_all(on, process)
            on.scheduler.wait(5)

    def _kill_all(self, on: Play, itself: Process) -> None:
        for process in on.living():
            if process is not itself:
                on.kill(process)
        on.network.kill_server()


class Resumed(NamedTuple):
    """A talk that was killed again and again, and its words when it was not."""

    played: Played
    kills: int
    words: Words

    def wrong(self) -> list[str]:
        found = broken(self.played)
        if not found and words_of(list(self.played.streams.journal(RUN))) != self.words:
            found.append("the words are not those of the run that was recorded")
        return found


def resumed(
    folder: Path,
    policy: str,
    seed: int,
    *,
    turns: int = TURNS,
    trimmed_at: int = 0,
    parts: Parts | None = None,
) -> Resumed:
    """Play a talk that is interrupted at every tenth turn."""
    killer = Killer()
    spec, words = said_before(talk(policy, seed, turns), folder / "before")
    calm = scene_of(0).weather._replace(rates={}, most=0)
    scene = scene_of(seed)._replace(
        spec=spec, is_patient=True, longest_ms=50, weather=calm, trimmed_at=trimmed_at
    )
    parts = (parts or Parts())._replace(
        also=(killer,), longest_ms=turns * LEASE_MS, is_interrupted=False
    )
    return Resumed(play(seed, scene=scene, parts=parts), killer.kills, words)


def test_a_run_killed_whole_at_every_tenth_turn_says_the_same(tmp_path: Path) -> None:
    one = resumed(tmp_path, "random", seed=1)
    assert one.wrong() == []
    assert one.kills >= TURNS // EVERY - 1
    assert len(one.words) == TURNS


def test_and_so_does_one_that_is_trimmed_meanwhile(tmp_path: Path) -> None:
    one = resumed(tmp_path, "random", seed=1, trimmed_at=TRIMMED_AT)
    assert one.wrong() == []
    assert trimmed(one.played) > TRIMMED_AT


class Heedless(SimulatedStreams):
    """Whose leader begins without what was written before it."""

    def journal(self, run: str, *, after: int = 0, page: int = 1000) -> Iterator[Sealed]:
        return iter(())


def test_a_leader_that_does_not_go_on_from_the_journal_is_found(tmp_path: Path) -> None:
    one = resumed(tmp_path, "random", seed=1, parts=Parts(streams=Heedless))
    assert one.wrong()[0].startswith("stuck")
