"""Simultaneous: all at once, each without hearing the others' answers of this turn."""

from __future__ import annotations

from orchestrator.policies.seam import FloorView, Policy
from utils.seeds import Chance


class Simultaneous(Policy):
    """Every eligible member is asked; the answers are heard in seat order when all are in."""

    is_round = True

    def choose(self, floor: FloorView, chance: Chance) -> tuple[str, ...]:
        """Choose everybody."""
        return floor.eligible
