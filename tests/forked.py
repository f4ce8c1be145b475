"""Runs and forks of them, played to their end by swarms in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from parley.forks.branch import Plan, begin, spec_of
from parley.forks.parent import At, Parent, open_parent
from parley.library import Library
from tests.scenes import spec_of as salon_of
from tests.swarm import Swarm, fake_swarm, happened, transcript
from utils.journal import Sealed
from utils.protocol import Granted
from utils.spec import EndSpec, ModelSpec, PaceSpec, Spec, WorldSpec
from utils.streams import Streams


@dataclass(frozen=True)
class Played:
    """A run that is over, on a server of its own."""

    streams: Streams
    run: str
    journal: list[Sealed]
    spec: Spec

    @property
    def parent(self) -> Parent:
        return open_parent(self.run, self.streams)

    @property
    def words(self) -> list[tuple[str, int, str | None, str]]:
        return transcript(self.journal)

    @property
    def own(self) -> list[Sealed]:
        """The commits of a fork that its parent has not."""
        assert self.spec.origin
        return self.journal[self.spec.origin.seq :]

    def events(self, *kinds: str) -> list[Any]:
        return happened(self.journal, *kinds)

    def places(self) -> list[tuple[object, ...]]:
        """Every grant that was not taken back by a fork: its place, its bot and its seed."""
        taken = {one.epoch for one in happened(self.journal, "revoked") if one.reason == "forked"}
        return [
            (one.channel, one.turn, one.round, one.tries, one.asked, one.bot, one.seed)
            for one in happened(self.journal, "granted")
            if isinstance(one, Granted) and one.epoch not in taken
        ]

    def forked(self, at: str, *changes: str, replicate: int = 1, reseed: bool = False) -> Played:
        """Fork it at a place, and play the fork to its end on a server of its own."""
        plan = plan_of(self.parent, at, *changes)
        spec = spec_of(plan, is_treated=True, replicate=replicate, is_reseeded=reseed)
        with fake_swarm() as swarm:
            return played(swarm, begun(swarm, plan, spec), spec)


def plan_of(parent: Parent, at: str, *changes: str) -> Plan:
    """Find what is to be forked, where, and how it is to be changed."""
    return Plan.make(parent, At.read(at), changes, Library.open())


def forked_spec(parent: Parent, at: str, *changes: str) -> Spec:
    """The scenario of one changed fork."""
    plan = plan_of(parent, at, *changes)
    return spec_of(plan, is_treated=True, replicate=1, is_reseeded=False)


def begun(swarm: Swarm, plan: Plan, spec: Spec) -> str:
    """Write a fork's beginning; nobody leads it yet."""
    return begin(swarm.streams, spec, plan.parent, plan.point.epochs)


def played(swarm: Swarm, run: str, spec: Spec) -> Played:
    """Let a run come to its end, with a host for each bot."""
    swarm.orchestrator(only=run)
    for _ in spec.bots:
        swarm.host(only=run)
    return Played(swarm.connect(), run, swarm.finish(run), spec)


def finished(spec: Spec, **given: Any) -> Played:
    """Play a scenario to its end."""
    with fake_swarm(**given) as swarm:
        return played(swarm, swarm.seed(spec), spec)


def naming() -> Spec:
    """The naming game of the literature, played by rules."""
    spec = salon_of(
        [f"bot-{number}" for number in range(1, 7)],
        channels=(),
        turns=None,
        end=EndSpec(turns=200),
        model=ModelSpec(mind="rule", rule="naming_minimal"),
    )
    world = WorldSpec(name="naming", settings={"variant": "minimal", "encounters": 30})
    return spec.model_copy(update={"world": world})


def grid() -> Spec:
    """Four foragers on the grid, as fast as they answer."""
    spec = salon_of(
        [f"bot-{number}" for number in range(1, 5)],
        channels=(),
        turns=None,
        end=EndSpec(turns=1_000),
        model=ModelSpec(mind="rule", rule="grid_forager"),
    )
    world = WorldSpec(name="grid", settings={"ticks": 20})
    return spec.model_copy(update={"world": world, "pace": PaceSpec(kind="free")})
