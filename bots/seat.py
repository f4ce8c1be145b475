"""One bot's seat at a host: its number, what it heard, and the grants it is answering."""

from __future__ import annotations

from dataclasses import dataclass, field

from bots.hearing import Hearing
from bots.memory.seam import Memory
from bots.prompt import Framings
from bots.tokens import UNMEASURED, Scale
from bots.work import Answering
from utils.spec import BotSpec


@dataclass(slots=True)
class Seat:
    """A seat taken, or being taken.

    Attributes:
        number: The seat's number in the run; 0 until the leader has given one.
        asked_ms: When the host asked for it, local monotonic milliseconds.
        scale: What its earlier calls taught about estimates of tokens.
        answering: Epochs of live grants to what is known of the work on them.
    """

    bot: BotSpec
    memory: Memory
    hearing: Hearing
    framings: Framings
    asked_ms: int
    number: int = 0
    scale: Scale = UNMEASURED
    answering: dict[int, Answering] = field(default_factory=dict)

    def sit(self, number: int) -> None:
        """Take a number. What is answered under an earlier one is refused: to be done anew."""
        if number != self.number:
            self.stop_all("seated anew")
        self.number = number

    def stop(self, epoch: int, why: str) -> None:
        """Stop answering one grant, if it is still being answered."""
        answering = self.answering.pop(epoch, None)
        if answering is not None:
            answering.stop.set(why)

    def extend(self, epoch: int, *, until_ms: int) -> None:
        """Let the work on a grant take longer, if it still goes on."""
        if epoch in self.answering:
            self.answering[epoch].patience.extend(until_ms)

    def stop_all(self, why: str) -> None:
        """Stop answering at all."""
        for epoch in list(self.answering):
            self.stop(epoch, why)
