"""The offline model: a small HTTP server with Ollama's API and no model behind it."""

from __future__ import annotations

import contextlib
import errno
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from bots.offline import wire
from bots.offline.api import Api, Reply, plain, whole
from bots.offline.request import Refused
from utils.clock import sleep_s, utc_now
from utils.errors import BadInput

DEFAULT_MODEL = "parley-offline"
MAX_BODY_BYTES = 8_000_000
DRAIN_BYTES = 64_000_000
IDLE_S = 60.0
HANG_UP_S = 5.0
POLL_S = 0.05

Answers = Callable[[str, str, bytes], Reply]
"""From method, path and body to a reply."""


class OfflineServer:
    """Serves the offline model until it is closed.

    It is bound when it is made, so `url` is known at once. As a context manager it
    serves in a thread of its own; `serve_forever` serves until it is interrupted.

    Args:
        host: Where to listen. Only this machine by default.
        port: 0 for any free port.
        models: Names it goes by.
        tokens_per_s: How fast it speaks; None for as fast as it can.
        now: The wall time, for the fields that tell it.
        sleep: Waits so many seconds, for the pace.
        max_body_bytes: Longer requests are refused.

    Raises:
        BadInput: The port is taken, or the host cannot be listened on.

    Example:
        >>> with OfflineServer() as server:
        ...     server.url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        models: Sequence[str] = (DEFAULT_MODEL,),
        tokens_per_s: float | None = None,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = sleep_s,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        if tokens_per_s is not None and not tokens_per_s > 0:
            raise BadInput(f"{tokens_per_s} tokens a second", mend="give a number above 0")
        token_s = 1 / tokens_per_s if tokens_per_s else 0.0
        api = Api(
            models,
            now=now,
            wait_tokens=lambda tokens: sleep(tokens * token_s) if token_s else None,
            token_ns=round(token_s * 1e9) or wire.TOKEN_NS,
        )
        self._listener = _listen(host, port, api.reply, max_body_bytes)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where a client finds it."""
        host, port = self._listener.server_address[:2]
        name = host.decode() if isinstance(host, bytes) else str(host)
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

    @property
    def port(self) -> int:
        """The port it listens on, never 0."""
        return int(self._listener.server_address[1])

    def start(self) -> None:
        """Serve in a thread; a second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._listener.serve_forever,
                args=(POLL_S,),
                name="parley-offline",
                daemon=True,
            )
            self._thread.start()

    def serve_forever(self) -> None:
        """Serve until `close` is called from another thread, or until interrupted."""
        self.start()
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(POLL_S)

    def close(self) -> None:
        """Stop listening and hang up on everybody; a second call does nothing."""
        if self._thread is not None and self._thread.is_alive():
            self._listener.shutdown()
            self._thread.join()
        self._listener.server_close()
        self._listener.hang_up()

    def __enter__(self) -> Self:
        """Start serving."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


class _Listener(ThreadingHTTPServer):
    """One thread a connection, and a list of who is connected."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512
    answers: Answers
    max_body_bytes: int

    def __init__(self, address: tuple[str, int]) -> None:
        self._connected: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, _Connection)

    def server_bind(self) -> None:
        """Bind without asking the net for this machine's name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._connected.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._connected.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Show what is a defect; a client that went away is none."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        """Wake every connection's thread and wait until each has closed its socket."""
        with self._changed:
            for connected in self._connected:
                with contextlib.suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._connected, timeout=HANG_UP_S)


class _Connection(BaseHTTPRequestHandler):
    """Reads requests off one connection and writes replies, until either side has enough."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    disable_nagle_algorithm = True
    server: _Listener

    def answer(self) -> None:
        """Read one request and send its reply."""
        try:
            try:
                reply = self.server.answers(self.command, self.path, self._read_body())
            except Refused as refusal:
                self.close_connection = True
                self._send(whole({"error": refusal.message}, refusal.status))
                self._drain()
            else:
                self._send(reply)
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # the client went away, which is its right

    # The names that http.server looks for.
    do_GET = do_HEAD = do_POST = do_PUT = answer  # noqa: N815
    do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding"):
            raise Refused(411, "send the body with a Content-Length")
        size = self._content_length()
        if size is None:
            raise Refused(400, "bad Content-Length")
        if size > self.server.max_body_bytes:
            raise Refused(413, "http: request body too large")
        body = self.rfile.read(size)
        if len(body) < size:
            raise ConnectionError("the body ended early")
        return body

    def _content_length(self) -> int | None:
        spelled = self.headers.get("Content-Length", "0")
        return int(spelled) if spelled.isascii() and spelled.isdigit() else None

    def _drain(self) -> None:
        """Take what is still coming, within reason, or the client never reads the refusal."""
        left = min(self._content_length() or 0, DRAIN_BYTES)
        while left > 0 and (chunk := self.rfile.read(min(left, 65_536))):
            left -= len(chunk)

    def _send(self, reply: Reply) -> None:
        chunked = reply.streamed and self.request_version != "HTTP/1.0"
        whole_body = b"" if chunked else b"".join(reply.body)
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(whole_body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        if not chunked:
            self.wfile.write(whole_body)
            return
        for piece in reply.body:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no HTTP, in plain text."""
        self.close_connection = True
        if not getattr(self, "command", None):
            self.command = "GET"
        with contextlib.suppress(OSError):
            self._send(plain(f"{code} {message or explain or 'bad request'}", code))

    def version_string(self) -> str:
        return wire.SERVER_VERSION

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what matters of a call is in the caller's record."""


def _listen(host: str, port: int, answers: Answers, max_body_bytes: int) -> _Listener:
    kind = _Listener6 if ":" in host else _Listener
    try:
        listener = kind((host, port))
    except (OSError, OverflowError) as error:
        where, number = f"{host}:{port}", getattr(error, "errno", None)
        mend = "give another with --port, or --port 0 for any free one"
        if number == errno.EADDRINUSE:
            raise BadInput(f"port {port} is taken", where=where, mend=mend) from error
        if number == errno.EACCES:
            raise BadInput(f"port {port} is not for you", where=where, mend=mend) from error
        raise BadInput(f"cannot listen there: {error}", where=where) from error
    listener.answers, listener.max_body_bytes = answers, max_body_bytes
    return listener


class _Listener6(_Listener):
    address_family = socket.AF_INET6
