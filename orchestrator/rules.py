"""What stays the same for a whole run: its scenario, its world, its policies, its chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from orchestrator.policies.seam import Policy
from utils.seeds import Chance
from utils.spec import Spec
from worlds.measures import is_measure, window
from worlds.seam import World

HASHED_EVERY = 1_000
"""Commits from one journalled hash of the state, and one snapshot, to the next."""


@dataclass(frozen=True)
class Rules:
    """The arguments that `decide` and `evolve` share.

    Attributes:
        policies: Name to policy, one for every name a channel may use.
        hashed_every: Commits from one hash of the state to the next. Part of what a run
            follows: who decides it again has to say the same.
    """

    spec: Spec
    world: World[Any]
    policies: Mapping[str, Policy]
    hashed_every: int = HASHED_EVERY

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """What is measured of the talk at every closed turn: not what the world measures itself."""
        names = self.spec.watched
        return tuple(one for one in names if is_measure(one) and not self.world.measures(one))

    @cached_property
    def window(self) -> int:
        """How many of the last messages those measures look back on."""
        return window(self.measures)

    @property
    def chance(self) -> Chance:
        """Draws, placed by the run's seed."""
        return Chance(self.spec.seed)
