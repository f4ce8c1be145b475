"""A run and its leader, whose time, floor and server are in a test's hands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import fakeredis

from orchestrator.leader import Leader
from orchestrator.state import Grant
from parley.starting import start
from tests.scenes import spec_of
from tests.swarm import FakeStreams
from utils import keys
from utils.errors import ServerGone
from utils.journal import Sealed, chain
from utils.spec import Spec
from utils.streams import Entry

T0 = 1_000_000
"""Journal time at which a court begins."""

ALLOW_MS = 120_000
"""How long a grant lives by default."""


class Lossy(FakeStreams):
    """A connection that breaks when it is told to: at a read, or after or before a commit."""

    breaks = ""

    def _break(self, when: str) -> None:
        if self.breaks == when:
            self.breaks = ""
            raise ServerGone(when)

    def commit(self, run: str, sealed: Sealed, targets: Mapping[str, str]) -> None:
        self._break("before the commit")
        super().commit(run, sealed, targets)
        self._break("after the commit")

    def read(self, *args: Any, **given: Any) -> list[Entry]:
        self._break("at the read")
        return super().read(*args, **given)


class Court:
    """A run and its leader, whose time and floor are in the test's hands."""

    def __init__(self, spec: Spec | None = None, *, leads: type[Leader] = Leader) -> None:
        self.server = fakeredis.FakeServer()
        self.streams = Lossy(self.server)
        self.raw: Any = fakeredis.FakeRedis(server=self.server)
        self.run = start(self.streams, spec or spec_of())
        self.now_ms, self.arrived = T0, 0
        self._leads = leads
        self.leader = self.another()

    def another(self) -> Leader:
        """Have another leader read what is there."""
        return self._leads.open(self.streams, self.run)

    def begin(self) -> Court:
        self.leader.begin(self.now_ms)
        for bot in self.leader.rules.spec.bots:
            self.arrive({"kind": "joined", "author": f"host-{bot.name}", "bot": bot.name})
        self.consume()
        return self

    def arrive(
        self, body: dict[str, Any] | str | bytes, *, at_ms: int = 0, field: str = "b"
    ) -> str:
        self.arrived += 1
        if isinstance(body, dict):
            body = json.dumps({"nonce": f"n{self.arrived}", **body})
        entry_id = f"{at_ms or self.now_ms}-{self.arrived}"
        self.raw.xadd(keys.floor(self.run), {field: body}, id=entry_id)
        return entry_id

    def consume(self, *, now_ms: int = 0, count: int = 5_000) -> None:
        self.now_ms = now_ms or self.now_ms
        after = {self.leader.floor_key: self.leader.state.cursor}
        self.leader.consume(self.streams.read(after, count=count), self.now_ms)

    def answer(self, grant: Grant | None = None) -> dict[str, Any]:
        return an_answer(self.leader, grant)

    def talk(self, turns: int) -> None:
        for _ in range(turns):
            self.arrive(self.answer())
            self.consume()

    @property
    def journal(self) -> list[Sealed]:
        return list(chain(self.streams.journal(self.run)))

    def events(self, kind: str) -> list[Any]:
        return [one for sealed in self.journal for one in sealed.commit.events if one.kind == kind]

    def forget(self, *, after: int) -> dict[bytes, Any]:
        return forget(self.raw, self.run, after=after)


def an_answer(leader: Leader, grant: Grant | None = None) -> dict[str, Any]:
    """Write the proposal that answers a live grant, the first unless it is named."""
    grant = grant or leader.state.live()[0]
    seat = leader.state.seats[grant.event.bot]
    return {
        "kind": "proposed",
        "nonce": f"e{grant.event.epoch}",
        "author": seat.host,
        "bot": grant.event.bot,
        "seat": seat.number,
        "epoch": grant.event.epoch,
        "grant": grant.commit_sha256,
        "action": {"kind": "say", "text": f"{grant.event.bot} speaks."},
    }


def forget(raw: Any, run: str, *, after: int) -> dict[bytes, Any]:
    """Make the server forget all commits after one, and what went with them; what there was."""
    was = {}
    for kind in ("journal", "channel:*", "inbox:*"):
        for key in raw.scan_iter(f"parley:{{{run}}}:{kind}"):
            was[key] = raw.xrange(key)
            raw.delete(key)
            for entry_id, fields in was[key]:
                if int(entry_id.split(b"-")[0]) <= after:
                    raw.xadd(key, fields, id=entry_id)
    return was


def rolled_back(seconds: int, *, leads: type[Leader] = Leader) -> Court:
    """Lead a talk whose server lost its last two turns, and its clock so many seconds."""
    court = Court(leads=leads).begin()
    court.talk(2)
    kept = court.leader.state
    court.now_ms += seconds * 1_000
    court.talk(2)
    floor: Any = court.raw.xrange(court.leader.floor_key, max=kept.cursor)
    court.raw.delete(court.leader.floor_key)
    for entry_id, fields in floor:
        court.raw.xadd(court.leader.floor_key, fields, id=entry_id)
    court.forget(after=kept.seq)
    court.now_ms = T0 + 5
    court.arrive({"kind": "mark", "author": "cy", "text": "Is anybody there?"})
    return court


def mend_and_die(court: Court) -> None:
    """Let a leader append two lost commits again, and die before it can say so."""
    for _ in range(2):
        court.streams.breaks = "after the commit"
        with suppress(ServerGone):
            court.leader.recover(court.now_ms)
    court.leader = court.another()
    court.leader.begin(court.now_ms)
