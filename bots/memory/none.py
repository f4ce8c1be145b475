"""No memory: the last thing heard in the channel, so that there is something to answer."""

from __future__ import annotations

from collections.abc import Iterable

from bots.memory.seam import Recalled
from utils.protocol import Heard
from utils.spec import MemorySpec


class NoMemory:
    """Recall one message and no more."""

    def __init__(self, spec: MemorySpec) -> None:
        self.spec = spec

    def recall(self, latest: Iterable[Heard], channel: str) -> Recalled:
        """Recall the last message heard in the channel."""
        here = (event for event in latest if event.channel == channel)
        last, before = next(here, None), next(here, None)
        return Recalled((last,) if last else (), before.message_id if before else None)
