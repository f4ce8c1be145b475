"""One run, led: the dull edge between the engine and Redis.

A leader holds a run's state, turns floor entries and deadlines into commits, and
appends each one by compare-and-set. It may be wrong about being the leader: then its
next commit finds another's in its place, `Conflict` is raised, and nothing was written.

This file is over 300 lines because what is written, what is written again and what is read
again change one state between them, and are wrong apart.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from orchestrator import engine, recovery
from orchestrator.batch import before_deadline, entry_ms, entry_place
from orchestrator.course import Course
from orchestrator.kept import Kept, KeptCommits
from orchestrator.routes import channels_alone, entries, target_key
from orchestrator.rules import HASHED_EVERY
from orchestrator.snapshot_store import SnapshotStore
from orchestrator.state import State
from orchestrator.unread import LOOKED_AT, Taken, first_unread, taken
from utils import keys
from utils.errors import BadEntry, Conflict, Hole
from utils.journal import (
    MAX_COMMIT_BYTES,
    MAX_WHOLE_BYTES,
    Consumed,
    Sealed,
    consume,
    follow,
    unseal,
)
from utils.lineage import check_era, eras_of
from utils.protocol import Branched, CallsCounted, HostLost, Notice, Observed, Started
from utils.streams import Entry, Streams, unseal_entry


class Leader:
    """Leads one run.

    Args:
        streams: The process's connection.
        run: The run's id.
        course: What the run follows, and as a fork followed before.
    """

    def __init__(self, streams: Streams, run: str, course: Course) -> None:
        self.streams, self.run, self.course, self.rules = streams, run, course, course.last
        self.state: State = engine.initial(course.first)
        self.ended_at_ms = 0
        self._kept = KeptCommits()
        self._mended: tuple[int, str] | None = None
        self._last: Sealed | None = None
        self._snapshots = SnapshotStore(
            streams, run, course.eras[-1].sha256, every=course.last.hashed_every
        )
        self._taken: deque[Taken] = deque(maxlen=LOOKED_AT)
        self._unsure: tuple[Sealed, State, dict[str, str]] | None = None

    @classmethod
    def open(
        cls,
        streams: Streams,
        run: str,
        *,
        on_page: Callable[[], None] | None = None,
        hashed_every: int = HASHED_EVERY,
    ) -> Leader:
        """Read a run's spec and fold its journal, from its snapshot on if it has one.

        Args:
            on_page: Called now and then while a long journal is folded, so that the
                lease can be renewed.
            hashed_every: Commits from one snapshot to the next, each with its hash in the
                journal. Other than by default only where a run is made to be looked at:
                to `parley verify`, such a journal does not follow.

        Raises:
            BadEntry: Spec or journal are not what they say they are, or the journal's
                beginning was trimmed and there is no snapshot to start from.
        """
        course = Course.read(run, streams.spec(run), hashed_every=hashed_every)
        while True:
            leader = cls(streams, run, course)
            snapshot = streams.read_snapshot(run)
            try:
                leader._fold(on_page)
            except BadEntry:
                if streams.read_snapshot(run) == snapshot:
                    raise
                continue  # trimmed under our hands, behind a newer snapshot
            return leader

    def _fold(self, on_page: Callable[[], None] | None) -> None:
        """Take in the journal, from the snapshot on if there is one."""
        found = self._snapshots.find(self.course.last)
        if found is not None:
            self.state, self._last = found
        for sealed in self.streams.journal(self.run, after=self.state.seq):
            self._take(sealed)
            if on_page and sealed.seq % 100 == 0:
                on_page()

    # --- what the process asks ------------------------------------------------------

    @property
    def floor_key(self) -> str:
        """The stream this leader consumes, from `state.cursor` on."""
        return keys.floor(self.run)

    def begin(self, now_ms: int) -> None:
        """Write the run's own first commit, if it is not there yet; else see what was passed over.

        Raises:
            BadEntry: The run is a fork, and the server has not all that it was forked from.
        """
        if self.state.seq >= self.course.first_seq:
            if self._mended is None:  # else that is said with a cursor of its own
                self._look_at_floor(now_ms)
            return
        if self.state.seq + 1 < self.course.first_seq:
            what = f"it is a fork of commit {self.course.first_seq - 1}, which is not there"
            raise BadEntry(f"run {self.run}", what)
        kind = Branched if self.state.seq else Started
        own = kind(run=self.run, spec_sha256=self.course.eras[-1].sha256)
        self._commit((), (own,), now_ms, cursor="0-0")

    def consume(self, read: list[Entry], now_ms: int) -> None:
        """Take floor entries in, with the deadlines that passed before each of them."""
        waiting = [consume(entry.id, entry.fields) for entry in read]
        if read:  # the server's clock says so, whatever ours made of a sleep or a step
            now_ms = max(now_ms, entry_ms(read[-1].id))
        while waiting and self.state.phase != "closed":
            taken = before_deadline(waiting, recovery.next_due_ms(self.rules, self.state))
            if not taken and not self._fire(entry_ms(waiting[0].id) - 1, now_ms):
                taken = (waiting[0],)
            if taken:
                taken = self._commit_inputs(taken, now_ms)
                del waiting[: len(taken)]

    def fire_due(self, now_ms: int) -> None:
        """Let what is due by now happen."""
        due_ms = recovery.next_due_ms(self.rules, self.state)
        if due_ms is not None and due_ms <= now_ms:
            self._fire(now_ms, now_ms)

    def ms_to_next(self, now_ms: int) -> int | None:
        """Tell how long nothing is due by itself; none when nothing ever is."""
        due_ms = recovery.next_due_ms(self.rules, self.state)
        return None if due_ms is None else due_ms - now_ms

    def lose_hosts(self, present: set[str], now_ms: int) -> None:
        """Notice the hosts that serve this run and are no longer there."""
        serving = {seat.host for seat in self.state.seats.values() if seat.host}
        for host in sorted(serving - present):
            self._commit((), (HostLost(host=host),), now_ms)

    def close_record(self, now_ms: int, *, wait_ms: int) -> bool:
        """Close the record of an ended run, once its hosts have left or time is up.

        Returns:
            Whether the record is closed now.
        """
        if self.state.phase == "ended":
            seated = any(seat.host for seat in self.state.seats.values())
            if seated and now_ms < self.ended_at_ms + wait_ms:
                return False
            calls, last_id = self.streams.tally(keys.calls(self.run))
            self._commit((), (CallsCounted(calls=calls, last_id=last_id),), now_ms)
        return self.state.phase == "closed"

    def recover(self, now_ms: int) -> None:
        """After a reconnect: see whether the server still holds what was written.

        A tail it forgot is appended again. A commit whose reply was lost is found
        there and taken in.

        Raises:
            Conflict: Another leader has written. Fold again.
            Hole: The server forgot more than this leader kept. Fold again, and `halt`.
        """
        top = self.streams.top(keys.journal(self.run))
        seq, sha256 = (int(top.id.partition("-")[0]), top.fields.get("h", "")) if top else (0, "")
        if self._unsure and (seq, sha256) == (self._unsure[0].seq, self._unsure[0].sha256):
            self._advance(*self._unsure)
        self._unsure = None
        if seq == self.state.seq and sha256 in ("", self.state.sha256):
            self.begin(now_ms)  # it may have been cut off before its first commit arrived
            self._own_up(now_ms)
            return
        if seq > self.state.seq:
            raise Conflict(seq, sha256)
        self._mend(top, now_ms)

    def halt(self, why: str, now_ms: int) -> None:
        """End the run with an incident: its record has a hole that nobody can mend."""
        self._commit((), (Observed(name="hole", detail=why[:500]),), now_ms)

    # --- commits --------------------------------------------------------------------

    def _commit_inputs(self, taken: tuple[Consumed, ...], now_ms: int) -> tuple[Consumed, ...]:
        """Commit as many of these inputs as fit; those that were."""
        while not self._commit(taken, (), now_ms):
            if len(taken) == 1:
                cut = taken[0].model_copy(
                    update={"raw": taken[0].raw[:500], "malformed": "too large for a commit"}
                )
                self._commit((cut,), (), now_ms)
                break
            taken = taken[: len(taken) // 2]
        return taken

    def _fire(self, by_ms: int, now_ms: int) -> bool:
        """Let what is due by a time happen; whether anything was."""
        noticed = recovery.due(self.rules, self.state, by_ms=by_ms)
        if noticed:
            self._commit((), tuple(noticed), now_ms)
        return bool(noticed)

    def _commit(
        self,
        inputs: tuple[Consumed, ...],
        noticed: tuple[Notice, ...],
        now_ms: int,
        *,
        cursor: str | None = None,
    ) -> bool:
        """Decide and append; false only when the commit would be too large for its inputs.

        A single one is written with all that follows from it: a round's grants, say.

        Raises:
            BadEntry: It is too large by what follows alone.
        """
        if cursor is None:
            cursor = inputs[-1].id if inputs else self.state.cursor
        made = engine.advance(
            self.rules,
            self.state,
            engine.Causes(inputs=inputs, noticed=noticed),
            at_ms=max(self.state.at_ms, now_ms),
            cursor=cursor,
        )
        if made is None:
            return True
        sealed, after = made
        size = len(sealed.body.encode())
        if size > (MAX_COMMIT_BYTES if len(inputs) > 1 else MAX_WHOLE_BYTES):
            if len(inputs) > 1 or any(not one.malformed for one in inputs):
                return False
            raise BadEntry(f"run {self.run}", f"{size:,} bytes would follow in one commit")
        beside = entries(self.state, after, sealed)
        self._unsure = (sealed, after, beside)
        self._append(sealed, beside)
        self._unsure = None
        self._advance(sealed, after, beside)
        return True

    def _append(self, sealed: Sealed, beside: dict[str, str]) -> None:
        targets = {target_key(self.run, target): body for target, body in beside.items()}
        self.streams.commit(self.run, sealed, targets)

    def _take(self, sealed: Sealed) -> None:
        """Take in a commit read from the journal."""
        if self._last is None and sealed.seq > 1:
            why = f"it begins at commit {sealed.seq:,}, and there is no snapshot to start from"
            raise BadEntry(keys.journal(self.run), why)
        follow(self._last, sealed)
        check_era(self.course.eras, sealed)
        after = engine.evolve(self.course.at(sealed.seq), self.state, sealed)
        beside = entries(self.state, after, sealed)
        if sealed.seq < self.course.first_seq:
            beside = channels_alone(beside)
        self._advance(sealed, after, beside)

    def _advance(self, sealed: Sealed, after: State, beside: dict[str, str]) -> None:
        if after.phase == "ended" and self.state.phase != "ended":
            self.ended_at_ms = sealed.commit.at_ms
        self.state, self._last = after, sealed
        if sealed.seq >= self.course.first_seq:  # before it, another run's floor was read
            self._taken.extend(taken(one) for one in sealed.commit.inputs)
        self._kept.add(Kept(sealed.seq, sealed.sha256, sealed.body, beside))
        self._snapshots.keep(after)

    def _mend(self, top: Entry | None, now_ms: int) -> None:
        """Append again what a restarted server forgot, and read its floor again from there.

        What it forgot of the floor is said again, and a server whose clock went back may
        give it an id at or below the cursor. What it did not forget is known by its nonce.
        """
        last = unseal_entry(top) if top is not None else None
        seq, sha256 = (last.seq, last.sha256) if last is not None else (0, "")
        kept = self._kept.after(seq)
        if not kept:
            raise Conflict(seq, sha256)
        first = unseal(kept[0].seq, kept[0].body, kept[0].sha256)
        if first.seq != seq + 1:
            raise Hole(f"the server's journal ends at {seq}, mine at {self.state.seq}")
        if seq and first.commit.prev != sha256:  # another led on from what the server kept
            raise Conflict(seq, sha256)
        forgotten = [unseal(one.seq, one.body, one.sha256) for one in kept]
        # The lowest: what was appended again before has its inputs no more on the floor.
        cursors = [self._cursor(one) for one in (*forgotten, last) if one is not None]
        since = seq + 1
        if self._mended is not None:  # cut off in the middle, or before it was said
            since, before = min(since, self._mended[0]), self._mended[1]
            cursors.append(before)
        self._mended = since, min(cursors, key=entry_place)
        for sealed, one in zip(forgotten, kept, strict=True):
            self._append(sealed, one.beside)
        self.begin(now_ms)
        self._own_up(now_ms)

    def _cursor(self, sealed: Sealed) -> str:
        """Tell how far a commit had read this run's own floor."""
        return sealed.commit.cursor if sealed.seq >= self.course.first_seq else "0-0"

    def _look_at_floor(self, now_ms: int) -> None:
        """Read again what whoever led before passed over, if it died before it could say so."""
        floor = self.streams.latest(self.floor_key, upto=self.state.cursor, count=LOOKED_AT)
        again = first_unread(self._taken, floor, self.state.cursor)
        if again is not None:
            detail = f"the floor was rolled back; read again from {again}"
            self._commit((), (Observed(name="mended", detail=detail),), now_ms, cursor=again)

    def _own_up(self, now_ms: int) -> None:
        """Say in the journal that it was mended, if that is not said yet."""
        if self._mended is not None:
            since, cursor = self._mended
            detail = f"server forgot commits {since} to {self.state.seq}; appended again"
            self._commit((), (Observed(name="mended", detail=detail),), now_ms, cursor=cursor)
            self._mended = None


def is_under_way(streams: Streams, run: str) -> bool:
    """Tell whether somebody led the run before: they may hold more of it than the server does."""
    top = streams.top(keys.journal(run))
    if top is None:
        return False
    first_seq = eras_of(run, streams.spec(run))[-1].first_seq  # a fork's first commit of its own
    return entry_ms(top.id) >= first_seq
