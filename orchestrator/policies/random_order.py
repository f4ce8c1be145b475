"""Random: any member but the last speaker, each equally likely."""

from __future__ import annotations

from orchestrator.policies.seam import FloorView, Policy
from utils.seeds import Chance


class RandomOrder(Policy):
    """A draw for every turn, placed by channel, turn and tries."""

    def choose(self, floor: FloorView, chance: Chance) -> tuple[str, ...]:
        """Draw one eligible member; the last speaker only if nobody else is eligible."""
        others = [bot for bot in floor.eligible if bot != floor.last_speaker]
        options = others or list(floor.eligible)
        return (chance.pick(options, "policy", floor.channel, floor.turn, floor.tries),)
