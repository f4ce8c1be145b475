"""Addressed: who is named speaks next, else the one that has been silent longest."""

from __future__ import annotations

from orchestrator.policies.seam import FloorView, Policy
from utils.seeds import Chance


class Addressed(Policy):
    """Talk passes to whoever was spoken to."""

    def choose(self, floor: FloorView, chance: Chance) -> tuple[str, ...]:
        """Choose the addressee; without one, whoever has been silent longest.

        Longest silent: held the floor longest ago, passing counted as holding it, so
        that a bot that always passes is not asked for ever. Those that never held it
        come first, in ring order. The last speaker goes on only if it is alone.

        Example:
            >>> ring = ("ada", "bo", "cy")
            >>> view = FloorView("main", 3, 0, ring, ring, "bo", None, {"ada": 1, "bo": 2})
            >>> Addressed().choose(view, Chance(7))
            ('cy',)
        """
        if floor.addressee in floor.eligible:
            return (floor.addressee,)
        others = [bot for bot in floor.eligible if bot != floor.last_speaker]
        return (min(others or floor.eligible, key=lambda bot: floor.held.get(bot, 0)),)
