"""A mind that says lines from the scenario: for tests, benchmarks and controls."""

from __future__ import annotations

from bots.minds.rules import first_legal
from bots.minds.seam import NOTHING_KNOWN, Answer, Request, StopSignal
from utils.calls import Source
from utils.protocol import AskAct
from utils.spec import ModelSpec, Option


class ScriptedMind:
    """Says the model's `lines` in turn, the first line in turn 1, and then from the start.

    Without lines it says where it is, so that a transcript can be checked by eye. What
    it says depends on bot, channel and turn alone, never on time, tries or host.

    Args:
        model: Its `lines` are what is said.
    """

    source: Source = "scripted"
    waits = False
    about = NOTHING_KNOWN

    def __init__(self, model: ModelSpec) -> None:
        self._lines = model.lines

    def preflight(self) -> None:
        """Nothing can be missing."""

    def answer(self, request: Request, stop: StopSignal) -> Answer:
        """Say this turn's line; asked for an action, do the first legal one, or pass."""
        if isinstance(request.ask, AskAct):
            return Answer(action=first_legal(request.ask))
        if self._lines:
            return Answer(text=self._lines[(request.turn - 1) % len(self._lines)])
        return Answer(text=f"{request.bot} says line {request.turn} in {request.channel}.")

    def sends(self, request: Request) -> dict[str, Option]:
        """Nothing: no model is asked."""
        return {}

    def close(self) -> None:
        """There is nothing to let go."""
