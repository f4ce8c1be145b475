"""A server that is as wrong as a test wants it: for what no honest server can be made to do."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self

PATIENCE_S = 20.0
"""How long anything here waits before it gives a test up."""

CHATS = ("/api/chat", "/api/chat/completions")
"""Where a chat is asked for, as Ollama has it and as OpenAI has it."""

Chat = Callable[["Visit"], None]


def line(content: str = "", **more: Any) -> bytes:
    """Write a chunk of a chat as Ollama does."""
    message = {"role": "assistant", "content": content, **more.pop("message", {})}
    chunk = {"model": "tiny", "created_at": "2026-01-01T00:00:00Z", "message": message}
    return json.dumps({**chunk, "done": False, **more}).encode() + b"\n"


DONE = line(
    done=True,
    done_reason="stop",
    total_duration=9,
    load_duration=1,
    prompt_eval_count=12,
    prompt_eval_duration=3,
    eval_count=4,
    eval_duration=5,
)


class Visit:
    """One connection that asked to chat."""

    def __init__(self, server: RawServer, connection: socket.socket) -> None:
        self.server, self.connection = server, connection

    def status(self, status: int, body: bytes, *, headers: str = "Connection: close\r\n") -> None:
        """Answer with a whole response."""
        length = f"Content-Length: {len(body)}\r\n"
        self.connection.sendall(f"HTTP/1.1 {status} X\r\n{length}{headers}\r\n".encode() + body)

    def begin(self) -> None:
        """Begin a chunked response."""
        self.connection.sendall(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )

    def chunk(self, body: bytes) -> None:
        self.connection.sendall(b"%x\r\n%b\r\n" % (len(body), body))

    def end(self) -> None:
        """End a chunked response as it should end."""
        self.connection.sendall(b"0\r\n\r\n")

    def stream(self, *lines: bytes) -> None:
        """Answer with a whole stream."""
        self.begin()
        for one in lines:
            self.chunk(one)
        self.end()

    def reset(self) -> None:
        """End the connection with a RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def hang(self) -> None:
        """Say nothing more until the other side has hung up, and set `left` then."""
        try:
            while self.connection.recv(65_536):
                pass
        except TimeoutError:
            return
        except OSError:
            pass
        self.server.left.set()


class RawServer:
    """Answers honestly what it is, and a chat as `chat` says.

    Attributes:
        chats: Bodies of the chat requests so far.
        paths: Request targets so far, of any kind.
        keys: What visitors said they were let in by.
        asked: Set when a chat was asked for.
        left: Set when a visitor was seen to hang up.
    """

    def __init__(self, chat: Chat, *, about: dict[str, bytes] | None = None) -> None:
        self.chats: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: set[str] = set()
        self.asked, self.left, self.closing = Event(), Event(), Event()
        self._chat = chat
        self._about = {**_ABOUT, **(about or {})}
        self._lock = Lock()
        self._open: list[socket.socket] = []
        self._threads: list[Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE_S)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE_S)
            with self._lock:
                self._open.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("rb") as reader:
            while (head := reader.readline()) and not self.closing.is_set():
                length = 0
                while (header := reader.readline().strip()) != b"":
                    name, _, value = header.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                    self.keys |= {value.decode()} if name.lower() == b"authorization" else set()
                target, body = head.split()[1].decode(), reader.read(length)
                if len(body) < length:
                    return
                self.paths.append(target)
                path = "/" + target.split("/", 3)[-1] if "://" in target else target
                visit = Visit(self, connection)
                if path in CHATS:
                    self.chats.append(json.loads(body))
                    self.asked.set()
                    self._chat(visit)
                    return
                status = 200 if path in self._about else 404
                visit.status(status, self._about.get(path, b""), headers="")


_ABOUT = {
    "/api/version": b'{"version": "0.33.0"}',
    "/api/tags": json.dumps(
        {
            "models": [
                {"name": "tiny:latest", "model": "tiny:latest", "digest": "d" * 64},
                {"name": "ada/chat:1b", "model": "ada/chat:1b", "digest": "e" * 64},
            ]
        }
    ).encode(),
    "/api/show": b'{"details": {"family": "llama"}, "model_info": {"general.architecture": "x"}}',
}


def closed_port() -> str:
    """Name a URL at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
