"""Runs and forks of them, played to their end by a swarm in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from parley.forks.branch import Plan, begin, spec_of
from parley.forks.parent import At, Parent, open_parent
from parley.library import Library
from tests.swarm import Swarm, fake_swarm
from utils.journal import Sealed
from utils.spec import Spec
from utils.streams import Streams


@dataclass(frozen=True)
class Played:
    """A run that is over, on a server of its own."""

    swarm_streams: Streams
    run: str
    journal: list[Sealed]
    spec: Spec

    @property
    def parent(self) -> Parent:
        return open_parent(self.run, self.swarm_streams)

    def forked(self, at: str, *changes: str, is_treated: bool = True, **given: Any) -> Played:
        """Fork it at a place, and play the fork to its end on a server of its own."""
        plan = plan_of(self, at, *changes)
        spec = spec_of(
            plan,
            is_treated=is_treated,
            replicate=given.get("replicate", 1),
            is_reseeded=given.get("is_reseeded", False),
        )
        with fake_swarm() as swarm:
            run = begin(swarm.streams, spec, plan.parent, plan.point.epochs)
            return played(swarm, run, spec)


def plan_of(parent: Played, at: str, *changes: str) -> Plan:
    return Plan.make(parent.parent, At.read(at), changes, Library.open())


def played(swarm: Swarm, run: str, spec: Spec) -> Played:
    """Let a run come to its end."""
    swarm.orchestrator(only=run)
    for _ in spec.bots:
        swarm.host(only=run)
    return Played(swarm.connect(), run, swarm.finish(run), spec)


def finished(spec: Spec) -> Played:
    """Play a scenario to its end."""
    with fake_swarm() as swarm:
        return played(swarm, swarm.seed(spec), spec)
