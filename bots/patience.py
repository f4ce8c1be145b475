"""How long a grant may be worked on, by the host's own clock; it may grow meanwhile."""

from __future__ import annotations

from threading import Condition


class Patience:
    """Until when an answer is wanted. The thread that reads mail prolongs it.

    Args:
        until_ms: By the host's monotonic clock.

    Example:
        >>> patience = Patience(until_ms=500)
        >>> patience.extend(900)
        >>> patience.until_ms
        900
    """

    def __init__(self, *, until_ms: int) -> None:
        self._until_ms = until_ms
        self._changed = Condition()

    @property
    def until_ms(self) -> int:
        """The time, by the host's monotonic clock."""
        return self._until_ms

    def extend(self, until_ms: int) -> None:
        """Move it back; never forward."""
        with self._changed:
            self._until_ms = max(self._until_ms, until_ms)
            self._changed.notify_all()

    def wait_past(self, until_ms: int, *, within_s: float) -> bool:
        """Wait until it has moved beyond a time; whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: self._until_ms > until_ms, within_s)
