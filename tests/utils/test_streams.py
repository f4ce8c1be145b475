"""Redis as Parley uses it: the same promises over a server in this process and a real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import fakeredis
import pytest
import redis

from tests.swarm import FakeStreams
from utils import keys
from utils.clock import fresh_id, wait_until
from utils.errors import BadEntry, Conflict, StreamError, TargetRefused
from utils.journal import NO_HASH, Commit, Garbage, Sealed, chain, consume, parse, seal
from utils.protocol import Incident
from utils.streams import Entry, Streams


@dataclass
class Place:
    """A server: connections to it, a client without manners, and a run of the test's own."""

    connect: Callable[[], Streams]
    raw: Any
    run: str

    def __post_init__(self) -> None:
        self.streams = self.connect()
        self.journal, self.floor = keys.journal(self.run), keys.floor(self.run)
        self.tea, self.inbox = keys.channel(self.run, "tea"), keys.inbox(self.run, "h1")

    def everything(self) -> dict[bytes, object]:
        found = {}
        for key in self.raw.scan_iter(f"parley:{{{self.run}}}:*"):
            is_stream = self.raw.type(key) == b"stream"
            found[key] = self.raw.xrange(key) if is_stream else self.raw.dump(key)
        return found


@pytest.fixture
def real(real_server: str) -> Iterator[Place]:
    raw = redis.Redis.from_url(real_server)
    place = Place(partial(Streams, real_server), raw, f"t-{fresh_id()}")
    yield place
    place.streams.close()
    raw.close()


@pytest.fixture(params=["fake", "real"])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "real":
        return request.getfixturevalue("real")  # type: ignore[no-any-return]
    server = fakeredis.FakeServer()
    return Place(partial(FakeStreams, server), fakeredis.FakeRedis(server=server), "t-1")


def a_commit(seq: int, prev: str = NO_HASH, *, name: str = "flood") -> Sealed:
    events = (Incident(name=name),)
    return seal(Commit(seq=seq, prev=prev, at_ms=seq, cursor="0-0", events=events))


def bodies(entries: list[Entry]) -> list[str]:
    return [entry.body for entry in entries]


def test_what_is_appended_is_read_in_order_from_any_place(place: Place) -> None:
    streams, key = place.streams, place.floor
    ids = [streams.append(key, str(number)) for number in range(5)]
    assert bodies(streams.read({key: "0-0"})) == list("01234")
    assert bodies(streams.read({key: ids[2]})) == list("34")
    assert bodies(streams.read({key: "0-0"}, count=2)) == list("01")
    assert bodies(streams.range(key, after=ids[1], count=2)) == list("23")
    assert bodies(list(streams.all(key, page=2))) == list("01234")
    assert bodies(list(streams.all(key, upto=ids[3], page=2))) == list("0123")
    assert streams.top(key) == Entry(key, ids[4], {"b": "4"})
    assert streams.tally(key) == (5, ids[4])
    assert streams.count(key) == 5
    streams.drop([key])
    assert (streams.top(key), streams.tally(key), streams.count(key)) == (None, (0, "0-0"), 0)


def test_a_read_that_may_wait_gets_what_comes_meanwhile(place: Place) -> None:
    assert place.streams.read({place.floor: "0-0"}, block_ms=1) == []
    other = place.connect()
    with closing(other), ThreadPoolExecutor(1) as pool:
        pool.submit(other.append, place.floor, "x")
        read = partial(place.streams.read, {place.floor: "0-0"}, block_ms=500)
        assert wait_until(lambda: bodies(read()) == ["x"], within_ms=10_000)


def test_entries_for_several_streams_go_out_together_in_the_order_given(place: Place) -> None:
    entries = [(place.floor, "call"), (place.tea, "a"), (place.tea, "b")]
    ids = place.streams.append_all(entries)
    assert len(ids) == 3
    read = place.streams.read({place.floor: "0-0", place.tea: "0-0"})
    assert [(entry.key, entry.body) for entry in read] == entries


def test_bytes_that_are_no_text_do_not_poison_the_reader(place: Place) -> None:
    place.raw.xadd(place.floor, {"b": b"\xff\xfe"})
    place.raw.xadd(place.floor, {b"\x80": b"", "b": b""})
    place.streams.append(place.floor, "well")
    entries = place.streams.read({place.floor: "0-0"})
    assert bodies(entries) == ["\udcff\udcfe", "", "well"]
    verdicts = [parse(consume(entry.id, entry.fields)) for entry in entries]
    assert verdicts[0] == Garbage("not UTF-8")
    assert verdicts[1] == Garbage("fields are not b alone: b, \\udc80")


def test_a_commit_appends_itself_and_what_goes_with_it_under_its_own_number(place: Place) -> None:
    first = a_commit(1)
    place.streams.commit(place.run, first, {place.tea: "heard"})
    second = a_commit(2, first.sha256)
    place.streams.commit(place.run, second, {place.tea: "more", place.inbox: "mail"})
    assert list(chain(place.streams.journal(place.run, page=1))) == [first, second]
    assert list(place.streams.journal(place.run, after=1)) == [second]
    assert [entry.id for entry in place.streams.all(place.tea)] == ["1-0", "2-0"]
    assert place.streams.top(place.inbox) == Entry(place.inbox, "2-0", {"b": "mail"})


def test_the_same_commit_twice_is_written_once(place: Place) -> None:
    sealed = a_commit(1)
    place.streams.commit(place.run, sealed, {place.tea: "heard"})
    before = place.everything()
    place.streams.commit(place.run, sealed, {place.tea: "heard"})
    assert place.everything() == before


@pytest.mark.parametrize("seq", [1, 2, 3, 4, 9])
def test_a_commit_on_top_of_anything_but_its_own_past_is_a_conflict(place: Place, seq: int) -> None:
    first = a_commit(1)
    second = a_commit(2, first.sha256)
    place.streams.commit(place.run, first, {})
    place.streams.commit(place.run, second, {place.tea: "heard"})
    before = place.everything()
    with pytest.raises(Conflict) as caught:
        place.streams.commit(place.run, a_commit(seq, "f" * 64), {place.tea: "y", place.inbox: "z"})
    assert (caught.value.seq, caught.value.sha256) == (2, second.sha256)
    assert place.everything() == before


def test_on_an_empty_journal_only_the_first_commit_goes(place: Place) -> None:
    with pytest.raises(Conflict) as caught:
        place.streams.commit(place.run, a_commit(2, "f" * 64), {place.tea: "x"})
    assert (caught.value.seq, caught.value.sha256) == (0, "")
    assert place.everything() == {}
    place.streams.commit(place.run, a_commit(1), {})


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        *(("journal", kind) for kind in ("string", "list", "hash", "zset")),
        *(("tea", kind) for kind in ("string", "list", "hash", "zset", "past", "same")),
        *(("inbox", kind) for kind in ("string", "past", "same")),
    ],
)
def test_a_target_in_the_way_refuses_the_commit_and_nothing_is_written_anywhere(
    place: Place, target: str, kind: str
) -> None:
    first = a_commit(1)
    place.streams.commit(place.run, first, {})
    key = getattr(place, target)
    place.raw.delete(key)
    {
        "string": lambda: place.raw.set(key, "x"),
        "list": lambda: place.raw.rpush(key, "x"),
        "hash": lambda: place.raw.hset(key, "f", "x"),
        "zset": lambda: place.raw.zadd(key, {"x": 1}),
        "past": lambda: place.raw.xadd(key, {"b": "x"}, id="3-0"),
        "same": lambda: place.raw.xadd(key, {"b": "x"}, id="2-0"),
    }[kind]()
    before = place.everything()
    with pytest.raises(TargetRefused, match=key.replace("{", r"\{")):
        place.streams.commit(
            place.run, a_commit(2, first.sha256), {place.tea: "x", place.inbox: "y"}
        )
    assert place.everything() == before


def test_of_two_leaders_who_race_one_writes_each_commit_and_the_other_learns_it(
    place: Place,
) -> None:
    def lead(name: str) -> list[Sealed]:
        written: list[Sealed] = []
        with closing(place.connect()) as streams:
            top = 0, NO_HASH
            while top[0] < 40:
                sealed = a_commit(top[0] + 1, top[1], name=name)
                try:
                    streams.commit(place.run, sealed, {place.tea: name})
                    written.append(sealed)
                    top = sealed.seq, sealed.sha256
                except Conflict as conflict:
                    top = conflict.seq, conflict.sha256
        return written

    with ThreadPoolExecutor(2) as pool:
        written = [sealed for some in pool.map(lead, ["one", "two"]) for sealed in some]
    journal = list(chain(place.streams.journal(place.run)))
    assert sorted(written, key=lambda sealed: sealed.seq) == journal
    assert place.streams.count(place.tea) == len(journal) == 40


def test_a_journal_that_was_altered_is_a_bad_entry(place: Place) -> None:
    place.streams.commit(place.run, a_commit(1), {})
    for fields in ({"b": "x", "h": "f" * 64}, {"b": b"\xff", "h": b"\xff"}, {"c": "x"}):
        place.raw.delete(place.journal)
        place.raw.xadd(place.journal, fields, id="1-0")
        with pytest.raises(BadEntry, match="journal 1"):
            list(place.streams.journal(place.run))


def test_a_lease_is_its_owners_until_it_lets_go(place: Place) -> None:
    streams, key, other = place.streams, keys.leader(place.run), keys.seat(place.run, "bo")
    assert streams.take_lease(key, "a", ttl_ms=60_000)
    assert not streams.take_lease(key, "b", ttl_ms=60_000)
    assert streams.renew_lease(key, "a", ttl_ms=60_000)
    assert not streams.renew_lease(key, "b", ttl_ms=60_000)
    assert streams.renew_leases([key, other], "a", ttl_ms=60_000) == [True, False]
    assert streams.lease_owners([key, other]) == ["a", None]
    streams.release_lease(key, "b")
    assert streams.lease_owners([key]) == ["a"]
    streams.release_lease(key, "a")
    assert streams.take_lease(key, "b", ttl_ms=60_000)
    assert (streams.renew_leases([], "a", ttl_ms=1), streams.lease_owners([])) == ([], [])


def test_a_lease_that_nobody_renews_is_free_again(place: Place) -> None:
    key = keys.leader(place.run)
    assert place.streams.take_lease(key, "a", ttl_ms=20)
    taken = partial(place.streams.take_lease, key, "b", ttl_ms=60_000)
    assert wait_until(taken, within_ms=10_000)
    assert not place.streams.renew_lease(key, "a", ttl_ms=60_000)
    assert place.streams.renew_lease(key, "b", ttl_ms=60_000)


def test_hosts_are_present_until_they_withdraw_or_are_long_gone(place: Place) -> None:
    now_ms = place.streams.time_ms()
    place.streams.announce("t-long-gone", until_ms=now_ms - 90_000_000)
    place.streams.announce("t-here", until_ms=now_ms + 5_000)
    assert place.streams.presences()["t-here"] == now_ms + 5_000
    assert "t-long-gone" not in place.streams.presences()
    place.streams.withdraw("t-here")
    assert "t-here" not in place.streams.presences()


def test_a_run_is_registered_once_and_live_until_it_is_retired(place: Place) -> None:
    streams, run, second = place.streams, place.run, f"{place.run}-b"
    assert streams.spec(run) is None
    assert streams.register(second, spec="{}", entry="second", now_ms=2)
    assert streams.register(run, spec="{1}", entry="first", now_ms=1)
    assert not streams.register(run, spec="{2}", entry="again", now_ms=3)
    assert streams.spec(run) == "{1}"
    assert [one for one in streams.live_runs() if place.run in one] == [run, second]
    assert bodies(list(streams.all(keys.RUNS)))[-2:] == ["second", "first"]
    for one in (run, second):
        streams.retire(one)
        assert one not in streams.live_runs()


def test_what_the_server_refuses_is_an_error_in_its_own_words(place: Place) -> None:
    place.raw.set(place.floor, "x")
    for speak in (place.streams.top, place.streams.count, partial(place.streams.append, body="x")):
        with pytest.raises(StreamError, match=r"Redis refused: .*WRONGTYPE"):
            speak(place.floor)


def test_of_several_entries_one_that_is_refused_is_an_error(place: Place) -> None:
    place.raw.set(place.floor, "x")
    with pytest.raises(StreamError, match="WRONGTYPE"):
        place.streams.append_all([(place.tea, "x"), (place.floor, "y")])
    assert place.streams.count(place.tea) in (0, 1)
