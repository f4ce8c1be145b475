"""Whom the oracle is held against: the engine alone, and a leader over a server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from orchestrator import recovery
from orchestrator.leader import Leader
from parley.starting import start
from tests.scenes import Table, spec_of
from tests.swarm import FakeStreams
from utils import keys
from utils.errors import Conflict, ServerGone
from utils.journal import Sealed
from utils.mail import ChannelEntry
from utils.protocol import HostLost
from utils.spec import FloorSpec, Spec
from utils.streams import Streams

BOTS = ("ada", "bo", "cy")
HOSTS = ("one", "two")
TURNS, TRIES, ALLOW_MS, GATHER_MS = 12, 2, 10_000, 5_000
T0 = 1_700_000_000_000


def spec() -> Spec:
    floor = FloorSpec(allow_s=ALLOW_MS / 1000, gather_s=GATHER_MS / 1000, tries=TRIES)
    return spec_of(BOTS, turns=TURNS, floor=floor)


class Alone:
    """The engine without a server."""

    def __init__(self) -> None:
        self.table = Table(spec(), now_ms=T0).begin_empty()

    def tell(self, body: dict[str, Any], now_ms: int) -> None:
        self.table.now_ms = now_ms
        self.table.say(body)

    def lose(self, host: str, now_ms: int) -> None:
        self.table.now_ms = now_ms
        self.table.notice(HostLost(host=host))

    def pass_time(self, now_ms: int) -> None:
        self.table.now_ms = now_ms
        self.table.notice(*recovery.due(self.table.rules, self.table.state, by_ms=now_ms))

    def since(self, seq: int) -> list[Sealed]:
        return self.table.journal[seq:]

    def heard(self) -> list[tuple[str | None, str]]:
        return words(self.table.events("heard"))


def words(heard: list[Any]) -> list[tuple[str | None, str]]:
    return [(event.speaker, event.text) for event in heard][1:]  # the first is the opening


class Breaking(Streams):
    """A connection that breaks at a commit when it is told to."""

    breaks = ""

    def commit(self, run: str, sealed: Sealed, targets: Mapping[str, str]) -> None:
        breaks, self.breaks = self.breaks, ""
        if breaks == "before":
            raise ServerGone("cut")
        super().commit(run, sealed, targets)
        if breaks == "after":
            raise ServerGone("cut")


class BreakingFake(Breaking, FakeStreams):
    """The same, to a server inside this process."""


class Led:
    """A leader over a server, whom things happen to; and another that led before."""

    streams: ClassVar[Breaking]

    def __init__(self) -> None:
        self.streams.breaks = ""
        self.run = start(self.streams, spec())
        self.floor, self.number = keys.floor(self.run), 0
        self.leader = self.old = Leader.open(self.streams, self.run)
        self.leader.begin(T0)

    def tell(self, body: dict[str, Any], now_ms: int) -> None:
        self.number += 1
        entry_id = f"{now_ms}-{self.number}"
        self.streams._redis.xadd(self.floor, {"b": json.dumps(body)}, id=entry_id)
        self.do("consume", now_ms)

    def lose(self, host: str, now_ms: int) -> None:
        self.lost, self.number = host, self.number
        self.do("lose_host", now_ms)

    def pass_time(self, now_ms: int) -> None:
        self.do("fire", now_ms)

    def do(self, what: str, now_ms: int) -> None:
        """Have the leader do something, however often it is cut off or overtaken."""
        is_cut = False
        for _ in range(6):
            try:
                if is_cut:
                    self.leader.recover(now_ms)
                    is_cut = False
                self._do(what, now_ms)
                top = self.streams.top(keys.journal(self.run))
                if top is None or top.id == f"{self.leader.state.seq}-0":
                    return
                # It had nothing to say of what it knows: whoever knows more says it.
                self.leader = Leader.open(self.streams, self.run)
            except ServerGone:
                is_cut = True
            except Conflict:
                self.leader, is_cut = Leader.open(self.streams, self.run), False
        raise AssertionError("it never came to be")

    def _do(self, what: str, now_ms: int) -> None:
        if what == "consume":
            read = self.streams.read({self.floor: self.leader.state.cursor})
            self.leader.consume(read, now_ms)
        elif what == "fire":
            self.leader.fire_due(now_ms)
        else:
            self.leader.lose_hosts(set(HOSTS) - {self.lost}, now_ms)

    def die(self) -> None:
        """Have another go on from the journal; the old one does not know."""
        self.old, self.leader = self.leader, Leader.open(self.streams, self.run)

    def wake_the_old_one(self) -> None:
        """Have who led before lead again, from wherever it stood."""
        self.old, self.leader = self.leader, self.old

    def since(self, seq: int) -> list[Sealed]:
        return list(self.streams.journal(self.run, after=seq))

    def heard(self) -> list[tuple[str | None, str]]:
        entries = self.streams.all(keys.channel(self.run, "main"))
        told = [ChannelEntry.model_validate_json(entry.body).events for entry in entries]
        return words([event for events in told for event in events if event.kind == "heard"])
