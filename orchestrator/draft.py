"""A commit while it is being decided: events so far, and the state they lead to.

Mutable, and local to one call of `decide`: each cause sees what the causes before it
in the same commit have done.
"""

from __future__ import annotations

from orchestrator.apply import apply
from orchestrator.rules import Rules
from orchestrator.state import Floor, State
from utils.protocol import Event, Heard
from worlds.seam import WorldTime


class Draft:
    """The events of the commit after `state.seq`, in order.

    Attributes:
        state: The state after the events so far.
        events: The events so far.
    """

    def __init__(self, rules: Rules, state: State, *, at_ms: int) -> None:
        self.rules = rules
        self.state = state
        self.at_ms = at_ms
        self.seq = state.seq + 1
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Add an event and take it into the state."""
        if isinstance(event, Heard):
            message_id = f"{self.seq}.{len(self.events)}"
            event = event.model_copy(update={"message_id": message_id})
        self.events.append(event)
        self.state = apply(self.rules, self.state, event, seq=self.seq, at_ms=self.at_ms)

    @property
    def now(self) -> WorldTime:
        """Now, as the world's rules are told it."""
        return WorldTime(at_ms=self.at_ms, world_ms=self.state.world_ms)

    def floor(self, channel: str) -> Floor:
        """Look at a channel as it is now."""
        return self.state.floors[channel]
