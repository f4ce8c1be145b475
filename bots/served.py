"""A model at one server or several: a call waits its turn, and goes where least is to do.

A mind as any other. Before it is asked, `admitted` waits for a slot, and says so to
whoever granted the time if there is not enough of it. The slot is kept for all that is
asked under one grant, and given back when a call fails: the next attempt may go elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event

from bots.fleet import Fleet
from bots.minds.seam import About, Answer, Mind, Request, StopSignal
from bots.patience import Patience
from utils.calls import Source
from utils.clock import fresh_id
from utils.errors import MindFailed, Missing, ServerGone
from utils.slots import Queued
from utils.spec import Option

log = logging.getLogger("bots")

LEAST_POLL_S, LONGEST_POLL_S = 0.02, 0.5
REPLY_S = 1.0
"""How long to wait for more time, once it is this call's turn."""

AGAIN = 4
"""What was asked for is asked for again after this part of an allowance."""

OnWait = Callable[[int, int], None]
"""Told how long an answer needs from now, ms, and how many calls go before it."""


class Served:
    """Asks one model at any of several servers.

    Args:
        model: Its name.
        minds: A mind for each server, by the server's address; at least one.
        fleet: The servers as this host knows them.
    """

    source: Source = "model"
    waits = True

    def __init__(self, model: str, minds: Mapping[str, Mind], fleet: Fleet) -> None:
        self.model, self.minds, self.fleet = model, dict(minds), fleet

    @property
    def about(self) -> About:
        """What is known by now of the first server."""
        return self.first.about

    @property
    def first(self) -> Mind:
        """The mind of the first server."""
        return next(iter(self.minds.values()))

    def preflight(self) -> None:
        """Check that one server at least can answer; tell of the others.

        Raises:
            Missing: None can.
        """
        missing: list[Missing] = []
        for url, mind in self.minds.items():
            try:
                mind.preflight()
            except Missing as gone:
                self.fleet.failed(url, "unreachable")
                missing.append(gone)
        if len(missing) == len(self.minds):
            raise missing[0]
        for one in missing:
            log.warning("%s; asking the other servers", one)

    def answer(self, request: Request, stop: StopSignal) -> Answer:
        """Answer one request, when its turn has come."""
        patience = Patience(until_ms=self.fleet.clock.now_ms() + request.allow_ms)
        with admitted(self, request, stop, patience) as ready:
            return ready.answer(request, stop)

    def sends(self, request: Request) -> dict[str, Option]:
        return self.first.sends(request)

    def close(self) -> None:
        """Let all connections go."""
        for mind in self.minds.values():
            mind.close()


@contextmanager
def admitted(
    mind: Mind,
    request: Request,
    stop: StopSignal,
    patience: Patience,
    on_wait: OnWait | None = None,
) -> Iterator[Mind]:
    """Wait until a mind may be asked, and give what is to be asked.

    Args:
        mind: Any mind; one that is not served by servers is given back at once.
        request: What it will be asked.
        stop: Ends the wait.
        patience: Until when to wait.
        on_wait: Called when that is not long enough; then `patience` may grow.
    """
    if not isinstance(mind, Served):
        yield mind
        return
    seat = Admitted(mind, request.options)
    try:
        seat.enter(stop, patience, on_wait)
        yield seat
    finally:
        seat.leave()


@dataclass(slots=True)
class _Place:
    """A call's place at a server: in its queue, or in."""

    url: str
    token: str
    queued: Queued


class Admitted:
    """A served mind, and a slot at one of its servers. A mind for one grant and one thread."""

    source: Source = "model"
    waits = True

    def __init__(self, served: Served, options: Mapping[str, Option]) -> None:
        self._served, self._fleet, self._options = served, served.fleet, options
        self._place: _Place | None = None
        self._last = served.first
        self._refusal: MindFailed | None = None
        self._waited_ms = 0
        self._patience: Patience | None = None
        self._on_wait: OnWait | None = None

    @property
    def about(self) -> About:
        """What is known by now of the server that is, or was last, asked."""
        return self._last.about

    def preflight(self) -> None:
        """Do nothing: it was checked before."""

    def sends(self, request: Request) -> dict[str, Option]:
        return self._served.sends(request)

    def close(self) -> None:
        """Do nothing: the minds of the servers live on."""

    def enter(self, stop: StopSignal, patience: Patience, on_wait: OnWait | None = None) -> None:
        """Wait for a slot. If none comes in time, `answer` says so."""
        began_ms = self._fleet.clock.now_ms()
        self._refusal, self._patience, self._on_wait = None, patience, on_wait
        try:
            self._enter(stop, patience, on_wait)
        except MindFailed as refusal:
            self._refusal = refusal
            self.leave()
        self._waited_ms = self._fleet.clock.now_ms() - began_ms

    def answer(self, request: Request, stop: StopSignal) -> Answer:
        """Ask the server whose slot this is, once.

        Raises:
            MindFailed: There is no answer, or there was no slot.
        """
        clock = self._fleet.clock
        if self._place is None and self._refusal is None:  # an attempt before this one failed
            patience = self._patience or Patience(until_ms=clock.now_ms() + request.allow_ms)
            self.enter(stop, patience, self._on_wait)
            request = replace(request, allow_ms=max(1, patience.until_ms - clock.now_ms()))
        waited_ms, self._waited_ms = self._waited_ms, 0
        place, refusal = self._place, self._refusal
        if place is None or refusal is not None:
            self._refusal = None
            failure = refusal or MindFailed("overloaded", "there is no slot")
            failure.waited_ms = waited_ms
            raise failure
        mind = self._last = self._served.minds[place.url]
        began_ms = clock.now_ms()
        try:
            answer = mind.answer(request, stop)
        except MindFailed as failure:
            failure.waited_ms = waited_ms
            self._fleet.failed(place.url, failure.kind)
            self.leave()
            raise
        except Exception:  # a slot is given back whatever a mind raises, a plugin's bug too
            self.leave()
            raise
        took_ms = clock.now_ms() - began_ms
        self._fleet.answered(place.url, self._served.model, answer, took_ms=took_ms)
        return replace(answer, waited_ms=waited_ms)

    def leave(self) -> None:
        """Give the slot back; a second call does nothing."""
        place, self._place = self._place, None
        if place is not None:
            self._fleet.leave(place.url, self._served.model, place.token, place.queued)

    def _enter(self, stop: StopSignal, patience: Patience, on_wait: OnWait | None) -> None:
        clock, told = self._fleet.clock, Event()
        stop.when_set(told.set)
        allow_ms = max(1, patience.until_ms - clock.now_ms())
        asked_ms: int | None = None
        while True:
            if told.is_set():
                raise MindFailed("cancelled", "the answer is no longer wanted")
            try:
                queued = self._try()
            except ServerGone as gone:
                ahead, wait_s, why = 0, LONGEST_POLL_S, str(gone)
            else:
                ahead, wait_s = queued.ahead, min(LONGEST_POLL_S, LEAST_POLL_S * queued.ahead)
                why = f"{ahead} calls go first"
                need_ms = self._need_ms(queued, allow_ms)
                now_ms, until_ms = clock.now_ms(), patience.until_ms
                is_due = asked_ms is None or now_ms - asked_ms >= allow_ms // AGAIN
                wanted_ms = need_ms if queued.is_in else min(need_ms, allow_ms)
                if on_wait is not None and is_due and until_ms - now_ms <= wanted_ms:
                    asked_ms = now_ms
                    on_wait(need_ms, ahead)
                    if queued.is_in:
                        patience.wait_past(until_ms, within_s=REPLY_S)
                if queued.is_in:
                    return
            if clock.now_ms() >= patience.until_ms:
                raise MindFailed("overloaded", f"no slot at {self._where()} in time: {why}")
            told.wait(max(LEAST_POLL_S, min(wait_s, self._fleet.slots.ttl_ms / 4000)))

    def _try(self) -> Queued:
        """Ask for a slot, where this call stands in the queue, or where it had better."""
        model, urls = self._served.model, list(self._served.minds)
        if self._place is None:
            url = urls[0] if len(urls) == 1 else self._fleet.choose(urls, model)
            self._place = _Place(url, fresh_id(), Queued(is_in=False))
        elif len(urls) > 1:
            url = self._fleet.better(urls, model, than=self._place.url)
            if url != self._place.url:
                self.leave()
                self._place = _Place(url, fresh_id(), Queued(is_in=False))
        place = self._place
        place.queued = self._fleet.take(place.url, model, place.token)
        return place.queued

    def _need_ms(self, queued: Queued, allow_ms: int) -> int:
        pace = self._fleet.pace(self._place.url if self._place else "", self._served.model)
        if queued.is_in:
            return pace.longest_ms(self._options)
        rounds = -(-queued.ahead // self._fleet.slots.each)
        return pace.need_ms(self._options, rounds=rounds, allow_ms=allow_ms)

    def _where(self) -> str:
        return self._place.url if self._place else ", ".join(self._served.minds)
