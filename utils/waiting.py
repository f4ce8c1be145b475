"""How a process waits for its server: paced, and saying once what it waits for."""

from __future__ import annotations

from logging import Logger

from utils.clock import Clock
from utils.errors import ServerGone

FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 50, 1_000


class Wait:
    """The pauses between the tries of one process.

    Args:
        log: Where it is said, by the process's name.
    """

    def __init__(self, clock: Clock, log: Logger) -> None:
        self._clock, self._log = clock, log
        self._pause_ms = FIRST_PAUSE_MS
        self._told: type[ServerGone] | None = None

    def out(self, gone: ServerGone) -> None:
        """Rest, and say why if that is not what was said last."""
        if type(gone) is not self._told:
            self._log.warning("%s; waiting for it", gone)
            self._told = type(gone)
        self.rest()

    def rest(self) -> None:
        """Let a pause pass, each twice as long as the one before, up to a second."""
        self._clock.sleep_s(self._pause_ms / 1000)
        self._pause_ms = min(self._pause_ms * 2, LONGEST_PAUSE_MS)

    def over(self) -> None:
        """Begin anew: a try succeeded."""
        self._pause_ms, self._told = FIRST_PAUSE_MS, None
