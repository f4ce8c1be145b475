"""Who is in memory, who is answered now, and who waits: as Ollama's scheduler has it.

A request for a model that is loaded waits for one of its slots, however long that takes.
A request for one that is not, or is loaded with other load-time options, waits in a
queue; beyond its bound it is told that the server is busy. The queue is served in order:
where the memory is full, an idle model goes, and the new one takes its time to load.

Source: ollama/ollama, server/sched.go, of 2026.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Condition

from bots.offline.models import Offered
from bots.offline.request import LoadKey, Refused
from utils.clock import monotonic_ms

KEEP_ALIVE_S = 300.0
BUSY = "server busy, please try again.  maximum pending requests exceeded"
LOOK_S = 0.05
"""How often somebody who waits looks whether the client is still there."""

IsGone = Callable[[], bool]


@dataclass(slots=True, eq=False)
class _Room:
    """A model in memory.

    Attributes:
        guests: Requests that hold or want a slot: with any it is not unloaded.
        busy: Slots in use.
    """

    offered: Offered
    key: LoadKey
    until: datetime
    is_loading: bool = True
    is_dismissed: bool = False
    guests: int = 0
    busy: int = 0
    line: deque[object] = field(default_factory=deque)


@dataclass(slots=True)
class Stay:
    """A request that has a slot, until it leaves.

    Attributes:
        load_ns: What loading took, and waiting for it, nanoseconds.
        slot_ns: What waiting for a slot took, nanoseconds.
    """

    residence: Residence
    room: _Room
    keep_alive_s: float | None
    load_ns: int = 0
    slot_ns: int = 0
    has_left: bool = False

    def leave(self) -> None:
        """Give the slot to the next; a second call does nothing."""
        if not self.has_left:
            self.has_left = True
            self.residence._leave(self)


class Residence:
    """The memory of one server.

    Args:
        most_loaded: Models in memory at a time, as OLLAMA_MAX_LOADED_MODELS.
        most_pending: Requests that may wait for a load, as OLLAMA_MAX_QUEUE.
        now: The wall time, for when a model is unloaded.
        sleep: Waits so many seconds, while a model loads.
    """

    def __init__(
        self,
        *,
        most_loaded: int,
        most_pending: int,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._most_loaded, self._most_pending = most_loaded, most_pending
        self._now, self._sleep = now, sleep
        self._rooms: dict[str, _Room] = {}
        self._pending: deque[object] = deque()
        self._changed = Condition()
        self.loads = 0

    def enter(
        self, offered: Offered, key: LoadKey, keep_alive_s: float | None, is_gone: IsGone
    ) -> Stay:
        """Wait until the model is in memory and has a slot free.

        Args:
            keep_alive_s: How long it stays in memory afterwards; None for five minutes.
            is_gone: Whether the client has hung up, which ends the wait.

        Raises:
            Refused: 503, too many wait for a load.
            ConnectionError: The client is gone.
        """
        with self._changed:
            room, load_ns = self._loaded(offered, key, is_gone)
            try:
                slot_ns = self._slot(room, is_gone)
            except ConnectionError:
                room.guests -= 1
                self._changed.notify_all()
                raise
        return Stay(self, room, keep_alive_s, load_ns, slot_ns)

    def unload(self, name: str) -> None:
        """Let a model go, unless somebody is in it: then as soon as nobody is."""
        with self._changed:
            room = self._rooms.get(name)
            if room is not None:
                room.is_dismissed, room.until = True, self._now()
            self._tidy()

    def loaded(self) -> list[tuple[Offered, LoadKey, datetime]]:
        """List what is in memory, with its load-time options and until when."""
        with self._changed:
            self._tidy()
            return [(room.offered, room.key, room.until) for room in self._rooms.values()]

    # --- with the lock held -------------------------------------------------------------

    def _loaded(self, offered: Offered, key: LoadKey, is_gone: IsGone) -> tuple[_Room, int]:
        """Find the model's room, or load it; be its guest."""
        self._tidy()
        room = self._rooms.get(offered.full_name)
        if room is not None and room.key == key and not room.is_loading:
            room.guests += 1
            return room, 0
        if len(self._pending) >= self._most_pending:
            raise Refused(503, BUSY)
        with self._in_line(self._pending) as ticket:
            began_ms, has_waited = monotonic_ms(), False
            while self._pending[0] is not ticket or not self._has_room(offered, key):
                has_waited = True
                self._wait(is_gone)
            wait_ns = (monotonic_ms() - began_ms) * 1_000_000 if has_waited else 0
            room = self._rooms.get(offered.full_name)
            if room is not None:
                room.guests += 1
                return room, wait_ns
            return self._load(offered, key), wait_ns + round(offered.load_s * 1e9)

    def _load(self, offered: Offered, key: LoadKey) -> _Room:
        """Take the time that loading takes, with the lock let go meanwhile."""
        room = _Room(offered, key, self._now() + timedelta(seconds=KEEP_ALIVE_S), guests=1)
        self._rooms[offered.full_name] = room
        self.loads += 1
        if offered.load_s:
            self._changed.release()
            try:
                self._sleep(offered.load_s)
            finally:
                self._changed.acquire()
        room.is_loading = False
        self._changed.notify_all()
        return room

    def _has_room(self, offered: Offered, key: LoadKey) -> bool:
        """Tell whether the model is there as wanted, or may be loaded now; make room for it."""
        self._tidy()
        room = self._rooms.get(offered.full_name)
        if room is not None and room.key == key:
            return not room.is_loading
        if room is not None and room.guests:
            return False
        if room is not None:
            del self._rooms[offered.full_name]
        if len(self._rooms) < self._most_loaded:
            return True
        idle = [one for one in self._rooms.values() if not one.guests]
        if not idle:
            return False
        first = min(idle, key=lambda one: one.until)
        del self._rooms[first.offered.full_name]
        return True

    def _slot(self, room: _Room, is_gone: IsGone) -> int:
        """Wait for a slot, first come, first served; nanoseconds waited."""
        slots = room.offered.slots
        with self._in_line(room.line) as ticket:
            began_ms, has_waited = monotonic_ms(), False
            while room.line[0] is not ticket or (slots is not None and room.busy >= slots):
                has_waited = True
                self._wait(is_gone)
            room.busy += 1
        return (monotonic_ms() - began_ms) * 1_000_000 if has_waited else 0

    def _leave(self, stay: Stay) -> None:
        seconds = KEEP_ALIVE_S if stay.keep_alive_s is None else stay.keep_alive_s
        with self._changed:
            stay.room.busy -= 1
            stay.room.guests -= 1
            kept_s = 0.0 if stay.room.is_dismissed else seconds
            stay.room.until = self._now() + timedelta(seconds=kept_s)
            self._tidy()
            self._changed.notify_all()

    def _tidy(self) -> None:
        """Let go who is not wanted any more."""
        now = self._now()
        for name, room in list(self._rooms.items()):
            if not room.guests and room.until <= now:
                del self._rooms[name]

    def _wait(self, is_gone: IsGone) -> None:
        self._changed.wait(LOOK_S)
        if is_gone():
            raise ConnectionError("the client left while it waited")

    @contextmanager
    def _in_line(self, line: deque[object]) -> Iterator[object]:
        ticket = object()
        line.append(ticket)
        try:
            yield ticket
        finally:
            line.remove(ticket)
            self._changed.notify_all()
