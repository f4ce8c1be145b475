"""A mind that does what a test tells it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bots.minds.seam import NOTHING_KNOWN, About, Answer, Request, StopSignal
from utils.calls import Source
from utils.clock import ManualClock
from utils.spec import Option


@dataclass
class Told:
    """A mind that does what it is told, one thing after the other, the last for ever."""

    outcomes: list[Answer | Exception]
    clock: ManualClock = field(default_factory=ManualClock)
    takes_ms: int = 10
    stop_at: int = 0
    asked: list[Request] = field(default_factory=list)
    source: Source = "scripted"
    waits: bool = False
    about: About = NOTHING_KNOWN

    def preflight(self) -> None:
        """Nothing to check."""

    def answer(self, request: Request, stop: StopSignal) -> Answer:
        self.asked.append(request)
        self.clock.advance(min(self.takes_ms, request.allow_ms))
        outcome = self.outcomes[min(len(self.asked), len(self.outcomes)) - 1]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def sends(self, request: Request) -> dict[str, Option]:
        return {}

    def close(self) -> None:
        """Nothing to let go."""
