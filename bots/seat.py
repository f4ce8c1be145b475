"""One bot's seat at a host: its number, what it heard, and the grants it is answering."""

from __future__ import annotations

from dataclasses import dataclass, field

from bots.hearing import Hearing
from bots.memory.seam import Memory
from bots.minds.stop import Stop
from bots.prompt import Framings
from utils.spec import BotSpec


@dataclass(slots=True)
class Seat:
    """A seat taken, or being taken.

    Attributes:
        number: The seat's number in the run; 0 until the leader has given one.
        asked_ms: When the host asked for it, local monotonic milliseconds.
        answering: Epochs of live grants to what stops the answer.
    """

    bot: BotSpec
    memory: Memory
    hearing: Hearing
    framings: Framings
    asked_ms: int
    number: int = 0
    answering: dict[int, Stop] = field(default_factory=dict)

    def sit(self, number: int) -> None:
        """Take a number. What is answered under an earlier one is refused: to be done anew."""
        if number != self.number:
            self.stop_all("seated anew")
        self.number = number

    def stop(self, epoch: int, why: str) -> None:
        """Stop answering one grant, if it is still being answered."""
        stop = self.answering.pop(epoch, None)
        if stop is not None:
            stop.set(why)

    def stop_all(self, why: str) -> None:
        """Stop answering at all."""
        for epoch in list(self.answering):
            self.stop(epoch, why)
