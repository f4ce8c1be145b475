"""The seats of one host: found, taken by lease, kept, let go."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from bots.around import Around
from bots.company import Company
from bots.fleet import Fleet
from bots.outbox import Outbox
from bots.seat import Seat
from utils import keys
from utils.clock import Clock, fresh_id
from utils.errors import BadInput, Forgotten, Missing, StreamError
from utils.protocol import Joined, Left
from utils.settings import Settings
from utils.slots import Slots
from utils.spec import BotSpec, Spec
from utils.streams import Streams

log = logging.getLogger("bots")

NEVER_MS = 2**62


class Places:
    """What this host serves, and room for more.

    Args:
        name: The host's id, which owns the leases.
        most: How many seats this host takes at most.
        only: Serve this run alone; none for every live run.
        on_company: Called when a run is served from now on.

    Attributes:
        fleet: The model servers that bots of this host ask.
        is_over: Whether the run in `only` is closed, or never was.
    """

    def __init__(
        self,
        streams: Streams,
        outbox: Outbox,
        *,
        settings: Settings,
        clock: Clock,
        name: str,
        most: int,
        only: str | None,
        on_company: Callable[[str], None],
    ) -> None:
        self.streams, self.outbox, self.settings, self.clock = streams, outbox, settings, clock
        self.name, self.most, self.only = name, most, only
        self.companies: dict[str, Company] = {}
        self.is_over = False
        slots = Slots(streams.another(), each=settings.slots, ttl_ms=settings.lease_ms)
        self.fleet = Fleet(slots, clock)
        self._on_company = on_company
        self._refused: dict[str, int] = {}

    def keep(self) -> bool:
        """Renew the leases of seats and calls; whether all the seats are still ours."""
        self.fleet.keep()
        lost = 0
        for company in self.companies.values():
            bots = list(company.seats)
            leases = [keys.seat(company.run, bot) for bot in bots]
            kept = self.streams.renew_leases(leases, self.name, ttl_ms=self.settings.lease_ms)
            for bot, is_ours in zip(bots, kept, strict=True):
                seat = company.seats[bot]
                waited_ms = self.clock.now_ms() - seat.asked_ms
                if not is_ours or (not seat.number and waited_ms > 6 * self.settings.lease_ms):
                    log.warning("run %s: lost the seat of %s", company.run, bot)
                    self.forget(company, seat)
                    lost += 1
        return not lost

    def find(self) -> list[str]:
        """Take free seats of live runs, as many as there is room for.

        Returns:
            The runs that are closed by now, and served no more.
        """
        live = self.streams.open_runs(self.only)
        self.is_over = self.only is not None and not live
        closed = [run for run in self.companies if run not in live]
        for run in closed:
            self.give_up(run)
        self.outbox.keep_runs(live)
        for run in live if self.room() > 0 else ():
            if self._refused.get(run, 0) <= self.clock.now_ms():
                company = self._company(run)
                if company is not None:
                    self._take(company)
        return closed

    def room(self) -> int:
        """Tell how many more seats this host may take."""
        return self.most - sum(len(company.seats) for company in self.companies.values())

    def join(self, company: Company, seat: Seat) -> None:
        """Ask for a seat number."""
        seat.number, seat.asked_ms = 0, self.clock.now_ms()
        joined = Joined(author=self.name, nonce=fresh_id(), bot=seat.bot.name)
        self.outbox.send(company.run, joined)

    def let_go(self, company: Company, seat: Seat) -> None:
        """Leave a seat, so that another host can take it at once."""
        seat.stop_all("the host is leaving")
        bot = seat.bot.name
        if seat.number:
            left = Left(author=self.name, nonce=fresh_id(), bot=bot, seat=seat.number)
            self.outbox.send(company.run, left)
        self.streams.release_lease(keys.seat(company.run, bot), self.name)
        company.seats.pop(bot, None)

    def forget(self, company: Company, seat: Seat) -> None:
        """Give up a seat that is no longer ours."""
        seat.stop_all("the seat is another's")
        company.seats.pop(seat.bot.name, None)

    def leave(self, company: Company) -> None:
        """Let every seat of a run go, and serve it no more."""
        for seat in list(company.seats.values()):
            self.let_go(company, seat)
        self.drop(company.run)

    def drop(self, run: str) -> None:
        """Serve a run no more."""
        company = self.companies.pop(run, None)
        if company is not None:
            company.close()

    def start_over(self) -> None:
        """Give all seats up without a word, and for good where a run's keys are spoiled."""
        for run, company in list(self.companies.items()):
            if not self._is_sound(run, company):
                self._refused[run] = NEVER_MS
            self.give_up(run)

    def refuse(self, run: str) -> None:
        """Serve a run never again."""
        self._refused[run] = NEVER_MS

    def give_up(self, run: str) -> None:
        """Serve a run no more, without a word to it."""
        for bot in self.companies[run].seats:
            with suppress(StreamError):  # the key may hold anything
                self.streams.release_lease(keys.seat(run, bot), self.name)
        self.outbox.drop_run(run)
        self.drop(run)

    @contextmanager
    def blaming(self, run: str) -> Iterator[None]:
        """Do what concerns one run; if a key of it is not what it should be, refuse the run."""
        try:
            yield
        except Forgotten:
            raise
        except StreamError:
            self.refuse(run)
            raise

    def _company(self, run: str) -> Company | None:
        """Get to know a run; none when it cannot be served, now or ever."""
        if run not in self.companies:
            try:
                spec = Spec.read(run, self.streams.spec(run))
                around = Around.of(self.settings, redis_url=self.streams.url)
                company = Company(run, spec, around=around, fleet=self.fleet)
                self._on_company(run)  # first: if the server goes now, it is done again
            except StreamError as bad:
                log.error("run %s: cannot be served: %s", run, bad)
                self._refused[run] = NEVER_MS
                return None
            self.companies[run] = company
        return self.companies[run]

    def _is_sound(self, run: str, company: Company) -> bool:
        """Tell whether the keys of a run are of the types they should be."""
        inbox = keys.inbox(run, self.name)
        try:
            for key in (inbox, keys.floor(run), keys.calls(run), *company.positions):
                self.streams.count(key)
            leases = [keys.seat(run, bot) for bot in company.seats]
            self.streams.renew_leases(leases, self.name, ttl_ms=self.settings.lease_ms)
        except StreamError as error:
            log.error("run %s: cannot be served: %s", run, error)
            return False
        return True

    def _take(self, company: Company) -> None:
        """Take free seats of one run.

        Hosts begin at different bots, so that many that start together do not all try
        for the same seat.
        """
        bots = [bot for bot in company.spec.bots if bot.name not in company.seats]
        owners = self.streams.lease_owners([keys.seat(company.run, bot.name) for bot in bots])
        free = [bot for bot, owner in zip(bots, owners, strict=True) if owner is None]
        start = sum(self.name.encode()) % len(free) if free else 0
        for bot in free[start:] + free[:start]:
            if self.room() <= 0 or not self._can_serve(company, bot):
                return
            lease = keys.seat(company.run, bot.name)
            if self.streams.take_lease(lease, self.name, ttl_ms=self.settings.lease_ms):
                seat = company.seat(bot, now_ms=self.clock.now_ms())
                self.join(company, seat)

    def _can_serve(self, company: Company, bot: BotSpec) -> bool:
        """Check that the bot's mind answers from here; if not, leave the run for a while."""
        try:
            company.mind(bot.model)
        except (Missing, BadInput) as error:
            log.error("run %s: cannot serve %s: %s", company.run, bot.name, error)
            self._refused[company.run] = self.clock.now_ms() + 2 * self.settings.lease_ms
            return False
        return True
