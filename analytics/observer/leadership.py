"""Whether anybody leads a run, asked now and then while nothing happens in it."""

from __future__ import annotations

from utils import keys
from utils.clock import SYSTEM_CLOCK, Clock
from utils.errors import ServerGone
from utils.streams import Streams

LOOK_MS = 2_000
"""How often is asked."""
PATIENCE_MS = 4_000
"""How long nobody may lead before it is said: a leader that changes is no trouble."""


class Leadership:
    """Says once that nobody leads a run, and once who leads it again.

    Args:
        streams: A connection of this thread's own.
        run: The run's id.
        clock: Local time.
    """

    def __init__(self, streams: Streams, run: str, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._streams, self._clock = streams, clock
        self._key = keys.leader(run)
        self._looked_ms = self._led_ms = clock.now_ms()
        self._is_said = False

    def look(self) -> str | None:
        """Ask, if it is time to, and say what is new. Never raises for a server that is gone."""
        now_ms = self._clock.now_ms()
        if now_ms - self._looked_ms < LOOK_MS:
            return None
        self._looked_ms = now_ms
        try:
            leader = self._streams.lease_owners([self._key])[0]
        except ServerGone:  # who follows the run says so
            return None
        if leader is not None:
            was_said, self._is_said, self._led_ms = self._is_said, False, now_ms
            return f"{leader} leads the run" if was_said else None
        if self._is_said or now_ms - self._led_ms < PATIENCE_MS:
            return None
        self._is_said = True
        return "nobody leads this run: parley orchestrator"
