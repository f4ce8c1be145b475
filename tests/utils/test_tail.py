"""Readers and writers whose connection breaks: nobody reads on blindly, nothing goes out twice.

This file is over 300 lines because its broken wires serve all of its tests.
"""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import fakeredis
import pytest
import redis

from tests.swarm import FakeStreams, fake_streams
from utils import keys
from utils.clock import fresh_id, wait_until
from utils.errors import Conflict, Forgotten, ServerGone
from utils.journal import NO_HASH, Commit, Sealed, seal
from utils.protocol import Incident
from utils.server import EmbeddedServer
from utils.server_home import is_alive
from utils.streams import Entry, Streams, Tail


class Flaky(FakeStreams):
    """A connection that breaks when it is told to."""

    is_gone = False

    def read(self, *args: Any, **given: Any) -> list[Entry]:
        if self.is_gone:
            self.is_gone = False
            raise ServerGone("gone")
        return super().read(*args, **given)


def a_commit(name: str) -> Sealed:
    events = (Incident(name=name),)
    return seal(Commit(seq=1, prev=NO_HASH, at_ms=1, cursor="0-0", events=events))


def bodies(entries: list[Entry]) -> list[str]:
    return [entry.body for entry in entries]


def a_tail(streams: Streams, *names: str) -> Tail:
    """A tail that has read `<name>1` and `<name>2` of each stream, under ids 1-0 and 2-0."""
    tail = Tail(streams)
    for name in names:
        rewrite(streams, name, f"{name}1", f"{name}2")
        tail.follow(name)
    assert len(tail.read()) == 2 * len(names)
    return tail


def rewrite(streams: Streams, key: str, *texts: str) -> None:
    """Put other entries in a stream's place, as a server does that forgot its tail."""
    streams.drop([key])
    for number, text in enumerate(texts, 1):
        streams._redis.xadd(key, {"b": text}, id=f"{number}-0")


@pytest.fixture
def flaky() -> Flaky:
    return Flaky(fakeredis.FakeServer())


def test_a_tail_reads_on_from_where_it_stands_in_every_stream_it_follows(flaky: Flaky) -> None:
    tail = a_tail(flaky, "a", "b")
    flaky.append("a", "a3")
    assert bodies(tail.read()) == ["a3"]
    assert tail.read() == []
    assert tail.position("b") == "2-0"
    tail.forget("a")
    flaky.append("a", "a4")
    assert tail.read() == []
    tail.follow("a", after="1-0")
    assert bodies(tail.read()) == ["a2", "a3", "a4"]


def test_after_a_reconnect_a_tail_goes_on_when_what_it_read_is_still_there(flaky: Flaky) -> None:
    tail = a_tail(flaky, "a", "b")
    flaky.append("b", "b3")
    flaky.is_gone = True
    with pytest.raises(ServerGone):
        tail.read()
    assert bodies(tail.read()) == ["b3"]


@pytest.mark.parametrize("texts", [(), ("a1",), ("a1", "other"), ("a1", "other", "more")])
def test_after_a_reconnect_a_tail_says_when_what_it_read_is_gone_or_replaced(
    flaky: Flaky, texts: tuple[str, ...]
) -> None:
    tail = a_tail(flaky, "a", "b")
    flaky.is_gone = True
    with pytest.raises(ServerGone):
        tail.read()
    rewrite(flaky, "a", *texts)
    for _ in range(2):
        with pytest.raises(Forgotten, match="a: the server no longer holds entry 2-0"):
            tail.read()
    tail.follow("a")
    assert bodies(tail.read()) == list(texts)


# --- a real server, killed or cut off ------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def kill(server: EmbeddedServer) -> None:
    pid = server.home.server_pid()
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(pid), within_ms=15_000)


@pytest.mark.parametrize("has_lost", [False, True])
def test_a_tail_survives_a_killed_server_and_knows_whether_it_lost_something(
    home: Path, has_lost: bool
) -> None:
    with EmbeddedServer.open(home) as server, closing(Streams(server.url)) as streams:
        tail = a_tail(streams, "a")
        kill(server)
        with pytest.raises(ServerGone):
            tail.read()
        with EmbeddedServer.open(home), closing(Streams(server.url)) as other:
            if has_lost:
                rewrite(other, "a", "a1", "other")
                with pytest.raises(Forgotten):
                    tail.read()
            else:
                other.append("a", "a3")
                assert bodies(tail.read()) == ["a3"]


def test_a_tail_looks_back_when_the_connection_broke_between_two_reads(real_server: str) -> None:
    with closing(Streams(real_server)) as streams, closing(Streams(real_server)) as other:
        key = f"t-{fresh_id()}"
        tail = a_tail(streams, key)
        rewrite(other, key, f"{key}1", "other", "more")
        other._redis.client_kill_filter(_type="normal", skipme=True)
        with pytest.raises(ServerGone):
            tail.read()
        with pytest.raises(Forgotten):
            tail.read()


def test_a_tail_looks_back_when_another_call_found_the_connection_broken(real_server: str) -> None:
    with closing(Streams(real_server)) as streams, closing(Streams(real_server)) as other:
        key = f"t-{fresh_id()}"
        tail = a_tail(streams, key)
        rewrite(other, key, f"{key}1", "other")
        other._redis.client_kill_filter(_type="normal", skipme=True)
        with pytest.raises(ServerGone):
            streams.live_runs()
        with pytest.raises(Forgotten):
            tail.read()


def test_without_a_server_every_call_says_so(tmp_path: Path) -> None:
    with closing(Streams(f"unix://{tmp_path}/nobody.sock")) as streams:
        for speak in (
            streams.time_ms,
            streams.info,
            streams.live_runs,
            partial(streams.append, "floor", "x"),
            partial(streams.append_all, [("floor", "x")]),
            partial(streams.commit, "t", a_commit("flood"), {}),
            partial(streams.take_lease, "lease", "a", ttl_ms=1),
        ):
            with pytest.raises(ServerGone, match="does not answer"):
                speak()


def test_a_server_that_takes_no_writes_for_now_is_gone_for_now(real_server: str) -> None:
    run = f"t-{fresh_id()}"
    with closing(Streams(real_server)) as streams:
        streams._redis.execute_command("REPLICAOF", "127.0.0.1", "1")  # as after a failover
        try:
            for speak in (
                partial(streams.append, keys.floor(run), "x"),
                partial(streams.append_all, [(keys.floor(run), "x")]),
                partial(streams.commit, run, a_commit("flood"), {}),
                partial(streams.take_lease, keys.leader(run), "a", ttl_ms=1),
                partial(streams.announce, "t-host", until_ms=1),
            ):
                with pytest.raises(ServerGone, match="is read-only"):
                    speak()
        finally:
            streams._redis.execute_command("REPLICAOF", "NO", "ONE")


# --- a wire that loses replies ---------------------------------------------------------


@dataclass
class Wire:
    """Passes bytes between clients and a server, and hangs up instead of passing a reply."""

    server: str
    path: str
    cut: bytes = b""
    times: int = 0
    listener: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        is_doomed = False
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.server)
            while True:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(65_536)
                    if not data or (source is server and is_doomed):
                        return
                    if source is client and self.cut and self.cut in data and self.times:
                        self.times, is_doomed = self.times - 1, True
                    (server if source is client else client).sendall(data)


@pytest.fixture
def wire(real_server: str, tmp_path: Path) -> Iterator[Wire]:
    wire = Wire(real_server.partition("://")[2].partition("?")[0], str(tmp_path / "wire.sock"))
    yield wire
    wire.listener.close()


def test_a_lost_reply_does_not_write_twice(wire: Wire) -> None:
    key = keys.floor(f"t-{fresh_id()}")
    with closing(Streams(f"unix://{wire.path}")) as streams:
        for entries in ([(key, "x")], [(key, "x"), (key, "y")]):
            before = streams.count(key)
            wire.cut, wire.times = b"XADD", 3
            with pytest.raises(ServerGone):
                streams.append_all(entries) if entries[1:] else streams.append(*entries[0])
            wire.times = 0
            assert streams.count(key) == before + len(entries)


def test_a_lost_reply_does_not_take_a_lease_from_whoever_took_it(wire: Wire) -> None:
    key = keys.leader(f"t-{fresh_id()}")
    with closing(Streams(f"unix://{wire.path}")) as streams:
        assert streams.time_ms()
        wire.cut, wire.times = b"$3\r\nSET\r\n", 1
        with pytest.raises(ServerGone):  # not "somebody else has it"
            streams.take_lease(key, "a", ttl_ms=60_000)
        assert streams.renew_lease(key, "a", ttl_ms=60_000)


def test_and_a_client_that_retries_in_silence_does(wire: Wire) -> None:
    key = keys.floor(f"t-{fresh_id()}")
    with closing(redis.Redis(unix_socket_path=wire.path)) as client:
        wire.cut, wire.times = b"XADD", 3
        client.xadd(key, {"b": "x"})
        assert client.xlen(key) == 4


def test_a_commit_whose_reply_was_lost_is_mine_when_it_is_sent_again(wire: Wire) -> None:
    run = f"t-{fresh_id()}"
    beside = {keys.channel(run, "tea"): "x"}
    with closing(Streams(f"unix://{wire.path}")) as streams:
        streams.commit(f"{run}-0", a_commit("flood"), {})  # from here on the server has the script
        wire.cut, wire.times = b"EVALSHA", 1
        with pytest.raises(ServerGone):
            streams.commit(run, a_commit("flood"), beside)
        streams.commit(run, a_commit("flood"), beside)
        with pytest.raises(Conflict):
            streams.commit(run, a_commit("fire"), beside)
        assert list(streams.journal(run)) == [a_commit("flood")]
        assert streams.count(keys.channel(run, "tea")) == 1


def test_other_streams_are_read_right_after_those_waited_for() -> None:
    streams = fake_streams()
    tail = a_tail(streams, "inbox")
    said = streams.append("channel", "a word")
    mail = streams.append("inbox", "a grant")
    read, then = tail.read_then({"channel": "0-0"})
    assert [entry.id for entry in read] == [mail]
    assert [(entry.key, entry.id) for entry in then] == [("channel", said)]
    assert tail.read_then({"channel": said}) == ([], [])


def test_a_word_in_another_stream_does_not_end_the_wait(real_server: str) -> None:
    with closing(Streams(real_server)) as streams, closing(Streams(real_server)) as other:
        inbox, channel = fresh_id(), fresh_id()
        tail = Tail(streams)
        tail.follow(inbox)

        def write() -> None:
            other.append(channel, "a word")
            other.append(inbox, "a grant")

        writer = Thread(target=write)
        writer.start()
        read, then = tail.read_then({channel: "0-0"}, block_ms=2_000)
        writer.join()
    assert bodies(read) == ["a grant"]
    assert bodies(then) == ["a word"]
