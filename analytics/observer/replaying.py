"""A record played again: its commits come when they came, or quicker, or at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, inf

from analytics.observer.follow import Arrived, Notice
from analytics.stopwatch import Stopwatch
from utils.clock import SYSTEM_CLOCK, Clock
from utils.errors import BadInput
from utils.journal import Sealed
from utils.protocol import Granted, Paused, Resumed

AT_ONCE = inf
"""The speed at which nothing is waited for."""

SLOWEST, QUICKEST = 1 / 64, 65_536.0

UNITS_MS = {"ms": 1, "s": 1_000, "min": 60_000, "m": 60_000, "h": 3_600_000}

_SOUGHT = re.compile(
    r"turn:(?P<turn>[0-9]{1,9})"
    r"|run:(?P<time>[0-9]{1,9}(?:\.[0-9]{1,3})?)(?P<unit>ms|s|min|m|h)"
    r"|(?P<seq>[0-9]{1,12})"
)


@dataclass(frozen=True, slots=True)
class Seek:
    """Where a replay begins: at a commit, at a turn's first grant, or at a run time.

    Attributes:
        spelled: As it was typed.
        channel: Whose turns count; none for any channel's.

    Example:
        >>> Seek.parse("turn:12").turn, Seek.parse("run:1.5m").run_ms, Seek.parse("40").seq
        (12, 90000, 40)
    """

    spelled: str = ""
    seq: int | None = None
    turn: int | None = None
    run_ms: int | None = None
    channel: str | None = None

    @classmethod
    def parse(cls, text: str, *, channel: str | None = None) -> Seek:
        """Read it as it is typed. Raises `BadInput`."""
        found = _SOUGHT.fullmatch(text)
        if found is None:
            raise BadInput(
                f"'{text}' is no place in a run",
                where="--seek",
                mend="name a commit, such as 40, a turn, turn:12, or a run time, run:90s",
            )
        if found["turn"]:
            return cls(text, turn=int(found["turn"]), channel=channel)
        if found["time"]:
            run_ms = round(float(found["time"]) * UNITS_MS[found["unit"]])
            return cls(text, run_ms=run_ms)
        return cls(text, seq=int(found["seq"]))

    def is_at(self, sealed: Sealed, run_ms: int) -> bool:
        """Tell whether a commit is there, or past it."""
        if self.seq is not None:
            return sealed.seq >= self.seq
        if self.run_ms is not None:
            return run_ms >= self.run_ms
        if self.turn is not None:
            return any(
                isinstance(event, Granted)
                and event.turn >= self.turn
                and self.channel in (None, event.channel)
                for event in sealed.commit.events
            )
        return True


START = Seek()


class Replaying:
    """A journal as a source for `show`, in place of one that is followed.

    What stands before the place sought is given at once, marked as not new. From there on
    a commit comes as long after the first as it did then, divided by the speed.

    Args:
        commits: The journal, from commit 1.
        speed: 1 is as it was, 10 ten times as quick, `AT_ONCE` waits for nothing.
        seek: Where to begin.
        clock: Local time.
    """

    def __init__(
        self,
        commits: Iterable[Sealed],
        *,
        speed: float = 1.0,
        seek: Seek = START,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._commits: Iterator[Sealed] = iter(commits)
        self._next = next(self._commits, None)
        self._seek, self._clock, self._is_there = seek, clock, False
        self.speed, self.is_held = speed, False
        self.seq, self._at_ms = 0, self._next.commit.at_ms if self._next else 0
        self._since = (clock.now_ms(), self._at_ms)
        self._time = Stopwatch()
        self._time.begin(self._at_ms)

    @property
    def is_over(self) -> bool:
        """Whether all of it was read."""
        return self._next is None

    def now_ms(self) -> int:
        """Tell what time it is in the record: never past the commit that comes next."""
        if self._next is None or not self._is_there or self.speed == AT_ONCE:
            return self._at_ms
        local_ms, journal_ms = self._since
        passed_ms = 0 if self.is_held else (self._clock.now_ms() - local_ms) * self.speed
        return min(journal_ms + round(passed_ms), self._next.commit.at_ms)

    def read(self, *, block_ms: int = 0, count: int = 500) -> list[Arrived | Notice]:
        """Read what has come by now; wait for it, at most so long.

        Raises:
            BadInput: The record ends before the place that was sought.
            BadEntry: The record is not what it says it is.
        """
        arrived = [] if self._is_there else self._seek_on(count)
        if arrived:
            return arrived
        wait_ms = block_ms if self.is_held else min(self._due_in_ms(), block_ms)
        if wait_ms > 0:
            self._clock.sleep_s(wait_ms / 1000)
        while not self.is_held and self._next and len(arrived) < count and not self._due_in_ms():
            arrived.append(Arrived(self._step(self._next), is_new=True))
        return arrived

    # --- what a person may do meanwhile -------------------------------------------------

    def hold(self) -> None:
        """Stand still, or go on."""
        self._anchor(self.now_ms())
        self.is_held = not self.is_held

    def hurry(self, times: float) -> None:
        """Go so many times as quick from now on, within bounds."""
        self._anchor(self.now_ms())
        if self.speed != AT_ONCE:
            self.speed = min(QUICKEST, max(SLOWEST, self.speed * times))

    def skip(self) -> None:
        """Wait no longer for the commit that comes next."""
        if self._next is not None:
            self._anchor(self._next.commit.at_ms)

    # ------------------------------------------------------------------------------------

    def _seek_on(self, count: int) -> list[Arrived | Notice]:
        """Give what stands before the place sought."""
        passed: list[Arrived | Notice] = []
        while self._next is not None and len(passed) < count:
            if self._seek.is_at(self._next, self._run_ms(self._next)):
                self._is_there = True
                self._anchor(self._next.commit.at_ms)
                return passed
            passed.append(Arrived(self._step(self._next), is_new=False))
        if self._next is None and self._seek != START:
            raise BadInput(
                f"the record ends before {self._seek.spelled}, with commit {self.seq}",
                where="--seek",
                mend="name a place in it",
            )
        return passed

    def _run_ms(self, sealed: Sealed) -> int:
        """Tell the run time of the commit that comes next, in which there is no pause."""
        at_ms = sealed.commit.at_ms
        for event in sealed.commit.events:
            if isinstance(event, Paused):
                self._time.pause(at_ms)
            elif isinstance(event, Resumed):
                self._time.resume(at_ms)
        return self._time.run_ms(at_ms) or 0

    def _step(self, sealed: Sealed) -> Sealed:
        """Take the next commit."""
        self.seq, self._at_ms = sealed.seq, sealed.commit.at_ms
        self._next = next(self._commits, None)
        return sealed

    def _due_in_ms(self) -> int:
        """Tell how long the next commit is away, in local time; 0 when it is due."""
        if self._next is None or self.speed == AT_ONCE:
            return 0
        local_ms, journal_ms = self._since
        left_ms = (self._next.commit.at_ms - journal_ms) / self.speed
        return max(0, ceil(left_ms) - (self._clock.now_ms() - local_ms))

    def _anchor(self, journal_ms: int) -> None:
        """Say that in the record it is so late now."""
        self._since = (self._clock.now_ms(), journal_ms)
