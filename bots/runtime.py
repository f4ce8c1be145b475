"""The host's process: takes seats, answers grants, lets go in order.

One thread reads and decides; minds that wait are asked in threads of a pool, and send
their answers themselves. A host blocks on its inboxes alone, and reads channels only
when one of its bots is granted something.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

from bots.agent import Task, carry_out
from bots.company import Company
from bots.minds.seam import Mind
from bots.minds.stop import Stop
from bots.outbox import Outbox
from bots.seat import Seat
from utils import keys
from utils.clock import Clock, fresh_id
from utils.errors import BadEntry, BadInput, Forgotten, Missing, ServerGone
from utils.mail import InboxEntry, StandingGrant
from utils.protocol import Acted, Ended, Joined, Left, Passed, Revoked, Seated, Unseated
from utils.servertime import ServerTime
from utils.settings import Settings
from utils.spec import BotSpec, Spec
from utils.streams import MAX_BLOCK_MS, Entry, Streams, Tail

log = logging.getLogger("bots")

FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 50, 1_000


class Host:
    """Serves bots.

    Args:
        streams: The connection that reads, for this thread alone.
        settings: Lease and where models answer.
        clock: Local time.
        name: The host's id; unique among hosts that ever were.
        places: How many seats this host takes at most.
        only: Serve this run alone; none for every live run.
        threads: How many minds may be waited for at once.
    """

    def __init__(
        self,
        streams: Streams,
        *,
        settings: Settings,
        clock: Clock,
        name: str,
        places: int = 1,
        only: str | None = None,
        outbox: Outbox | None = None,
        threads: int = 32,
    ) -> None:
        self.streams, self.settings, self.clock = streams, settings, clock
        self.name, self.places, self.only = name, places, only
        self.lease_ms = settings.lease_ms
        self.time = ServerTime(streams, clock)
        self.companies: dict[str, Company] = {}
        self.outbox = Outbox(streams.another()) if outbox is None else outbox
        self._pool = ThreadPoolExecutor(min(places, threads), thread_name_prefix="mind")
        self._tail = Tail(streams)
        self._kept_ms = -(10**9)
        self._refused: dict[str, int] = {}
        self._connected = False
        self._pause_ms = FIRST_PAUSE_MS
        self._stopping = False

    def stop(self) -> None:
        """Ask the loop to end after this step; safe from a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Work until told to stop, then let every seat go."""
        while not self._stopping:
            self.step()
        self.leave()

    def step(self, *, block_ms: int = MAX_BLOCK_MS) -> None:
        """Do one round: presence, leases, seats, and what the inboxes hold."""
        try:
            if not self._connected:
                self._connect()
            self._keep()
            for entry in self._tail.read(block_ms=min(block_ms, max(1, self.lease_ms // 3))):
                self._take(entry)
            self._pause_ms = FIRST_PAUSE_MS
        except Forgotten as forgotten:
            log.warning("%s; taking seats anew", forgotten)
            self._start_over()
        except ServerGone as gone:
            if self._connected:
                log.warning("%s; waiting for it", gone)
            self._connected = False
            self.clock.sleep_s(self._pause_ms / 1000)
            self._pause_ms = min(self._pause_ms * 2, LONGEST_PAUSE_MS)

    def leave(self) -> None:
        """Let every seat go, so that another host can take it at once."""
        try:
            for run, company in list(self.companies.items()):
                for seat in list(company.seats.values()):
                    self._let_go(company, seat)
                self._drop(run)
            self.streams.withdraw(self.name)
        except ServerGone:
            log.warning("the server is gone: seats lapse by themselves")
        self._pool.shutdown(wait=True, cancel_futures=True)

    # --- presence, leases, seats --------------------------------------------------------

    def _connect(self) -> None:
        self.time.sample()
        self._tail.look_back()
        self.outbox.resend()
        self._connected = True
        self._kept_ms = -(10**9)
        if not self.companies:
            top = self.streams.top(keys.RUNS)
            self._tail.follow(keys.RUNS, after=top.id if top else "0-0")

    def _keep(self) -> None:
        """Every third of a lease: say we are there, keep our seats, look for free ones."""
        now_ms = self.clock.now_ms()
        if now_ms - self._kept_ms < self.lease_ms // 3:
            return
        self._kept_ms = now_ms
        self.streams.announce(self.name, until_ms=self.time.now_ms() + self.lease_ms)
        for company in list(self.companies.values()):
            self._keep_seats(company)
        if self._free_places() > 0:
            self._find_seats()

    def _keep_seats(self, company: Company) -> None:
        bots = list(company.seats)
        leases = [keys.seat(company.run, bot) for bot in bots]
        kept = self.streams.renew_leases(leases, self.name, ttl_ms=self.lease_ms)
        for bot, is_ours in zip(bots, kept, strict=True):
            seat = company.seats[bot]
            waited_ms = self.clock.now_ms() - seat.asked_ms
            if not is_ours or (not seat.number and waited_ms > 6 * self.lease_ms):
                log.warning("run %s: lost the seat of %s", company.run, bot)
                self._forget(company, seat)

    def _free_places(self) -> int:
        return self.places - sum(len(company.seats) for company in self.companies.values())

    def _find_seats(self) -> None:
        for run in self.streams.live_runs():
            if self.only not in (None, run) or self._refused.get(run, 0) > self.clock.now_ms():
                continue
            company = self._company(run)
            if company is not None:
                self._take_seats(company)
                if not company.seats:
                    self._drop(run)

    def _company(self, run: str) -> Company | None:
        if run not in self.companies:
            body = self.streams.spec(run)
            if body is None:
                return None
            spec = Spec.model_validate_json(body)
            company = Company(run, spec, ollama_host=self.settings.ollama_host)
            self.companies[run] = company
            top = self.streams.top(keys.inbox(run, self.name))
            self._tail.follow(keys.inbox(run, self.name), after=top.id if top else "0-0")
        return self.companies[run]

    def _take_seats(self, company: Company) -> None:
        """Take free seats of a run, as many as there are places for."""
        bots = [bot for bot in company.spec.bots if bot.name not in company.seats]
        owners = self.streams.lease_owners([keys.seat(company.run, bot.name) for bot in bots])
        free = [bot for bot, owner in zip(bots, owners, strict=True) if owner is None]
        start = sum(self.name.encode()) % len(free) if free else 0
        for bot in free[start:] + free[:start]:
            if self._free_places() <= 0:
                return
            if not self._take_seat(company, bot):
                return

    def _take_seat(self, company: Company, bot: BotSpec) -> bool:
        """Try for one seat; false when this run cannot be served from here."""
        try:
            company.mind(bot.model)
        except (Missing, BadInput) as error:
            log.error("run %s: cannot serve %s: %s", company.run, bot.name, error)
            self._refused[company.run] = self.clock.now_ms() + 2 * self.lease_ms
            return False
        lease = keys.seat(company.run, bot.name)
        if self.streams.take_lease(lease, self.name, ttl_ms=self.lease_ms):
            seat = company.seat(bot, now_ms=self.clock.now_ms())
            company.catch_up(self.streams, seat)
            self._join(company, seat)
        return True

    def _join(self, company: Company, seat: Seat) -> None:
        joined = Joined(author=self.name, nonce=fresh_id(), bot=seat.bot.name)
        self.outbox.send(company.run, joined)

    def _let_go(self, company: Company, seat: Seat) -> None:
        seat.stop_all("the host is leaving")
        if seat.number:
            left = Left(author=self.name, nonce=fresh_id(), bot=seat.bot.name, seat=seat.number)
            self.outbox.send(company.run, left)
        self.streams.release_lease(keys.seat(company.run, seat.bot.name), self.name)
        company.seats.pop(seat.bot.name, None)

    def _forget(self, company: Company, seat: Seat) -> None:
        """Give up a seat that is no longer ours."""
        seat.stop_all("the seat is another's")
        company.seats.pop(seat.bot.name, None)
        self._kept_ms = -(10**9)

    def _drop(self, run: str) -> None:
        company = self.companies.pop(run, None)
        if company is not None:
            company.close()
        self._tail.forget(keys.inbox(run, self.name))

    def _start_over(self) -> None:
        """The server lost what we had read: give all seats up, and take them anew."""
        for run, company in list(self.companies.items()):
            for seat in list(company.seats.values()):
                seat.stop_all("starting over")
                self.streams.release_lease(keys.seat(run, seat.bot.name), self.name)
            self.outbox.drop_run(run)
            self._drop(run)
        self._tail = Tail(self.streams)
        self._connected = False

    # --- the inbox ------------------------------------------------------------------------

    def _take(self, entry: Entry) -> None:
        if entry.key == keys.RUNS:
            self._kept_ms = -(10**9)
            return
        run = entry.key.partition("{")[2].partition("}")[0]
        company = self.companies.get(run)
        if company is None:
            return
        try:
            mail = InboxEntry.model_validate_json(entry.body)
        except ValueError as error:
            raise BadEntry(f"{entry.key} {entry.id}", "not an inbox entry") from error
        self.outbox.acknowledge(mail.nonces)
        for event in mail.events:
            match event:
                case Seated():
                    self._seated(company, event)
                case Unseated():
                    self._unseated(company, event)
                case Acted() | Passed() | Revoked():
                    self._closed(company, event)
                case Ended():
                    self._ended(company)
                    return
        if mail.standing:
            company.listen(self.streams)
        for grant in mail.standing:
            self._answer(company, grant)

    def _seated(self, company: Company, event: Seated) -> None:
        seat = company.seats.get(event.bot)
        if seat is not None:
            seat.number = event.seat

    def _unseated(self, company: Company, event: Unseated) -> None:
        """Another host took the seat; or we were thought lost, and take it again."""
        seat = company.seats.get(event.bot)
        if seat is None or event.seat != seat.number:
            return
        if event.reason == "lost":
            seat.stop_all("thought lost")
            seat.number, seat.asked_ms = 0, self.clock.now_ms()
            self._join(company, seat)
        elif event.reason == "replaced":
            self._forget(company, seat)

    def _closed(self, company: Company, event: Acted | Passed | Revoked) -> None:
        seat = company.seats.get(event.bot)
        if seat is not None:
            seat.stop(event.epoch, "revoked")
        if isinstance(event, Revoked):
            self.outbox.drop_grant(company.run, event.epoch)

    def _ended(self, company: Company) -> None:
        for seat in list(company.seats.values()):
            self._let_go(company, seat)
        self._drop(company.run)

    # --- answers ----------------------------------------------------------------------------

    def _answer(self, company: Company, grant: StandingGrant) -> None:
        seat = company.seats.get(grant.event.bot)
        if seat is None or not seat.number or grant.event.epoch in seat.answering:
            return
        stop = Stop()
        seat.answering[grant.event.epoch] = stop
        task = company.prepare(self.name, seat, grant)
        mind = company.mind(seat.bot.model)
        if mind.waits:
            self._pool.submit(self._work, task, mind, stop)
        else:
            self._work(task, mind, stop)

    def _work(self, task: Task, mind: Mind, stop: Stop) -> None:
        """Ask the mind and send what came of it. Runs in a thread when the mind waits."""
        try:
            outcome = carry_out(
                task,
                mind,
                stop,
                clock=self.clock,
                nonce=fresh_id(),
                on_failed=lambda record: self.outbox.note(task.run, record),
            )
            if outcome.input is not None:
                self.outbox.send(task.run, outcome.input, outcome.record)
        except Exception:
            log.exception("run %s: %s could not answer", task.run, task.bot.name)
