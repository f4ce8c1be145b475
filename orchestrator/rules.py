"""What stays the same for a whole run: its scenario, its world, its policies, its chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.policies.seam import Policy
from utils.seeds import Chance
from utils.spec import Spec
from worlds.seam import World


@dataclass(frozen=True, slots=True)
class Rules:
    """The arguments that `decide` and `evolve` share.

    Attributes:
        policies: Name to policy, one for every name a channel may use.
    """

    spec: Spec
    world: World[Any]
    policies: Mapping[str, Policy]

    @property
    def chance(self) -> Chance:
        """Draws, placed by the run's seed."""
        return Chance(self.spec.seed)
