"""Every process is killed at every tenth turn, and the words are those of the undisturbed run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.promises import broken, words_of
from tests.chaos.scene import LEASE_MS, RUN, scene_of
from tests.chaos.scheduler import Process
from tests.chaos.simulation import Parts, Play, Played, play
from tests.chaos.wire import SimulatedStreams
from tests.scenes import spec_of
from utils import keys
from utils.journal import Sealed
from utils.spec import ChannelSpec, FloorSpec, Spec

TURNS, EVERY = 200, 10
BOTS = ("ada", "bo", "cy", "dot")


def talk(policy: str, seed: int) -> Spec:
    main = ChannelSpec(name="main", members=BOTS, policy=policy, opening="Well?", turns=TURNS)
    floor = FloorSpec(allow_s=600, gather_s=600)
    return spec_of(BOTS, channels=[main], turns=None, floor=floor, seed=seed)


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
            if process is not itself and not process.name.startswith("person"):
                on.kill(process)
        on.network.kill_server()


def resumed(policy: str, seed: int, parts: Parts | None = None) -> tuple[Played, Killer]:
    """Play 200 turns that are interrupted twenty times."""
    killer = Killer()
    calm = scene_of(0).weather._replace(rates={}, most=0)
    scene = scene_of(seed)._replace(
        spec=talk(policy, seed), is_patient=True, longest_ms=50, weather=calm
    )
    parts = (parts or Parts())._replace(also=(killer,), longest_ms=TURNS * LEASE_MS)
    return play(seed, scene=scene, parts=parts), killer


@pytest.mark.parametrize("policy", ["round_robin", "random", "addressed"])
def test_a_run_killed_whole_at_every_tenth_turn_says_the_same(policy: str) -> None:
    played, killer = resumed(policy, seed=1)
    assert broken(played) == []
    assert killer.kills >= TURNS // EVERY - 1
    assert len(words_of(list(played.streams.journal(RUN)))) == TURNS


class Heedless(SimulatedStreams):
    """Whose leader begins without what was written before it."""

    def journal(self, run: str, *, after: int = 0, page: int = 1000) -> Iterator[Sealed]:
        return iter(())


def test_a_leader_that_does_not_go_on_from_the_journal_is_found() -> None:
    played, _ = resumed("random", seed=1, parts=Parts(streams=Heedless))
    assert broken(played)[0].startswith("stuck")
