"""Who may call a model server now: leases that bound the calls in flight across hosts.

One Ollama answers one call at a time unless it is told otherwise; what else it is sent
queues inside it, where nobody sees it and deadlines run out. So calls queue here, in
one sorted set a server (`slots.lua`): the longest waiting is next, but for a while those
for the model that is in memory go first.

A lease lapses by itself: what a killed host held or waited for is free again after it.
This bounds load and is no fence: a host that hangs for longer than its lease may find
another in its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from threading import Lock

from utils import keys
from utils.streams import Streams

BATCH_MS = 30_000
"""How long calls for one model go before those for others that wait longer."""

KEPT_MS = 1_800_000
"""How long a model is thought to stay in memory: `keep_alive`, 30 minutes by default."""

RENEW = """
local clock = redis.call('TIME')
local until_ms = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000) + ARGV[1]
for i = 2, #ARGV do
  redis.call('ZADD', KEYS[1], 'XX', string.format('%d', until_ms), 'held ' .. ARGV[i])
end
"""


@dataclass(frozen=True, slots=True)
class Queued:
    """Where a call stands in a server's queue.

    Attributes:
        is_in: Whether it may be made now.
        ahead: How many calls go before it, those in flight included.
        number: Its number in the queue, by which it is taken out.
    """

    is_in: bool
    ahead: int = 0
    number: int = 0


@dataclass(frozen=True, slots=True)
class Load:
    """What a server has to do.

    Attributes:
        held: Calls in flight.
        waiting: Calls that wait.
        loaded: The model of the call let in last; empty if none is remembered.
    """

    held: int = 0
    waiting: int = 0
    loaded: str = ""


class Slots:
    """The slots of all model servers. Safe to use from several threads.

    Args:
        streams: A connection of its own.
        each: Calls in flight at a time, at each server.
        ttl_ms: How long a lease lasts without renewal.
        batch_ms: How long calls for one model go before those for others.
    """

    def __init__(
        self, streams: Streams, *, each: int, ttl_ms: int, batch_ms: int = BATCH_MS
    ) -> None:
        self.each, self.ttl_ms, self.batch_ms = each, ttl_ms, batch_ms
        self._streams = streams
        self._script = files("utils").joinpath("slots.lua").read_text("utf-8")
        self._lock = Lock()

    def take(self, server: str, model: str, token: str) -> Queued:
        """Ask for a slot, and stand in the queue until it is given.

        Ask again and again, at least twice a lease, or the place in the queue is lost.

        Args:
            token: Of this call, used once, without blanks.
        """
        args = (token, model, self.each, self.ttl_ms, self.batch_ms, KEPT_MS)
        with self._lock:
            reply = self._streams.evaluate(self._script, keys.slots(server), *args)
        return Queued(is_in=bool(int(reply[0])), ahead=int(reply[1]), number=int(reply[2]))

    def leave(self, server: str, model: str, token: str, queued: Queued) -> None:
        """Give a slot back, or stand in the queue no longer."""
        waits = f"waits {queued.number} {model} {token}"
        with self._lock:
            self._streams.unlist(keys.slots(server), [f"held {token}", waits])

    def keep(self, server: str, tokens: Iterable[str]) -> None:
        """Renew the leases of calls in flight; of none that has lapsed."""
        with self._lock:
            self._streams.evaluate(RENEW, keys.slots(server), self.ttl_ms, *tokens)

    def look(self, servers: Sequence[str]) -> list[Load]:
        """See what each server has to do."""
        with self._lock:
            now_ms, found = self._streams.scored([keys.slots(server) for server in servers])
        return [_load(members, now_ms) for members in found]

    def close(self) -> None:
        """Close the connection."""
        self._streams.close()


def _load(members: dict[str, int], now_ms: int) -> Load:
    live = [member for member, until_ms in members.items() if until_ms > now_ms]
    words = [member.split(" ") for member in live]
    kinds = Counter((one[0], len(one)) for one in words)  # what has other parts is no member
    loaded = [one[2] for one in words if (one[0], len(one)) == ("loaded", 3)]
    return Load(kinds["held", 2], kinds["waits", 4], loaded[0] if loaded else "")
