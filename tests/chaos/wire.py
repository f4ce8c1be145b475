"""A client whose connections go through the simulated network."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import redis

from tests.chaos.scheduler import Killed, Process, ProcessClock
from tests.chaos.weather import Network
from utils.streams import Streams


class Line:
    """One connection of a process, made anew when it is broken."""

    def __init__(self, network: Network, process: Process, clock: ProcessClock) -> None:
        self.network, self.process, self.clock = network, process, clock
        self.life = 0
        self.on_connect: Callable[[], None] = lambda: None
        self._replies: deque[Any] = deque()

    def connect(self) -> None:
        """Make sure of a connection. One that a dead server left is found broken, or not."""
        if self.process.is_dead:
            raise Killed
        if not self.network.is_reachable(self.process):
            self.network.scheduler.wait(self.network.chance.randrange(1, 200))
            self.break_off("cannot connect")
        if self.life and self.life != self.network.server.lives:
            if self.network.chance.random() < 0.5:
                self.break_off("the other end is closed")
            self.life = 0
        if not self.life:
            self.life = self.network.server.lives
            self.on_connect()

    def break_off(self, why: str) -> None:
        self.life = 0
        self._replies.clear()
        raise redis.ConnectionError(why)

    def send_packed_command(self, chunks: tuple[bytes, ...]) -> None:
        self._replies.clear()
        self._replies.extend(self.network.exchange(self, unpacked(b"".join(chunks))))

    def read_response(self) -> Any:
        reply = self._replies.popleft()
        if isinstance(reply, Exception):
            raise reply
        return reply

    def ask(self, *command: str | int) -> Any:
        (reply,) = self.network.exchange(self, [[str(word) for word in command]])
        if isinstance(reply, Exception):
            raise reply
        return reply


class Client:
    """As much of redis-py's client as `Streams` uses."""

    def __init__(self, line: Line) -> None:
        self.connection = line

    def close(self) -> None:
        """There is nothing to let go."""

    def time(self) -> Any:
        return self.connection.ask("TIME")

    def info(self, *sections: str) -> Any:
        return self.connection.ask("INFO", *sections)

    def get(self, key: str) -> Any:
        return self.connection.ask("GET", key)

    def set(self, key: str, value: str, *, nx: bool = False, px: int | None = None) -> Any:
        lapses = ("PX", px) if px is not None else ()
        return self.connection.ask("SET", key, value, *(["NX"] if nx else []), *lapses)

    def mget(self, keys: list[str]) -> Any:
        return self.connection.ask("MGET", *keys)

    def scan_iter(self, pattern: str, *, count: int) -> Any:
        return self.connection.ask("KEYS", pattern)

    def delete(self, *keys: str) -> Any:
        return self.connection.ask("DEL", *keys)

    def xlen(self, key: str) -> Any:
        return self.connection.ask("XLEN", key)

    def xinfo_stream(self, key: str) -> Any:
        return self.connection.ask("XINFO", "STREAM", key)

    def xrange(self, key: str, *, min: str, max: str, count: int | None = None) -> Any:
        most = ("COUNT", count) if count is not None else ()
        return [paired(one) for one in self.connection.ask("XRANGE", key, min, max, *most)]

    def xrevrange(self, key: str, *, max: str = "+", count: int) -> Any:
        return [paired(o) for o in self.connection.ask("XREVRANGE", key, max, "-", "COUNT", count)]

    def zrem(self, key: str, member: str) -> Any:
        return self.connection.ask("ZREM", key, member)

    def zrange(self, key: str, first: int, last: int, *, withscores: bool = False) -> Any:
        pairs = self.connection.ask("ZRANGE", key, first, last)
        return pairs if withscores else [member for member, _ in pairs]


class SimulatedStreams(Streams):
    """A connection of a process over the simulated network."""

    def __init__(self, network: Network, process: Process, clock: ProcessClock) -> None:
        super().__init__("simulated://")
        self.network = network
        self._at = (network, process, clock)

    @property
    def line(self) -> Line:
        return self._line  # type: ignore[no-any-return]

    def another(self, name: str = "") -> Streams:
        return type(self)(*self._at)

    def _connect(self) -> Any:
        line = Line(*self._at)
        line.on_connect = self._connected
        return Client(line)

    def _connected(self) -> None:
        self.connects += 1


def paired(entry: list[Any]) -> tuple[str, dict[str, str]]:
    """Read an entry as redis-py's client gives it."""
    fields = entry[1]
    return entry[0], dict(zip(fields[::2], fields[1::2], strict=True))


def unpacked(sent: bytes) -> list[list[str]]:
    r"""Read commands as they go over the line.

    Example:
        >>> unpacked(b"*2\r\n$3\r\nGET\r\n$3\r\ntea\r\n")
        [['GET', 'tea']]
    """
    pieces = sent.split(b"\r\n")
    commands, at = [], 0
    while at < len(pieces) - 1:
        past = at + 1 + 2 * int(pieces[at][1:])
        words = pieces[at + 2 : past : 2]
        if any(
            int(size[1:]) != len(word)
            for size, word in zip(pieces[at + 1 : past : 2], words, strict=True)
        ):
            raise ValueError("a line break inside a word: nothing here sends one")
        commands.append([word.decode("utf-8", "surrogateescape") for word in words])
        at = past
    return commands
