"""The only module that reads clocks and draws identifiers.

Rules, prompts, memory and metrics get time as an argument; runtimes read it here, so
that a test can stand a `ManualClock` in its place.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


def monotonic_ms() -> int:
    """Return milliseconds of a clock that never goes back; its zero means nothing."""
    return time.monotonic_ns() // 1_000_000


def monotonic_s() -> float:
    """Return seconds of a clock that never goes back; its zero means nothing."""
    return time.monotonic()


def wall_ms() -> int:
    """Return milliseconds since 1970, UTC. It may jump: never measure with it."""
    return time.time_ns() // 1_000_000


def utc_now() -> datetime:
    """Return the wall time, aware, in UTC: for names and labels, never for durations."""
    return datetime.now(UTC)


def sleep_s(seconds: float) -> None:
    """Sleep; zero or less returns at once."""
    if seconds > 0:
        time.sleep(seconds)


def fresh_id(n: int = 16) -> str:
    """Draw an identifier nobody drew before: a nonce, an author, a client's name.

    Args:
        n: Length in hexadecimal digits, >= 1; 4 bits each.

    Returns:
        Lower-case hexadecimal digits.

    Raises:
        ValueError: `n` is less than 1.

    Example:
        >>> len(fresh_id()), len(fresh_id(5)), fresh_id() == fresh_id()
        (16, 5, False)
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    return secrets.token_hex((n + 1) // 2)[:n]


class Clock(Protocol):
    """What a runtime asks of a clock."""

    def now_ms(self) -> int:
        """Return monotonic milliseconds."""
        ...

    def wall_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        ...

    def sleep_s(self, seconds: float) -> None:
        """Let time pass."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        """Return monotonic milliseconds."""
        return monotonic_ms()

    def wall_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        return wall_ms()

    def sleep_s(self, seconds: float) -> None:
        """Sleep for real."""
        sleep_s(seconds)


SYSTEM_CLOCK = SystemClock()


class ManualClock:
    """A clock for tests that stands still until it is told otherwise.

    Args:
        now_ms: Where the monotonic clock starts.
        wall_ms: Where the wall clock starts, milliseconds since 1970.

    Example:
        >>> clock = ManualClock(now_ms=5)
        >>> clock.advance(100)
        >>> clock.sleep_s(0.5)
        >>> clock.now_ms()
        605
    """

    def __init__(self, now_ms: int = 0, *, wall_ms: int = 0) -> None:
        self._now_ms, self._wall_ms = now_ms, wall_ms

    def now_ms(self) -> int:
        """Return monotonic milliseconds."""
        return self._now_ms

    def wall_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        return self._wall_ms

    def advance(self, ms: int) -> None:
        """Move both clocks forward.

        Raises:
            ValueError: `ms` is negative.
        """
        if ms < 0:
            raise ValueError(f"time does not go back: {ms} ms")
        self._now_ms += ms
        self._wall_ms += ms

    def sleep_s(self, seconds: float) -> None:
        """Advance instead of sleeping."""
        self.advance(max(0, round(seconds * 1000)))


def wait_until(
    is_so: Callable[[], bool],
    *,
    within_ms: int,
    every_ms: int = 10,
    clock: Clock = SYSTEM_CLOCK,
) -> bool:
    """Ask again and again until the answer is yes or the time is up.

    Args:
        is_so: The question. Asked at least once, and once more at the deadline.
        within_ms: How long to wait, milliseconds.
        every_ms: Pause between two questions, milliseconds, > 0.
        clock: Whose time passes.

    Returns:
        True as soon as the answer was yes; False when the time ran out.

    Example:
        >>> clock = ManualClock()
        >>> wait_until(lambda: clock.now_ms() >= 70, within_ms=100, clock=clock)
        True
        >>> wait_until(lambda: False, within_ms=100, clock=clock), clock.now_ms()
        (False, 170)
    """
    deadline_ms = clock.now_ms() + within_ms
    while not is_so():
        left_ms = deadline_ms - clock.now_ms()
        if left_ms <= 0:
            return False
        clock.sleep_s(min(every_ms, left_ms) / 1000)
    return True
