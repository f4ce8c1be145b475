"""A revoke, as the thread that asks a mind sees it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock


class Stop:
    """Says once that an answer is no longer wanted. Safe to use from several threads.

    Example:
        >>> stop = Stop()
        >>> stop.when_set(lambda: print("closing the socket"))
        >>> stop.set("revoked")
        closing the socket
        >>> stop.is_set(), stop.reason
        (True, 'revoked')
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._acts: list[Callable[[], None]] = []
        self._is_set = False
        self._reason = ""

    @property
    def reason(self) -> str:
        """Why, in the words of whoever set it first; empty until then."""
        return self._reason

    def set(self, reason: str) -> None:
        """Stop, and call what is to be called. The second time does nothing."""
        with self._lock:
            if self._is_set:
                return
            self._is_set, self._reason = True, reason
            acts, self._acts = self._acts, []
        for act in acts:
            act()

    def is_set(self) -> bool:
        return self._is_set

    def when_set(self, act: Callable[[], None]) -> None:
        with self._lock:
            if not self._is_set:
                self._acts.append(act)
                return
        act()
