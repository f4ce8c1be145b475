"""Calls in flight at a model server: bounded, in turn, and free again when a host is gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.swarm import fake_streams
from utils.clock import wait_until
from utils.slots import Load, Queued, Slots
from utils.streams import Streams

SERVER = "http://gpu:11434"
LONG_MS = 60_000


@pytest.fixture(params=["fake", "real"])
def streams(request: pytest.FixtureRequest, real_server: str) -> Iterator[Streams]:
    one = fake_streams() if request.param == "fake" else Streams(real_server)
    one.drop([f"parley:slots:{SERVER}", "parley:slots:other"])
    yield one
    one.close()


def slots(streams: Streams, each: int = 1, ttl_ms: int = LONG_MS, batch_ms: int = LONG_MS) -> Slots:
    return Slots(streams, each=each, ttl_ms=ttl_ms, batch_ms=batch_ms)


def take(one: Slots, *tokens: str, model: str = "tiny") -> list[Queued]:
    return [one.take(SERVER, model, token) for token in tokens]


def test_no_more_calls_are_let_in_than_there_are_slots(streams: Streams) -> None:
    one = slots(streams, each=2)
    assert [queued.is_in for queued in take(one, "a", "b", "c")] == [True, True, False]
    assert one.look([SERVER]) == [Load(held=2, waiting=1, loaded="tiny")]
    assert take(one, "a")[0].is_in, "whoever is in is in"


def test_the_longest_waiting_is_next_whoever_asks_first(streams: Streams) -> None:
    one = slots(streams)
    (first, *_) = take(one, "a", "b", "c", "d")
    assert [queued.ahead for queued in take(one, "d", "c", "b")] == [3, 2, 1]
    one.leave(SERVER, "tiny", "a", first)
    assert [queued.is_in for queued in take(one, "d", "c", "b")] == [False, False, True]


def test_whoever_stands_in_the_queue_no_longer_holds_nobody_up(streams: Streams) -> None:
    one = slots(streams)
    first, second, _ = take(one, "a", "b", "c")
    one.leave(SERVER, "tiny", "b", second)
    one.leave(SERVER, "tiny", "a", first)
    assert take(one, "c")[0].is_in
    assert one.look([SERVER]) == [Load(held=1, loaded="tiny")]


def test_what_a_killed_host_held_and_waited_for_is_free_after_its_lease(streams: Streams) -> None:
    take(slots(streams, ttl_ms=50), "dead", "dead-too")
    one = slots(streams)
    assert not take(one, "b")[0].is_in
    assert wait_until(lambda: take(one, "b")[0].is_in, within_ms=10_000)


def test_a_lease_that_is_renewed_does_not_lapse_and_one_that_lapsed_is_not_renewed(
    streams: Streams,
) -> None:
    brief = slots(streams, ttl_ms=50)
    take(brief, "a")
    slots(streams).keep(SERVER, ["a", "never"])
    take(brief, "b")
    assert wait_until(lambda: brief.look([SERVER])[0].waiting == 0, within_ms=10_000)
    assert brief.look([SERVER])[0].held == 1
    assert not take(slots(streams), "c")[0].is_in


def test_calls_for_the_model_in_memory_go_first_for_a_while(streams: Streams) -> None:
    one = slots(streams)
    (first,) = take(one, "a1")
    (other,) = take(one, "b1", model="big")
    take(one, "a2")
    one.leave(SERVER, "tiny", "a1", first)
    assert not take(one, "b1", model="big")[0].is_in
    (second,) = take(one, "a2")
    assert second.is_in
    one.leave(SERVER, "tiny", "a2", second)
    assert take(one, "b1", model="big")[0].is_in, "the queue holds nothing else"
    assert one.look([SERVER])[0].loaded == "big"
    assert other.ahead == 1


def test_after_that_while_the_longest_waiting_is_next_again(streams: Streams) -> None:
    one = slots(streams, batch_ms=0)
    (first,) = take(one, "a1")
    take(one, "b1", model="big")
    take(one, "a2")
    one.leave(SERVER, "tiny", "a1", first)
    assert not take(one, "a2")[0].is_in
    assert take(one, "b1", model="big")[0].is_in


def test_each_server_has_slots_of_its_own(streams: Streams) -> None:
    one = slots(streams)
    take(one, "a")
    assert one.take("other", "tiny", "b").is_in
    assert [load.held for load in one.look([SERVER, "other", "third"])] == [1, 1, 0]


def test_what_is_no_member_of_a_queue_stands_in_nobodys_way(streams: Streams) -> None:
    words = ["", "waits", "waits x y", "waits 1", "loaded", "loaded 1", "held", "a\0b"]
    for score in ("inf", "1e300"):
        for word in words:
            streams._redis.zadd(f"parley:slots:{SERVER}", {word: score})
    one = slots(streams)
    assert [queued.is_in for queued in take(one, "a", "b")] == [True, False]
    assert one.look([SERVER]) == [Load(held=1, waiting=1, loaded="tiny")]
