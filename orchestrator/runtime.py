"""The orchestrator's process: leads every run it can get, and stands by for the rest.

One thread, one connection, one blocking read over the floors of all runs led. Leases
are renewed between reads, so a process whose loop hangs loses them by itself: there is
no thread that would renew them on its behalf.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from orchestrator.batch import entry_ms
from orchestrator.leader import Leader, is_under_way
from orchestrator.routes import target_key
from orchestrator.rules import HASHED_EVERY
from utils import keys
from utils.clock import Clock
from utils.errors import BadInput, Conflict, Hole, ServerGone, StreamError
from utils.servertime import ServerTime
from utils.streams import MAX_BLOCK_MS, Entry, Streams
from utils.waiting import Wait

log = logging.getLogger("orchestrator")

LONG_AGO_MS = -(10**9)

CLOCK_SLACK_MS = 500
"""How far the server's clock may be ahead of our idea of it before we ask it again."""


class Orchestrator:
    """Leads runs.

    Args:
        streams: This process's only connection.
        clock: Local time.
        name: Owner name for leases; unique among processes.
        lease_ms: How long a lease lasts without renewal.
        only: Lead this run alone; none for every live run.
        hashed_every: Commits from one snapshot to the next, as `Leader.open` has it.
    """

    def __init__(
        self,
        streams: Streams,
        *,
        clock: Clock,
        name: str,
        lease_ms: int,
        only: str | None = None,
        hashed_every: int = HASHED_EVERY,
    ) -> None:
        self.streams, self.clock, self.name = streams, clock, name
        self.lease_ms, self.only, self._hashed_every = lease_ms, only, hashed_every
        self.time = ServerTime(streams, clock)
        self.led: dict[str, Leader] = {}
        self.closed: set[str] = set()
        self._broken: set[str] = set()
        self._leases_ms = self._hosts_ms = LONG_AGO_MS
        self.is_connected, self._connects = False, 0
        self._server_id, self._patience_ms, self._is_new = "", 0, True
        self._wait = Wait(clock, log)
        self._registry: str | None = None
        self._stopping = False

    def stop(self) -> None:
        """Ask the loop to end after this step; safe from a signal handler."""
        self._stopping = True

    def run(
        self, *, until_closed: bool = False, is_abandoned: Callable[[], bool] = lambda: False
    ) -> None:
        """Work until told to stop, or until the one run is closed.

        Args:
            until_closed: Leave when the one run is closed.
            is_abandoned: Asked between two steps: leave when nobody needs this process.
        """
        while not self._stopping and not is_abandoned():
            if until_closed and self.only in self.closed:
                break
            self.step()
        self.hand_over()

    def step(self, *, block_ms: int = MAX_BLOCK_MS) -> None:
        """Do one round: leases, hosts, floors, deadlines."""
        try:
            if not self.is_connected or self._connects != self.streams.connects:
                self._connect()
            self._keep_leases()
            self._check_hosts()
            self._read(self._block_ms(block_ms))
            self._finish()
            self._wait.over()
        except ServerGone as gone:
            self.is_connected = False
            self._wait.out(gone)
        except StreamError as error:
            self._part_with_spoiled(error)
            self._wait.rest()

    def hand_over(self) -> None:
        """Let go of every lease, so that another can lead at once."""
        try:
            for run in list(self.led):
                self.streams.release_lease(keys.leader(run), self.name)
        except ServerGone:
            log.warning("the server is gone: leases lapse by themselves")
        self.led.clear()

    # --- connection -------------------------------------------------------------------

    def _connect(self) -> None:
        """After a (re)connect: sample the time, and see what the server still holds."""
        self.streams.look()
        self.time.sample()
        server_id = str(self.streams.info().get("run_id", ""))
        if server_id != self._server_id:
            # Another process may be mending what a restarted server forgot.
            self._patience_ms = self.clock.now_ms() + self.lease_ms
            self._is_new = not self._server_id
        self._server_id, self._registry = server_id, None
        self._leases_ms, self._hosts_ms = LONG_AGO_MS, self.clock.now_ms() + self.lease_ms
        for run, leader in list(self.led.items()):
            with self._guard(run):
                try:
                    leader.recover(self.time.now_ms())
                except Conflict as conflict:
                    log.warning("run %s: another leader wrote; folding again (%s)", run, conflict)
                    self._let_go(run)
        self.is_connected, self._connects = True, self.streams.connects

    # --- leases -----------------------------------------------------------------------

    def _keep_leases(self) -> None:
        """Every third of a lease: renew what is led, and try for what is free."""
        if self.clock.now_ms() - self._leases_ms < self.lease_ms // 3:
            return
        self.streams.look()
        self._leases_ms = self.clock.now_ms()
        for run in list(self.led):
            self._renew(run)
        is_patient = self.clock.now_ms() < self._patience_ms
        if is_patient and not self._is_new:
            return
        for run in self.streams.open_runs(self.only):
            if run not in self.led and run not in self._broken:
                with self._guard(run):
                    if not (is_patient and is_under_way(self.streams, run)):
                        self._try_to_lead(run)

    def _renew(self, run: str) -> None:
        key = keys.leader(run)
        kept = self.streams.renew_lease(key, self.name, ttl_ms=self.lease_ms)
        if not kept and not self.streams.take_lease(key, self.name, ttl_ms=self.lease_ms):
            log.warning("run %s: another leads it now", run)
            self.led.pop(run, None)

    def _try_to_lead(self, run: str) -> None:
        if not self.streams.take_lease(keys.leader(run), self.name, ttl_ms=self.lease_ms):
            return
        with self._guard(run):
            self.time.sample()
            leader = self._open(run)
            self.led[run] = leader
            leader.begin(self.time.now_ms())
            log.info("run %s: leading from commit %d", run, leader.state.seq)

    def _open(self, run: str) -> Leader:
        return Leader.open(
            self.streams, run, on_page=lambda: self._renew(run), hashed_every=self._hashed_every
        )

    @contextmanager
    def _guard(self, run: str) -> Iterator[None]:
        """Do something with a run; give the run up when its record is not ours to write."""
        try:
            yield
        except Conflict as conflict:
            self._yield_to(run, conflict)
        except Hole as hole:
            self._halt(run, str(hole))
        except (BadInput, StreamError) as broken:
            log.error("run %s: cannot be led: %s", run, broken)
            self._broken.add(run)
            self._let_go(run)
        except ServerGone:
            raise
        except Exception:  # a plugin's rule may raise anything: it stops its own run alone
            log.exception("run %s: cannot be led: its rules failed", run)
            self._broken.add(run)
            self._let_go(run)

    def _yield_to(self, run: str, conflict: Conflict) -> None:
        """Let go of a run that another leads; if the server only forgot, look back first."""
        leader = self.led.get(run)
        if leader is not None and conflict.seq < leader.state.seq:
            self.is_connected = False
            return
        log.warning("run %s: another leader wrote; folding again (%s)", run, conflict)
        self._let_go(run)

    def _let_go(self, run: str) -> None:
        self.led.pop(run, None)
        with suppress(StreamError):  # the key may hold anything
            self.streams.release_lease(keys.leader(run), self.name)
        self._leases_ms = LONG_AGO_MS

    def _part_with_spoiled(self, error: StreamError) -> None:
        """Give up the runs whose keys are not of the types they should be; lead the others."""
        log.error("%s", error)
        for run, leader in list(self.led.items()):
            with self._guard(run):
                self.streams.count(leader.floor_key)
                self._renew(run)

    def _halt(self, run: str, why: str) -> None:
        log.error("run %s: halted: %s", run, why)
        with self._guard(run):
            leader = self._open(run)
            self.led[run] = leader
            leader.halt(why, self.time.now_ms())

    # --- work -------------------------------------------------------------------------

    def _check_hosts(self) -> None:
        """Every third of a lease: notice the hosts whose presence lapsed."""
        if not self.led or self.clock.now_ms() - self._hosts_ms < self.lease_ms // 3:
            return
        self._hosts_ms = self.clock.now_ms()
        server_ms = self.streams.time_ms()
        if server_ms > self.time.now_ms():  # set back, deadlines go on by our own clock
            self.time.sample()
        now_ms = self.time.now_ms()
        present = {host for host, until in self.streams.presences().items() if until >= server_ms}
        for run, leader in list(self.led.items()):
            if leader.state.phase in ("gathering", "running"):
                with self._guard(run):
                    leader.lose_hosts(present, now_ms)

    def _block_ms(self, longest_ms: int) -> int:
        """Tell how long a read may wait: to the next deadline, the next lease, the next look."""
        now_ms = self.time.now_ms()
        left_ms = [leader.ms_to_next(now_ms) for leader in self.led.values()]
        waits = [ms for ms in left_ms if ms is not None]
        return max(1, min([longest_ms, self.lease_ms // 3, *waits]))

    def _read(self, block_ms: int) -> None:
        after = {leader.floor_key: leader.state.cursor for leader in self.led.values()}
        after[keys.RUNS] = self._registry_position()
        arrived: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.streams.read(after, block_ms=block_ms, count=100):
            arrived[entry.key].append(entry)
        if arrived.pop(keys.RUNS, None):
            self._registry = None
            self._leases_ms = LONG_AGO_MS
        now_ms = self.time.now_ms()
        latest = [entry_ms(entries[-1].id) for entries in arrived.values()]
        if max(latest, default=0) > now_ms + CLOCK_SLACK_MS:
            self.time.sample()
            now_ms = self.time.now_ms()
        for run, leader in list(self.led.items()):
            with self._guard(run):
                read = arrived.get(leader.floor_key, [])
                if read:  # to the end of the line: the others come first next time
                    self.led[run] = self.led.pop(run)
                leader.consume(read, now_ms)
                leader.fire_due(now_ms)

    def _registry_position(self) -> str:
        """Remember where the registry ends, to be woken when a run is added."""
        if self._registry is None:
            top = self.streams.top(keys.RUNS)
            self._registry = top.id if top else "0-0"
        return self._registry

    def _finish(self) -> None:
        """Close the records of runs that ended, and let them go."""
        for run, leader in list(self.led.items()):
            if leader.state.phase not in ("ended", "closed"):
                continue
            with self._guard(run):
                if leader.close_record(self.time.now_ms(), wait_ms=self.lease_ms):
                    self._retire(run, leader)

    def _retire(self, run: str, leader: Leader) -> None:
        self.streams.retire(run)
        inboxes = [target for target in leader.state.tops if target.startswith("inbox:")]
        self.streams.drop([target_key(run, target) for target in inboxes])
        self.streams.release_lease(keys.leader(run), self.name)
        self.led.pop(run, None)
        self.closed.add(run)
        log.info("run %s: closed after %d turns", run, leader.state.turns)
