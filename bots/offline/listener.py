"""The offline model's sockets: connections, requests off them, and replies onto them."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bots.offline import wire
from bots.offline.reply import Reply, plain, whole
from bots.offline.request import Refused
from utils.errors import BadInput

DRAIN_BYTES = 64_000_000
IDLE_S = 60.0
HANG_UP_S = 5.0
POLL_S = 0.05
RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: closing sends a RST, and what was not sent is lost."""

IsGone = Callable[[], bool]
Answers = Callable[[str, str, bytes, IsGone], Reply]
"""From method, path, body and whether the client has hung up to a reply."""


class _Listener(ThreadingHTTPServer):
    """One thread a connection, and a list of who is connected."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512
    answers: Answers
    max_body_bytes: int

    def __init__(self, address: tuple[str, int]) -> None:
        self.is_closing = threading.Event()
        self._is_shut = threading.Event()
        self._closed_s = 0.0
        self._connected: set[socket.socket] = set()
        self._dropped: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, _Connection)

    def server_bind(self) -> None:
        """Bind without asking the net for this machine's name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", int(self.server_address[1])

    def serve(self) -> None:
        """Let clients in until closed, but for the times when nobody is let in."""
        self.serve_forever(POLL_S)
        while not self.is_closing.is_set():
            self.socket.close()
            self.socket = socket.socket(self.address_family, self.socket_type)
            self.server_bind()  # the port stays ours: nobody listens there, so nobody is let in
            self._is_shut.set()
            self.is_closing.wait(self._closed_s)
            self.server_activate()
            self.serve_forever(POLL_S)

    def refuse(self, closed_s: float) -> None:
        """Let nobody in for a while: connections are refused, as where no server is."""
        self._closed_s = closed_s
        self._is_shut.clear()
        self.shutdown()
        self._is_shut.wait(HANG_UP_S)

    def drop(self, connection: socket.socket) -> None:
        """End a connection with a RST, as soon as its handler is done."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._dropped.add(connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._connected.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        if request in self._dropped:
            self.close_request(request)
        else:
            super().shutdown_request(request)
        with self._changed:
            self._connected.discard(request)
            self._dropped.discard(request)
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
                reply = self.server.answers(
                    self.command, self.path, self._read_body(), self._is_gone
                )
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

    def _is_gone(self) -> bool:
        """Ask whether the client has closed its side, as Go's server does while it works."""
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _send(self, reply: Reply) -> None:
        try:
            if reply.end in ("reset", "refuse"):
                self._reset(reply)
            else:
                self._send_whole(reply)
        finally:
            reply.release()

    def _reset(self, reply: Reply) -> None:
        """End the connection without a word; for `refuse`, let nobody in for a while."""
        self.close_connection = True
        if reply.end == "refuse":
            self.server.refuse(reply.closed_s)
        self.server.drop(self.connection)

    def _send_whole(self, reply: Reply) -> None:
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
        if reply.end == "cut":
            self.wfile.write(b'ff\r\n{"model":')
            self.close_connection = True
        else:
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


def listen(host: str, port: int, answers: Answers, max_body_bytes: int) -> _Listener:
    """Bind, ready to serve.

    Raises:
        BadInput: The port is taken, or the host cannot be listened on.
    """
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
