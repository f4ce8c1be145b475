"""Round robin: the member after the one whose turn it was, around the ring."""

from __future__ import annotations

from orchestrator.policies.seam import FloorView, Policy
from utils.seeds import Chance


class RoundRobin(Policy):
    """One after another, in the order of members."""

    def choose(self, floor: FloorView, chance: Chance) -> tuple[str, ...]:
        """Choose the first eligible member at or after the turn's own place in the ring.

        The place is the turn's number, not the last speaker, so that a turn given up
        does not shift the order for the rest of the run.

        Example:
            >>> ring = ("ada", "bo", "cy")
            >>> view = FloorView("main", 5, 0, ring, ring, None, None, {})
            >>> RoundRobin().choose(view, Chance(7))
            ('bo',)
        """
        size = len(floor.members)
        ring = (floor.members[(floor.turn - 1 + step) % size] for step in range(size))
        return (next(bot for bot in ring if bot in floor.eligible),)
