"""The memory's seam: what of all a bot has heard it recalls when it is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from utils.protocol import Heard
from utils.spec import MemorySpec


@dataclass(frozen=True, slots=True)
class Recalled:
    """What was recalled, oldest first.

    `older` is the id of the newest message that was left out, none if none was: that
    one and every older message in the memory's scope is not recalled.
    """

    messages: tuple[Heard, ...]
    older: str | None = None


class Memory(Protocol):
    """Recall. Pure: the same hearing gives the same recall."""

    def recall(self, latest: Iterable[Heard], channel: str) -> Recalled:
        """Recall for a turn in a channel.

        Args:
            latest: All that is in reach, the newest first. Stop reading when full:
                the cost of a turn must not grow with the conversation.
            channel: Where the bot is asked.
        """


class MemoryFactory(Protocol):
    """What a plugin of group `parley.memories` is."""

    def __call__(self, spec: MemorySpec) -> Memory:
        """Make the memory of one bot."""
