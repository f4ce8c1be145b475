"""Whether a model server is worth asking: three failures in a row say no, for a while."""

from __future__ import annotations

from typing import Literal

from utils.errors import FailureKind

FAILURES = 3
"""Failures in a row that open a breaker."""

FIRST_OPEN_MS, LONGEST_OPEN_MS = 5_000, 120_000

COUNTED: frozenset[FailureKind] = frozenset({"unreachable", "overloaded", "server"})
"""What a server that is out of order does. A model that is missing, or repeats itself, or
an answer that is too late, says nothing about the server."""

State = Literal["closed", "open", "half_open"]


class Breaker:
    """Counts what comes of the calls to one server. Not safe for several threads at once.

    Closed: ask. Open: do not. Half open, once that time is over: one call tries, and what
    comes of it closes the breaker or opens it for twice as long.

    Example:
        >>> breaker = Breaker()
        >>> for _ in range(3):
        ...     breaker.failed("unreachable", now_ms=1_000)
        >>> breaker.state(1_001), breaker.state(6_000)
        ('open', 'half_open')
        >>> breaker.may_ask(6_000), breaker.asks(6_000), breaker.may_ask(6_000)
        (True, None, False)
        >>> breaker.answered()
        >>> breaker.state(6_001)
        'closed'
    """

    def __init__(self) -> None:
        self._failures = 0
        self._open_ms = 0
        self._until_ms = 0
        self._is_tried = False

    @property
    def until_ms(self) -> int:
        """When it is, or was last, to be half open; 0 if it never was open."""
        return self._until_ms

    def state(self, now_ms: int) -> State:
        """Tell the state it is in at a time."""
        if not self._open_ms:
            return "closed"
        return "open" if now_ms < self._until_ms else "half_open"

    def may_ask(self, now_ms: int) -> bool:
        """Tell whether the server may be asked now."""
        state = self.state(now_ms)
        return state == "closed" or (state == "half_open" and not self._is_tried)

    def asks(self, now_ms: int) -> None:
        """Note that the server is being asked."""
        self._is_tried = self.state(now_ms) == "half_open"

    def let_go(self) -> None:
        """Note that nobody asks the server any more, whatever came of it."""
        self._is_tried = False

    def answered(self) -> None:
        """Note that it answered: whatever was before, it is in order."""
        self._failures = self._open_ms = 0
        self._is_tried = False

    def failed(self, kind: FailureKind, *, now_ms: int) -> None:
        """Note how a call failed."""
        was_trial, self._is_tried = self._is_tried, False
        if kind in COUNTED:
            self._failures += 1
            if was_trial or (self._failures >= FAILURES and not self._open_ms):
                self._open_ms = min(max(FIRST_OPEN_MS, 2 * self._open_ms), LONGEST_OPEN_MS)
                self._until_ms = now_ms + self._open_ms
