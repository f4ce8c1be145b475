"""The host's process: takes seats, answers grants, lets go in order.

One thread reads and decides; minds that wait are asked in threads of a pool, and send
their answers themselves. A host blocks on its inboxes alone, and reads channels when it
has mail: a word in a channel wakes nobody.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bots.company import PAGE, Company, run_of
from bots.minds.seam import Mind
from bots.outbox import Outbox
from bots.patience import Patience
from bots.places import Places
from bots.seat import Seat
from bots.task import Task, allowance_ms
from bots.tokens import Scale
from bots.work import Answering, work
from utils import keys
from utils.clock import Clock
from utils.errors import BadEntry, ServerEvicts, ServerGone, StreamError
from utils.mail import InboxEntry, StandingGrant
from utils.protocol import Ended, Event, Extended, Revoked, Seated, Unseated
from utils.servertime import ServerTime
from utils.settings import Settings
from utils.streams import MAX_BLOCK_MS, Entry, Streams, Tail
from utils.waiting import Wait

log = logging.getLogger("bots")

LONG_AGO_MS = -(10**9)


class Host:
    """Serves bots.

    Args:
        streams: The connection that reads, for this thread alone.
        settings: Lease, and where models answer.
        clock: Local time.
        name: The host's id; unique among hosts that ever were.
        places: How many seats this host takes at most.
        only: Serve this run alone; none for every live run.
        outbox: What sends; by default one with a connection of its own.
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
        threads: int = 512,
    ) -> None:
        self.streams, self.clock, self.name = streams, clock, name
        self.lease_ms = settings.lease_ms
        self.time = ServerTime(streams, clock)
        self.outbox = Outbox(streams.another()) if outbox is None else outbox
        self.places = Places(
            streams,
            self.outbox,
            settings=settings,
            clock=clock,
            name=name,
            most=places,
            only=only,
            on_company=self._follow,
        )
        self._pool = ThreadPoolExecutor(min(places, threads), thread_name_prefix="mind")
        self._tail = Tail(streams)
        self._mail: deque[tuple[Entry, bool]] = deque()
        self._must_start_over = False
        self._kept_ms = LONG_AGO_MS
        self.is_connected, self._connects = False, 0
        self._wait = Wait(clock, log)
        self._stopping = False

    def stop(self) -> None:
        """Ask the loop to end after this step; safe from a signal handler."""
        self._stopping = True

    def run(
        self, *, until_closed: bool = False, is_abandoned: Callable[[], bool] = lambda: False
    ) -> None:
        """Work until told to stop, or until the one run is closed; then let every seat go.

        Args:
            until_closed: Leave when the one run is closed.
            is_abandoned: Asked between two steps: leave when nobody needs this process.
        """
        while not self._stopping and not is_abandoned():
            if until_closed and self.places.is_over:
                break
            self.step()
        self.leave()

    def step(self, *, block_ms: int = MAX_BLOCK_MS) -> None:
        """Do one round: presence, leases, seats, and what the inboxes hold."""
        try:
            if self._must_start_over:
                self._start_over()
            if not self.is_connected or self._connects != self.streams.connects:
                self._connect()
            self._keep()
            if self.outbox.is_behind:
                self.outbox.resend()
            self._read(min(block_ms, max(1, self.lease_ms // 3)))
            self._wait.over()
        except StreamError as error:  # what was read is gone, or is not what it should be
            log.warning("%s; taking seats anew", error)
            self.places.refuse(run_of(error.entry) if isinstance(error, BadEntry) else "")
            self._must_start_over = True
            self._wait.rest()
        except ServerGone as gone:
            self.is_connected = False
            if isinstance(gone, ServerEvicts):  # then minds' threads write nothing either
                self.places.fleet.is_held = True
                self.outbox.hold()
            self._wait.out(gone)

    def leave(self) -> None:
        """Let every seat go, so that another host can take it at once."""
        try:
            for company in list(self.places.companies.values()):
                self.places.leave(company)
            self.streams.withdraw(self.name)
        except ServerGone:
            log.warning("the server is gone: seats lapse by themselves")
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.places.fleet.close()

    # --- presence and leases ------------------------------------------------------------

    def _connect(self) -> None:
        """After a (re)connect: look back, and say again what nobody has taken in."""
        self.streams.look()
        self.time.sample()
        self._tail.look_back()
        for company in self.places.companies.values():
            company.look_back(self.streams)
        self.places.fleet.is_held = False
        self.outbox.resend()
        if not self.places.companies:
            top = self.streams.top(keys.RUNS)
            self._tail.follow(keys.RUNS, after=top.id if top else "0-0")
        self.is_connected, self._connects = True, self.streams.connects
        self._kept_ms = LONG_AGO_MS

    def _start_over(self) -> None:
        """Give all seats up, to take them anew: the server lost what we had read."""
        self.streams.look()
        self.places.start_over()
        self._tail, self._mail = Tail(self.streams), deque()
        self._must_start_over = self.is_connected = False

    def _keep(self) -> None:
        """Every third of a lease: say we are there, keep our seats, look for free ones."""
        for run in self.places.find() if self._stay() else ():
            self._tail.forget(keys.inbox(run, self.name))

    def _stay(self) -> bool:
        """Say we are there, and keep our seats, when it is time to: in a long read too."""
        if self.clock.now_ms() - self._kept_ms < self.lease_ms // 3:
            return False
        self.streams.look()
        self._kept_ms = self.clock.now_ms()
        self.time.sample()
        self.streams.announce(self.name, until_ms=self.time.now_ms() + self.lease_ms)
        self.places.keep()
        return True

    def _follow(self, run: str) -> None:
        key = keys.inbox(run, self.name)
        top = self.streams.top(key)
        self._tail.follow(key, after=top.id if top else "0-0")

    # --- the inbox ----------------------------------------------------------------------

    def _read(self, block_ms: int) -> None:
        """Wait for mail. A host of one run has its channels read in the same round trip."""
        companies = list(self.places.companies.values())
        if self._mail:
            pass  # what a lost connection left over comes first
        elif len(companies) != 1:
            self._mail.extend((entry, False) for entry in self._tail.read(block_ms=block_ms))
        else:
            positions = companies[0].positions
            mail, heard = self._tail.read_then(positions, block_ms=block_ms, count=PAGE)
            has_heard_all = bool(positions) and companies[0].hear(heard)
            self._mail.extend((entry, has_heard_all) for entry in mail)
        while self._mail:
            entry, has_heard_all = self._mail[0]
            with self.places.blaming(run_of(entry.key)):
                self._take(entry, has_heard_all=has_heard_all)
            self._mail.popleft()

    def _take(self, entry: Entry, *, has_heard_all: bool = False) -> None:
        if entry.key == keys.RUNS:
            self._kept_ms = LONG_AGO_MS
            return
        company = self.places.companies.get(run_of(entry.key))
        if company is None:
            return
        try:
            mail = InboxEntry.model_validate_json(entry.body)
        except ValueError as error:
            raise BadEntry(f"{entry.key} {entry.id}", "not an inbox entry") from error
        self.outbox.acknowledge(mail.nonces)
        seated = {event.bot for event in mail.events if isinstance(event, Seated)}
        for event in mail.events:
            if not (isinstance(event, Unseated) and event.bot in seated):
                self._note(company, event)
        for bot, channels in mail.entered().items():
            if bot in company.seats:
                company.enter(self.streams, bot, channels, on_page=self._stay)
                has_heard_all = False
        if mail.standing and not has_heard_all:
            company.listen(self.streams)
        for grant in mail.standing:
            self._answer(company, grant)

    def _note(self, company: Company, event: Event) -> None:
        match event:
            case Seated() if event.bot in company.seats:
                company.seats[event.bot].sit(event.seat)
                company.learn(self.streams, event.bot)
                log.info("run %s: %s has seat %d", company.run, event.bot, event.seat)
            case Unseated():
                self._unseated(company, event)
            case Extended() if event.bot in company.seats:
                until_ms = self.clock.now_ms() + allowance_ms(event.allow_ms)
                company.seats[event.bot].extend(event.epoch, until_ms=until_ms)
            case Revoked():
                self._revoked(company, event)
            case Ended():
                self.places.leave(company)
                self._tail.forget(keys.inbox(company.run, self.name))

    def _unseated(self, company: Company, event: Unseated) -> None:
        """Another host took the seat; or we were thought lost, and take it again."""
        seat = company.seats.get(event.bot)
        if seat is None or event.seat != seat.number:
            return
        if event.reason == "lost":
            seat.stop_all("thought lost")
            self.places.join(company, seat)
        elif event.reason == "replaced":
            self.places.forget(company, seat)

    def _revoked(self, company: Company, event: Revoked) -> None:
        seat = company.seats.get(event.bot)
        if seat is not None:
            seat.stop(event.epoch, "the grant is revoked")
        self.outbox.drop_answers(company.run, event.bot, upto=event.epoch)

    # --- answers ------------------------------------------------------------------------

    def _answer(self, company: Company, grant: StandingGrant) -> None:
        seat = company.seats.get(grant.event.bot)
        if seat is None or not seat.number or grant.event.epoch in seat.answering:
            return
        # A bot holds one grant at a time: this one says that those before it are closed.
        seat.answering.clear()
        self.outbox.drop_answers(company.run, seat.bot.name, upto=grant.event.epoch - 1)
        until_ms = self.clock.now_ms() + allowance_ms(grant.event.allow_ms)
        answering = Answering(Patience(until_ms=until_ms))
        seat.answering[grant.event.epoch] = answering
        try:
            task = company.prepare(self.name, seat, grant)
            mind = company.mind(seat.bot.model)
        except Exception:
            # A stranger's memory or mind must cost a turn, by its deadline, and not the host.
            log.exception("run %s: %s could not be asked", company.run, seat.bot.name)
            return
        if mind.waits:
            self._pool.submit(self._work, seat, task, mind, answering)
        else:
            self._work(seat, task, mind, answering)

    def _work(self, seat: Seat, task: Task, mind: Mind, answering: Answering) -> None:
        def learn(scale: Scale) -> None:
            seat.scale = scale

        try:
            work(task, mind, answering, outbox=self.outbox, clock=self.clock, on_scale=learn)
        except Exception:
            # A defect of ours must cost a turn, by its deadline, and not the host.
            log.exception("run %s: %s could not answer", task.sitting.run, task.sitting.bot.name)
