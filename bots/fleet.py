"""The model servers that a host knows: which is asked next, and when it may be."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from bots.minds.breaker import Breaker
from bots.minds.pace import Pace
from bots.minds.seam import Answer
from utils.clock import Clock
from utils.errors import FailureKind, ServerEvicts, ServerGone
from utils.slots import Load, Queued, Slots

log = logging.getLogger("bots")


@dataclass(slots=True)
class Server:
    """A server as this host has come to know it: by model, its pace."""

    breaker: Breaker = field(default_factory=Breaker)
    paces: dict[str, Pace] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)


class Fleet:
    """All servers that this host asks. Safe to use from several threads.

    Args:
        slots: Bounds the calls in flight, across hosts.
        clock: Whose time passes.

    Attributes:
        is_held: Whether nobody may ask for a slot now: Redis may drop what it is given.
    """

    def __init__(self, slots: Slots, clock: Clock) -> None:
        self.slots, self.clock = slots, clock
        self.is_held = False
        self._lock = Lock()
        self._servers: dict[str, Server] = {}

    def choose(self, urls: Sequence[str], model: str) -> str:
        """Choose the server that has least to do, of those in order.

        Among equals the one that has the model in memory, then the first. A server whose
        breaker is open is passed over; if all are, the one that failed longest ago is
        asked: a call that is not made fails for certain.
        """
        now_ms = self.clock.now_ms()
        with self._lock:
            breakers = {url: self._server(url).breaker for url in urls}
        able = [url for url in urls if breakers[url].may_ask(now_ms)]
        if not able:
            return min(urls, key=lambda url: breakers[url].until_ms)
        if len(able) == 1:
            return able[0]
        loads = dict(zip(able, self.slots.look(able), strict=True))
        return min(able, key=lambda url: _rank(loads[url], model))

    def better(self, urls: Sequence[str], model: str, *, than: str) -> str:
        """Find a server to go to from the queue of another; that one itself if none is better.

        One that could begin at once is; and any in order, if that one has failed meanwhile.
        """
        now_ms = self.clock.now_ms()
        with self._lock:
            able = [url for url in urls if self._server(url).breaker.may_ask(now_ms)]
        if than not in able:
            return self.choose(urls, model)
        loads = zip(able, self.slots.look(able), strict=True)
        free = {
            url: load for url, load in loads if not load.waiting and load.held < self.slots.each
        }
        return min(free, key=lambda url: _rank(free[url], model), default=than)

    def take(self, url: str, model: str, token: str) -> Queued:
        """Ask for a slot at a server, and stand in its queue until it is given.

        Raises:
            ServerGone: Redis does not answer, or nothing is to be written there.
        """
        if self.is_held:
            raise ServerEvicts("the Redis server may evict keys")
        queued = self.slots.take(url, model, token)
        if queued.is_in:
            with self._lock:
                self._server(url).held.add(token)
                self._server(url).breaker.asks(self.clock.now_ms())
        return queued

    def leave(self, url: str, model: str, token: str, queued: Queued) -> None:
        """Give a slot back, or stand in the queue no longer."""
        with self._lock:
            self._server(url).held.discard(token)
            self._server(url).breaker.let_go()
        try:
            self.slots.leave(url, model, token, queued)
        except ServerGone:
            log.warning("a slot of %s lapses by itself: the Redis server is gone", url)

    def keep(self) -> None:
        """Renew the leases of the calls in flight. Raises `ServerGone`."""
        with self._lock:
            held = {url: list(server.held) for url, server in self._servers.items()}
        for url, tokens in held.items():
            if tokens:
                self.slots.keep(url, tokens)

    def pace(self, url: str, model: str) -> Pace:
        """Tell how fast a model answers there."""
        with self._lock:
            return self._server(url).paces.get(model, Pace())

    def answered(self, url: str, model: str, answer: Answer, *, took_ms: float) -> None:
        """Note that a call was answered, and how fast."""
        with self._lock:
            server = self._server(url)
            server.breaker.answered()
            server.paces[model] = server.paces.get(model, Pace()).after(answer, took_ms=took_ms)

    def failed(self, url: str, kind: FailureKind) -> None:
        """Note how a call failed."""
        with self._lock:
            self._server(url).breaker.failed(kind, now_ms=self.clock.now_ms())

    def close(self) -> None:
        """Close the connection to Redis."""
        self.slots.close()

    def _server(self, url: str) -> Server:
        return self._servers.setdefault(url, Server())


def _rank(load: Load, model: str) -> tuple[int, bool]:
    return load.held + load.waiting, load.loaded != model
