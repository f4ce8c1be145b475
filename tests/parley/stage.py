"""A run on a server in this process, written by a table."""

from __future__ import annotations

import fakeredis

from parley.commands.runs import list_runs
from parley.commands.status import tell_status
from parley.starting import start
from tests.scenes import Table, spec_of
from tests.swarm import FakeStreams
from utils import keys
from utils.protocol import CallsCounted
from utils.spec import Spec


class StillStreams(FakeStreams):
    """A server whose clock stands until a test moves it."""

    now_ms = 1_700_000_000_000

    def time_ms(self) -> int:
        return self.now_ms


class Stage:
    """A run on a server in this process, written by a table."""

    def __init__(self, spec: Spec | None = None) -> None:
        self.streams = StillStreams(fakeredis.FakeServer())
        self.spec = spec or spec_of(turns=6)
        self.run = start(self.streams, self.spec)
        self.table = Table(self.spec, now_ms=self.streams.time_ms())
        self._put = 0

    def put(self) -> Stage:
        for sealed in self.table.journal[self._put :]:
            self.streams.commit(self.run, sealed, {})
        self._put = len(self.table.journal)
        return self

    def lead(self) -> Stage:
        self.streams.take_lease(keys.leader(self.run), "orchestrator-1", ttl_ms=60_000)
        return self

    def begin(self) -> Stage:
        for bot in self.spec.bots:
            until_ms = self.streams.time_ms() + 600_000
            self.streams.announce(f"host-{bot.name}", until_ms=until_ms)
        self.table.begin()
        return self.put()

    def row(self) -> str:
        return list_runs(self.streams, limit=1, as_json=False)[1]

    def status(self) -> list[str]:
        return tell_status(self.streams, self.run, as_json=False)

    def close(self) -> Stage:
        self.table.say({"kind": "stop", "author": "person-1", "nonce": "s", "why": "enough"})
        self.table.notice(CallsCounted(calls=0, last_id="0-0"))
        return self.put()
