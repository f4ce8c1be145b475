"""The simulated server and the real ones answer alike, command by command, script by script.

So the simulation's `commit` is a plain oracle of `utils/commit.lua`, which is run here by
the wheel's Valkey, by the redis-server on PATH, and by fakeredis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from random import Random
from typing import Any

import fakeredis
import pytest
import redis

from tests.chaos import scripts
from tests.chaos.fair import fair_streams
from tests.chaos.server import Server
from tests.servers import SERVERS, binary_or_skip
from tests.swarm import FakeStreams
from utils import keys
from utils.errors import Conflict, StreamError, TargetRefused
from utils.journal import NO_HASH, Commit, Sealed, seal
from utils.server import EmbeddedServer
from utils.streams import Streams

TALKS, STEPS = 50, 40
RUN = "tea-1"
TARGETS = [keys.channel(RUN, "main"), keys.inbox(RUN, "h1"), keys.inbox(RUN, "h2")]


@pytest.fixture(scope="module", params=SERVERS)
def real(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Streams]:
    """Yield a connection to each server there is."""
    if request.param == "fakeredis":
        yield FakeStreams(fakeredis.FakeServer())
        return
    binary = binary_or_skip(request.param)
    folder = tmp_path_factory.mktemp("server")
    with (
        EmbeddedServer.open(folder, fsync="everysec", binary=binary) as server,
        closing(Streams(server.url)) as streams,
    ):
        yield streams


class Talk:
    """Random commands, the same to any server, and what became of each."""

    def __init__(self, streams: Streams, seed: int) -> None:
        self.streams, self.chance = streams, Random(seed)
        self.commits: list[Sealed] = []
        self.said: list[Any] = []

    def run(self) -> list[Any]:
        deeds: list[Callable[[], Any]] = [
            *([self.commit] * 6),
            self.append,
            self.spoil,
            self.read,
            self.lease,
            self.release,
            self.presence,
            self.registry,
            self.snapshot,
            self.trim,
            self.take_away,
        ]
        for _ in range(STEPS):
            deed = self.chance.choice(deeds)
            try:
                outcome = deed()
            except Conflict as conflict:
                outcome = ("conflict", conflict.seq, conflict.sha256)
            except TargetRefused as refused:
                outcome = ("refused", str(refused))
            except StreamError as error:
                outcome = ("error", "WRONGTYPE" in str(error))
            self.said.append((deed.__name__, outcome))
        self.said.append(self.dump())
        return self.said

    def commit(self) -> object:
        """Send a commit that follows, or one that does not quite."""
        top = self.commits[-1] if self.commits else None
        seq, prev = (top.seq + 1, top.sha256) if top else (1, NO_HASH)
        kind = self.chance.randrange(8)
        if kind == 0:
            seq += self.chance.choice((-1, 1))
        elif kind == 1:
            prev = "f" * 64
        commit = Commit(
            seq=max(1, seq), prev=prev, at_ms=self.chance.randrange(9), cursor="0-0", events=()
        )
        sealed = self.chance.choice(self.commits) if kind == 2 and self.commits else seal(commit)
        targets = {one: f"{sealed.seq}!" for one in TARGETS if self.chance.random() < 0.4}
        self.streams.commit(RUN, sealed, targets)
        if top is None or sealed.seq > top.seq:
            self.commits.append(sealed)
        return sealed.seq

    def append(self) -> object:
        return len(self.streams.append_all([(keys.floor(RUN), "x\udcff"), (keys.calls(RUN), "")]))

    def spoil(self) -> object:
        """Put something else in a target's place, or take it away."""
        if self.chance.random() < 0.6:
            self.streams.drop([self.chance.choice(TARGETS)])
            return None
        return self.streams.take_lease(self.chance.choice(TARGETS), "me", ttl_ms=600_000)

    def read(self) -> object:
        after = {keys.journal(RUN): f"{self.chance.randrange(5)}-0", keys.floor(RUN): "0-0"}
        read = self.streams.read(after, count=self.chance.choice((1, 1000)))
        upto = f"{self.chance.randrange(5)}-0"
        latest = self.streams.latest(keys.journal(RUN), upto=upto, count=2)
        return [(one.key, one.body) for one in (*read, *latest)]

    def lease(self) -> object:
        key, owner = keys.leader(RUN), self.chance.choice(("a", "b"))
        taken = self.streams.take_lease(key, owner, ttl_ms=600_000)
        kept = self.streams.renew_leases([key, keys.seat(RUN, "bo")], owner, ttl_ms=600_000)
        return taken, kept, self.streams.lease_owners([key])

    def release(self) -> object:
        self.streams.release_lease(keys.leader(RUN), self.chance.choice(("a", "b")))
        return None

    def presence(self) -> object:
        host = self.chance.choice(("h1", "h2"))
        if self.chance.random() < 0.3:
            self.streams.withdraw(host)
            return None
        self.streams.announce(host, until_ms=self.chance.choice((5, 200_000_000)))
        return self.streams.presences()

    def registry(self) -> object:
        run = self.chance.choice(("r1", "r2"))
        if self.chance.random() < 0.3:
            self.streams.retire(run)
            return None
        made = self.streams.register(run, spec="{}", entry="{}", now_ms=1, reserved=run == "r2")
        return made, self.streams.live_runs(), self.streams.open_runs()

    def snapshot(self) -> object:
        seq = self.chance.randrange(4)
        return self.streams.write_snapshot(RUN, f"state {seq}", seq=seq)

    def trim(self) -> object:
        """Trim behind the snapshot that is there, or one that may have been."""
        first = f"{self.chance.randrange(4)}-0"
        ends = {"journal": first, "floor": "1-0", "calls": "9999999999999-0"}
        return self.streams.trim(RUN, f"state {self.chance.randrange(4)}", **ends)

    def take_away(self) -> object:
        key = self.chance.choice(TARGETS[1:])
        taken = self.streams.trim_before(key, f"{self.chance.randrange(5)}-0")
        self.streams.remove(TARGETS[0], [f"{self.chance.randrange(5)}-0", "77-1"])
        return taken, self.streams.names(keys.inbox(RUN, "*")), self.streams.tally(TARGETS[0])

    def dump(self) -> object:
        journal = self.streams.range(keys.journal(RUN))
        told = [self.streams.range(key) for key in TARGETS if self._is_stream(key)]
        tops = self.streams.top(keys.journal(RUN)), self.streams.tally(keys.journal(RUN))
        return journal, told, tops, self.streams.count(keys.floor(RUN))

    def _is_stream(self, key: str) -> bool:
        try:
            return self.streams.count(key) >= 0
        except StreamError:
            return False


def test_the_simulated_server_answers_as_the_real_one(real: Streams) -> None:
    for seed in range(TALKS):
        flush(real)
        assert Talk(real, seed).run() == Talk(fair_streams(), seed).run(), seed


def test_a_script_that_compares_the_number_only_is_found(real_server: str) -> None:
    def careless(server: Server, keys: list[str], args: list[str]) -> list[str]:
        prev = scripts.top(server, keys[0])[1]
        return scripts.commit(server, keys, [args[0], prev, *args[2:]])

    with closing(Streams(real_server)) as streams:
        for seed in range(TALKS):
            flush(streams)
            if Talk(streams, seed).run() != Talk(fair_streams(careless), seed).run():
                return
    raise AssertionError("it was not seen")


def flush(streams: Streams) -> None:
    client: redis.Redis = streams._redis
    client.flushall()
