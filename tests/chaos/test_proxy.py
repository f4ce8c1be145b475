"""Each fault of the proxy is what its name says: what arrives, and what is answered."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.chaos.proxy import COMMANDS, KINDS, REPLIES, Proxy
from utils.clock import monotonic_s
from utils.streams import Streams

COMMAND = b"*5\r\n$4\r\nXADD\r\n$5\r\nwords\r\n$3\r\n7-0\r\n$1\r\nb\r\n$1\r\nx\r\n"
REPLY = b"$3\r\n7-0\r\n"


class Seen(NamedTuple):
    """What became of one command: of itself, of its reply, of the connection."""

    arrived: bool
    answered: bytes
    ends: str
    took_s: float
    proxy: Proxy


Send = Callable[..., Seen]


@pytest.fixture
def send(empty_server: str) -> Send:
    """Send one command through a proxy of one fault."""

    def sent(*, command: str = "", reply: str = "") -> Seen:
        home = Path(empty_server.removeprefix("unix://"))
        commands, replies = [[one] if one else [] for one in (command, reply)]
        proxy = Proxy(home, seed=1, rate=1, most=1, commands=commands, replies=replies)
        with closing(proxy), closing(Streams(empty_server)) as looker:
            began_s = monotonic_s()
            answered, ends = talked(proxy.port)
            took_s = monotonic_s() - began_s
            assert +proxy.faults == {command or reply: 1}
            return Seen(looker.count("words") == 1, answered, ends, took_s, proxy)

    return sent


def talked(port: int) -> tuple[bytes, str]:
    """Send the command, and read until it is answered or the connection ends, and how."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(COMMAND)
        answered = b""
        try:
            while len(answered) < len(REPLY):
                chunk = line.recv(100)
                if not chunk:
                    return answered, "closed"
                answered += chunk
        except ConnectionResetError:
            return answered, "reset"
        return answered, "open"


def test_every_kind_is_tried_here() -> None:
    assert set(COMMANDS) | set(REPLIES) == KINDS
    assert len(KINDS) == 7


def test_a_cut_before_the_command_leaves_it_undone(send: Send) -> None:
    seen = send(command="cut before the command")
    assert (seen.arrived, seen.answered, seen.ends) == (False, b"", "closed")


def test_a_cut_after_the_command_leaves_it_done_and_unanswered(send: Send) -> None:
    seen = send(reply="cut after the command")
    assert (seen.arrived, seen.answered, seen.ends) == (True, b"", "closed")


def test_a_cut_within_the_reply_leaves_the_command_done_and_half_answered(send: Send) -> None:
    seen = send(reply="cut within the reply")
    assert (seen.arrived, seen.answered, seen.ends) == (True, REPLY[:4], "closed")


@pytest.mark.parametrize("way", ["command", "reply"])
@pytest.mark.parametrize("kind", ["delay", "byte by byte"])
def test_what_is_slow_arrives_whole(send: Send, kind: str, way: str) -> None:
    seen = send(**{way: kind})
    assert (seen.arrived, seen.answered, seen.ends) == (True, REPLY, "open")
    assert seen.took_s >= seen.proxy.slept_s
    assert (seen.proxy.slept_s > 0) is (kind == "delay")


@pytest.mark.parametrize(("way", "arrived"), [("command", False), ("reply", True)])
def test_one_way_carries_nothing_for_a_while_and_the_other_does(
    send: Send, way: str, arrived: bool
) -> None:
    seen = send(**{way: "one way"})
    assert (seen.arrived, seen.answered, seen.ends) == (arrived, b"", "closed")
    assert seen.took_s >= seen.proxy.slept_s > 0


@pytest.mark.parametrize(("way", "arrived"), [("command", False), ("reply", True)])
def test_a_reset_is_no_close(send: Send, way: str, arrived: bool) -> None:
    seen = send(**{way: "reset"})
    assert (seen.arrived, seen.answered, seen.ends) == (arrived, b"", "reset")


def test_a_command_that_comes_in_pieces_is_one_command(empty_server: str) -> None:
    home = Path(empty_server.removeprefix("unix://"))
    proxy = Proxy(home, seed=1, rate=1, most=1, replies=[], commands=["cut before the command"])
    with closing(proxy), closing(Streams(empty_server)) as looker:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in COMMAND[:-1]:
                line.sendall(bytes([byte]))
            assert proxy.count == 0
            line.sendall(COMMAND[-1:])
            assert line.recv(100) == b""
        assert looker.count("words") == 0
