"""A server is told to evict while a run goes on: nobody writes to it until it is set back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import redis

from analytics.recorder.process import Recorder
from analytics.recorder.trim import Trimmer
from tests.findings import found, record_of
from tests.scenes import spec_of
from tests.swarm import Swarm, fake_swarm, happened, transcript
from utils import keys
from utils.clock import ManualClock
from utils.errors import ServerEvicts
from utils.protocol import Mark
from utils.server import EmbeddedServer
from utils.streams import Streams

TURNS, LEASE_MS = 40, 6_000


class Heedless(Streams):
    """A connection whose owner never looks again."""

    def another(self, name: str = "") -> Streams:
        return Heedless(self.url, name=name or self.name)

    def look(self) -> None:
        """Do not."""


class Talk:
    """Two orchestrators, a host and a recorder that trims, in the middle of a talk.

    No time passes for them but what is let pass.
    """

    def __init__(self, url: str, folder: Path, kind: type[Streams]) -> None:
        self.clock, self.spec = ManualClock(), spec_of(turns=TURNS)
        self.swarm = Swarm(lambda: kind(url), lease_ms=LEASE_MS, clock=self.clock)
        self.swarm.orchestrator()
        self.swarm.orchestrator()
        self.host = self.swarm.host(3)
        self.recorder = Recorder(kind(url), folder, clock=self.clock, trim=Trimmer(keep=10))
        self.raw = redis.Redis.from_url(url)
        self.run = self.swarm.seed(self.spec)
        self.swarm.until(lambda: self.turns >= 5)
        self.step()

    @property
    def turns(self) -> int:
        return len(happened(self.swarm.streams.journal(self.run), "turn_closed"))

    def step(self, times: int = 1) -> None:
        for _ in range(times):
            self.swarm.step()
            self.recorder.step(block_ms=0)

    def set_policy(self, policy: str) -> None:
        self.raw.config_set("maxmemory-policy", policy)

    def writes(self, *, steps: int) -> int:
        """Count what is written in the course of so many steps."""
        before = self.raw.info("persistence")["rdb_changes_since_last_save"]
        self.step(steps)
        return int(self.raw.info("persistence")["rdb_changes_since_last_save"]) - int(before)


@contextmanager
def talk(folder: Path, kind: type[Streams] = Streams) -> Iterator[Talk]:
    with EmbeddedServer.open(folder / "server", fsync="everysec") as server:
        one = Talk(server.url, folder / "recordings", kind)
        with closing(one.raw):
            yield one
        one.swarm.close()


def test_nobody_writes_to_a_server_that_evicts_and_all_go_on_when_it_is_set_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with talk(tmp_path) as one:
        one.set_policy("allkeys-lru")
        one.clock.advance(LEASE_MS // 3)
        assert one.writes(steps=10) == 0
        said = [told.getMessage() for told in caplog.records if told.levelname == "WARNING"]
        one.set_policy("noeviction")
        journal = one.swarm.finish(one.run)
        one.step()
        assert found(record_of(one.swarm.streams, one.run), turns=TURNS, is_cut=True) == []
        assert len(one.recorder.recordings) == 0, "the record on disk has its end"
    assert len(said) == len({"orchestrator", "orchestrator too", "host", "recorder"})
    assert all("maxmemory-policy is allkeys-lru" in line for line in said)
    assert all("run `CONFIG SET maxmemory-policy noeviction` there" in line for line in said)
    with fake_swarm() as plain:
        plain.orchestrator()
        plain.host(3)
        assert transcript(journal) == transcript(plain.finish(plain.seed(one.spec)))


def test_what_is_answered_meanwhile_is_said_when_it_is_set_back(tmp_path: Path) -> None:
    with talk(tmp_path) as one:
        one.set_policy("allkeys-lru")
        one.clock.advance(LEASE_MS // 3)
        one.step()
        one.host.outbox.send(one.run, Mark(author="thread", nonce="n", text="Late."))
        one.host.outbox.note(one.run, "{}")
        with pytest.raises(ServerEvicts):
            one.host.places.fleet.take("http://model", "tea", "token")
        assert one.writes(steps=3) == 0
        one.set_policy("noeviction")
        marked = happened(one.swarm.finish(one.run), "intervened")
        assert [event.text for event in marked] == ["Late."]
        assert one.swarm.streams.count(keys.calls(one.run)) > TURNS
        assert one.host.places.fleet.take("http://model", "tea", "token").is_in


def test_those_who_do_not_look_again_are_found_writing(tmp_path: Path) -> None:
    with talk(tmp_path, Heedless) as one:
        one.set_policy("allkeys-lru")
        one.clock.advance(LEASE_MS // 3)
        assert one.writes(steps=10) > 0
