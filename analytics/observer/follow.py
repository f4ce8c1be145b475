"""Reads a run's journal as it grows, through restarts of the server."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from analytics.observer.words import lasting
from utils import keys
from utils.clock import SYSTEM_CLOCK, Clock
from utils.errors import Forgotten, ServerGone
from utils.journal import Sealed, follow
from utils.servertime import ServerTime
from utils.streams import Entry, Streams, Tail, unseal_entry
from utils.waiting import FIRST_PAUSE_MS, LONGEST_PAUSE_MS

PATIENCE_MS = 60_000
"""How long a server that is gone is waited for."""
REMEMBERED_COMMITS = 10_000
"""Commits whose hashes are kept, to know them again after the server lost some."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A commit that follows the one before; `is_new` unless it had arrived earlier."""

    sealed: Sealed
    is_new: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the reading itself, in words.

    `starts_over`: the next commit is the run's first. Fold from a blank view again.
    """

    text: str
    starts_over: bool = False


class Following:
    """Reads a run's journal from its first commit on, its chain checked.

    While the server is gone, `read` waits for it, and says so once; when the server is
    gone for longer than `patience_ms`, it gives up. When the server comes back without
    what had been read from it, reading starts over: what had arrived before arrives
    again, marked as not new.

    Args:
        streams: A connection of this thread's own.
        run: The run's id. The journal may still be empty.
        clock: Local time.
        patience_ms: How long a server that is gone is waited for.
    """

    def __init__(
        self,
        streams: Streams,
        run: str,
        *,
        clock: Clock = SYSTEM_CLOCK,
        patience_ms: int = PATIENCE_MS,
    ) -> None:
        self.run = run
        self._streams, self._clock, self._patience_ms = streams, clock, patience_ms
        self._time = ServerTime(streams, clock)
        self._is_timed = False
        self._known: OrderedDict[int, str] = OrderedDict()
        self._gone_ms: int | None = None
        self._retry_ms = 0
        self._pause_ms = FIRST_PAUSE_MS
        self._begin()

    def now_ms(self) -> int:
        """Tell the server's time as far as it is known: journal time."""
        return self._time.now_ms()

    def read(self, *, block_ms: int = 0, count: int = 500) -> list[Arrived | Notice]:
        """Read what came.

        Args:
            block_ms: How long to wait when there is nothing.
            count: Most commits to read.

        Raises:
            ServerGone: The server was gone for longer than this reader's patience.
            BadEntry: The journal is not what it says it is.
        """
        if not self._may_try(block_ms):
            return []
        try:
            if not self._is_timed:
                self._time.sample()
                self._is_timed = True
            entries = self._tail.read(block_ms=block_ms, count=count)
        except Forgotten:
            self._begin()
            text = "the server lost what was read from it; reading the run from its start again"
            return [*self._back(), Notice(text, starts_over=True)]
        except ServerGone as gone:
            return self._wait(gone)
        arrived: list[Arrived | Notice] = self._back()
        for entry in entries:
            arrived += self._take(entry)
        return arrived

    # --- commits ----------------------------------------------------------------------

    def _begin(self) -> None:
        self._tail = Tail(self._streams)
        self._tail.follow(keys.journal(self.run))
        self._previous: Sealed | None = None

    def _take(self, entry: Entry) -> list[Arrived | Notice]:
        sealed = follow(self._previous, unseal_entry(entry))
        self._previous = sealed
        oldest = next(iter(self._known), 1)
        if self._known.get(sealed.seq) == sealed.sha256 or sealed.seq < oldest:
            return [Arrived(sealed, is_new=False)]
        notices = self._forget_from(sealed.seq)
        self._known[sealed.seq] = sealed.sha256
        if len(self._known) > REMEMBERED_COMMITS:
            self._known.popitem(last=False)
        return [*notices, Arrived(sealed, is_new=True)]

    def _forget_from(self, seq: int) -> list[Notice]:
        """Forget commits that the server lost, and that others now stand in place of."""
        if seq not in self._known:
            return []
        while self._known and next(reversed(self._known)) >= seq:
            self._known.popitem()
        return [Notice(f"from here on the record is another one: the server lost commit {seq}")]

    # --- a server that is gone --------------------------------------------------------

    def _may_try(self, block_ms: int) -> bool:
        """Wait for the next attempt, at most so long; whether its time has come."""
        if self._gone_ms is None:
            return True
        left_ms = self._retry_ms - self._clock.now_ms()
        self._clock.sleep_s(min(left_ms, block_ms) / 1000)
        return left_ms <= block_ms

    def _wait(self, gone: ServerGone) -> list[Arrived | Notice]:
        self._is_timed = False
        now_ms = self._clock.now_ms()
        self._retry_ms = now_ms + self._pause_ms
        self._pause_ms = min(self._pause_ms * 2, LONGEST_PAUSE_MS)
        if self._gone_ms is None:
            self._gone_ms = now_ms
            why = str(gone).rstrip(".")
            return [Notice(f"{why}; waiting up to {lasting(self._patience_ms)} for it")]
        if now_ms - self._gone_ms >= self._patience_ms:
            waited = lasting(now_ms - self._gone_ms)
            raise ServerGone(f"{gone}, for {waited}; parley doctor tells what is missing")
        return []

    def _back(self) -> list[Arrived | Notice]:
        """Say that the server is back, if it was gone."""
        if self._gone_ms is None:
            return []
        waited = lasting(self._clock.now_ms() - self._gone_ms)
        self._gone_ms, self._pause_ms = None, FIRST_PAUSE_MS
        return [Notice(f"the server is back after {waited}")]
