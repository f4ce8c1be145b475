"""A proxy between everyone and the server, that breaks what it carries."""

from __future__ import annotations

import socket
import struct
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Lock, Thread

from utils.clock import sleep_s

KINDS = (
    "cut before the command",
    "cut after the command",
    "cut within the reply",
    "delay",
    "byte by byte",
    "one way",
    "reset",
)
MEAN_DELAY_S, LONGEST_DELAY_S = 0.05, 2.0


class Proxy:
    """Carries bytes both ways, until a fault is drawn.

    Args:
        server: The server's Unix socket.
        seed: Draws the faults; which connection meets which depends on the threads.
        rate: The chance of a fault at each chunk, either way.
        most: After so many faults it only carries.
    """

    def __init__(self, server: Path, *, seed: int, rate: float, most: int) -> None:
        self.faults: Counter[str] = Counter()
        self._server, self._rate, self._most = server, rate, most
        self._chance, self._lock = Random(seed), Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._is_closed = False
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def count(self) -> int:
        return sum(self.faults.values())

    def close(self) -> None:
        self._is_closed = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            self._cut(one)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            self._open |= {client, server}
            try:
                server.connect(str(self._server))
            except OSError:
                self._cut(client, server)
                continue
            for source, target, does in (
                (client, server, self._command),
                (server, client, self._reply),
            ):
                thread = Thread(target=self._carry, args=(source, target, does), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _carry(
        self,
        source: socket.socket,
        target: socket.socket,
        does: Callable[[str, bytes, socket.socket, socket.socket], bool],
    ) -> None:
        """Carry chunks one way until either end is closed or a fault closes both."""
        with suppress(OSError):
            while chunk := source.recv(1 << 16):
                fault = self._drawn()
                if not fault:
                    target.sendall(chunk)
                elif not does(fault, chunk, source, target):
                    break
        self._cut(source, target)

    def _command(
        self, fault: str, chunk: bytes, client: socket.socket, server: socket.socket
    ) -> bool:
        """Do something to what a client sends; whether the connection lives on."""
        if fault in ("cut before the command", "cut within the reply"):
            return False
        if fault == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if fault == "cut after the command":
            server.sendall(chunk)
            return False
        if fault == "one way":  # the server has it, and what it answers gets nowhere
            server.sendall(chunk)
            sleep_s(self._delay_s())
            return False
        return self._slowly(fault, chunk, server)

    def _reply(
        self, fault: str, chunk: bytes, server: socket.socket, client: socket.socket
    ) -> bool:
        """Do something to what the server answers; whether the connection lives on."""
        if fault == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if fault == "cut within the reply":
            client.sendall(chunk[: len(chunk) // 2])
            return False
        if fault in ("delay", "byte by byte"):
            return self._slowly(fault, chunk, client)
        return False

    def _slowly(self, fault: str, chunk: bytes, target: socket.socket) -> bool:
        if fault == "delay":
            sleep_s(self._delay_s())
            target.sendall(chunk)
        else:
            for at in range(len(chunk)):
                target.sendall(chunk[at : at + 1])
        return True

    def _drawn(self) -> str:
        with self._lock:
            if self.count >= self._most or self._chance.random() >= self._rate:
                return ""
            fault = self._chance.choice(KINDS)
            self.faults[fault] += 1
            return fault

    def _delay_s(self) -> float:
        with self._lock:
            return min(LONGEST_DELAY_S, self._chance.expovariate(1 / MEAN_DELAY_S))

    def _cut(self, *ends: socket.socket) -> None:
        for one in ends:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
            self._open.discard(one)
