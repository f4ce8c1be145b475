"""A proxy between everyone and the server, that breaks what it carries."""

from __future__ import annotations

import socket
import struct
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from select import select
from threading import Lock, Thread

from utils.clock import sleep_s

COMMANDS = ("cut before the command", "delay", "byte by byte", "one way", "reset")
"""What becomes of a command on its way. `cut before the command`, `reset` and `one way`: it
does not arrive."""
REPLIES = (
    "cut after the command",
    "cut within the reply",
    "delay",
    "byte by byte",
    "one way",
    "reset",
)
"""What becomes of a reply on its way: the command was done."""
KINDS = frozenset((*COMMANDS, *REPLIES))
MEAN_DELAY_S, LONGEST_DELAY_S = 0.05, 2.0


class Proxy:
    """Carries commands and replies, until a fault is drawn.

    Args:
        server: The server's Unix socket.
        seed: Draws the faults; which connection meets which depends on the threads.
        rate: The chance of a fault at what is sent at once, and at the reply to it.
        most: After so many faults it only carries.
        commands: What may become of a command.
        replies: What may become of a reply.
    """

    def __init__(
        self,
        server: Path,
        *,
        seed: int,
        rate: float,
        most: int,
        commands: Sequence[str] = COMMANDS,
        replies: Sequence[str] = REPLIES,
    ) -> None:
        self.faults: Counter[str] = Counter()
        self.slept_s = 0.0
        self._server, self._rate, self._most = server, rate, most
        self._commands, self._replies = commands, replies
        self._chance, self._lock = Random(seed), Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._is_closed = False
        self.port: int = self._listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        self._threads = [Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def count(self) -> int:
        return sum(self.faults.values())

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            for one in (self._listener, *self._open):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server = socket.socket(socket.AF_UNIX)
            with self._lock:
                if self._is_closed:
                    client.close()
                    return
                self._open |= {client, server}
            self._threads.append(Thread(target=self._carry, args=(client, server), daemon=True))
            self._threads[-1].start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        """Carry both ways until either end is closed, or a fault closes both."""
        with suppress(OSError):
            server.connect(str(self._server))
            while self._step(client, server):
                pass
        with self._lock:
            self._open -= {client, server}
        client.close()
        server.close()

    def _step(self, client: socket.socket, server: socket.socket) -> bool:
        """Carry a command, or what comes of it; whether the connection lives on."""
        ready, _, _ = select([client, server], [], [])
        if server in ready:  # nobody waits for it: it is the rest of a long reply
            return self._pass(server, client)
        sent = b""
        while not is_whole(sent):
            chunk = client.recv(1 << 16)
            if not chunk:
                return False
            sent += chunk
        if not self._befall(self._commands, sent, server, client):
            return False
        reply = self._reply(client, server)
        return bool(reply) and self._befall(self._replies, reply, client, client)

    def _reply(self, client: socket.socket, server: socket.socket) -> bytes:
        """Wait for the reply to what was sent; empty where either end is closed before."""
        ready, _, _ = select([client, server], [], [])
        if server not in ready and not client.recv(1, socket.MSG_PEEK):
            return b""
        return server.recv(1 << 16)

    def _pass(self, source: socket.socket, target: socket.socket) -> bool:
        chunk = source.recv(1 << 16)
        target.sendall(chunk)
        return bool(chunk)

    def _befall(
        self, kinds: Sequence[str], carried: bytes, target: socket.socket, client: socket.socket
    ) -> bool:
        """Carry something to its target, whole unless a fault is drawn; whether it lives on."""
        fault = self._drawn(kinds)
        if fault in ("", "delay", "byte by byte"):
            if fault == "delay":
                self._sleep()
            step = 1 if fault == "byte by byte" else len(carried)
            for at in range(0, len(carried), step):
                target.sendall(carried[at : at + step])
            return True
        if fault == "one way":  # whoever sent it does not learn for a while that it is cut
            self._sleep()
        elif fault == "cut within the reply":
            target.sendall(carried[: len(carried) // 2])
        elif fault == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def _drawn(self, kinds: Sequence[str]) -> str:
        with self._lock:
            if not kinds or self.count >= self._most or self._chance.random() >= self._rate:
                return ""
            fault = self._chance.choice(kinds)
            self.faults[fault] += 1
            return fault

    def _sleep(self) -> None:
        with self._lock:
            delay_s = min(LONGEST_DELAY_S, self._chance.expovariate(1 / MEAN_DELAY_S))
            self.slept_s += delay_s
        sleep_s(delay_s)


def is_whole(sent: bytes) -> bool:
    """Tell whether this is one command or several, each to its end.

    Example:
        >>> (
        ...     is_whole(b"*1\\r\\n$4\\r\\nPING\\r\\n"),
        ...     is_whole(b"*2\\r\\n$4\\r\\nPING\\r\\n"),
        ...     is_whole(b""),
        ... )
        (True, False, False)
    """
    at = missing = 0
    while at < len(sent):
        end = sent.find(b"\r\n", at)
        if end < 0:
            return False
        number = int(sent[at + 1 : end])
        is_text = sent[at : at + 1] == b"$"
        missing += -1 if is_text else number
        at = end + 2 + (number + 2 if is_text else 0)
    return at == len(sent) > 0 and missing == 0
