"""A journal is read as it grows, whatever becomes of the server."""

from __future__ import annotations

import fakeredis
import pytest

from analytics.observer.follow import Arrived, Following, Notice
from tests.scenes import Table, spec_of
from tests.swarm import fake_streams
from utils import keys
from utils.clock import ManualClock
from utils.errors import BadEntry, ServerGone
from utils.streams import Streams

RUN = "tea-1"


class Stage:
    """A server in this process, a run whose commits are put there, and its reader."""

    def __init__(self, *, patience_ms: int = 60_000) -> None:
        self.server = fakeredis.FakeServer()
        self.streams: Streams = fake_streams(self.server)
        self.table = Table(spec_of()).begin()
        self.clock = ManualClock()
        reader = fake_streams(self.server)
        self.following = Following(reader, RUN, clock=self.clock, patience_ms=patience_ms)
        self.put()

    def put(self, first: int = 1) -> None:
        """Append the table's commits from this number on."""
        for sealed in self.table.journal[first - 1 :]:
            self.streams.commit(RUN, sealed, {})

    def lose(self, kept: int) -> None:
        """Make the server forget all but the first commits, as a restart may."""
        self.server.connected = False
        self.gone = self.following.read()
        self.server.connected = True
        self.streams.drop([keys.journal(RUN)])
        for sealed in self.table.journal[:kept]:
            self.streams.commit(RUN, sealed, {})
        self.clock.advance(2_000)


def read_often(following: Following) -> None:
    for _ in range(100):
        following.read(block_ms=200)


def seqs(came: list[Arrived | Notice], *, new: bool = True) -> list[int]:
    return [one.sealed.seq for one in came if isinstance(one, Arrived) and one.is_new is new]


def notices(came: list[Arrived | Notice]) -> list[str]:
    return [one.text for one in came if isinstance(one, Notice)]


def test_commits_arrive_in_order_and_once() -> None:
    stage = Stage()
    assert seqs(stage.following.read()) == [1, 2, 3, 4]
    stage.table.talk(2)
    stage.put(5)
    assert seqs(stage.following.read()) == [5, 6]
    assert stage.following.read() == []


def test_a_long_journal_comes_in_pages() -> None:
    stage = Stage()
    assert seqs(stage.following.read(count=3)) == [1, 2, 3]
    assert seqs(stage.following.read(count=3)) == [4]


def test_a_journal_that_is_still_empty_is_waited_for() -> None:
    assert Following(fake_streams(), RUN, clock=ManualClock()).read() == []


def test_a_server_that_is_gone_is_waited_for_and_said_once() -> None:
    stage = Stage()
    stage.following.read()
    stage.server.connected = False
    (notice,) = notices(stage.following.read())
    assert "waiting up to 1 min for it" in notice
    for _ in range(20):
        assert stage.following.read(block_ms=200) == []
    stage.server.connected = True
    stage.clock.advance(2_000)
    assert notices(stage.following.read()) == ["the server is back after 5 s"]


def test_waiting_for_the_server_takes_no_longer_than_a_read_may() -> None:
    stage = Stage()
    stage.server.connected = False
    stage.following.read()
    for _ in range(50):
        before_ms = stage.clock.now_ms()
        stage.following.read(block_ms=200)
        assert stage.clock.now_ms() - before_ms <= 200


def test_a_server_that_stays_away_too_long_is_given_up() -> None:
    stage = Stage(patience_ms=5_000)
    stage.server.connected = False
    with pytest.raises(ServerGone, match="parley doctor"):
        read_often(stage.following)
    assert 5_000 <= stage.clock.now_ms() <= 7_000


def test_commits_written_while_the_connection_was_broken_are_not_missed() -> None:
    stage = Stage()
    stage.following.read()
    stage.server.connected = False
    stage.following.read()
    stage.server.connected = True
    stage.table.talk(3)
    stage.put(5)
    stage.clock.advance(2_000)
    assert seqs(stage.following.read()) == [5, 6, 7]


def test_a_forgotten_tail_that_the_leader_mends_is_not_shown_twice() -> None:
    stage = Stage()
    stage.table.talk(4)
    stage.put(5)
    stage.following.read()
    stage.lose(kept=5)
    came = stage.following.read()
    assert "the server lost what was read from it" in notices(came)[-1]
    assert [one.starts_over for one in came if isinstance(one, Notice)] == [False, True]
    stage.put(6)
    stage.table.talk(1)
    stage.put(9)
    came = stage.following.read()
    assert seqs(came, new=False) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert seqs(came) == [9]
    assert notices(came) == []


def test_another_record_in_the_place_of_a_forgotten_one_is_shown_and_said() -> None:
    stage = Stage()
    stage.table.talk(4)
    stage.put(5)
    stage.following.read()
    stage.lose(kept=5)
    other = Table(spec_of()).begin()
    other.talk(1)
    other.now_ms += 77
    other.talk(2)
    stage.table = other
    stage.put(6)
    stage.following.read()
    came = stage.following.read()
    assert seqs(came, new=False) == [1, 2, 3, 4, 5]
    assert notices(came) == ["from here on the record is another one: the server lost commit 6"]
    assert seqs(came) == [6, 7]


def test_a_journal_whose_chain_is_broken_is_refused() -> None:
    stage = Stage()
    stage.streams.drop([keys.journal(RUN)])
    other = Table(spec_of(seed=8)).begin()
    stage.streams.commit(RUN, stage.table.journal[0], {})
    wrong = other.journal[1]
    forged = wrong.commit.model_copy(update={"prev": stage.table.journal[0].sha256})
    stage.streams.commit(RUN, type(wrong)(forged, wrong.body, wrong.sha256), {})
    with pytest.raises(BadEntry, match="journal 2"):
        stage.following.read()


def test_journal_time_is_the_servers() -> None:
    stage = Stage()
    stage.following.read()
    before_ms = stage.following.now_ms()
    assert abs(before_ms - stage.streams.time_ms()) < 60_000
    stage.clock.advance(5_000)
    assert stage.following.now_ms() - before_ms == 5_000
