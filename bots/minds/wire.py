"""One call's connection, which a deadline or a revoke may cut from another thread.

httpx times out per read: a server that drips a byte a second is never late for it. And
a thread that is blocked in a read hears nothing. So whoever asks a model stands inside
`guarded`, and every socket that a `WireTransport` reads from is known to it: when the
time is up, or the answer is no longer wanted, the socket is shut down and the read ends.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import ip_address
from threading import Lock, Timer
from typing import Any, Literal, cast
from urllib.request import getproxies, proxy_bypass

import httpx

from bots.minds.seam import StopSignal
from bots.minds.tap import Tap
from utils.clock import monotonic_ms
from utils.errors import BadInput

CONNECT_S = 5.0
"""Longest wait for a connection. A revoke is not felt before it stands."""

READ_S = 300.0
"""Longest silence in mid-answer. Loading a model is silence, and Ollama gives that up
after OLLAMA_LOAD_TIMEOUT, five minutes by default: the allowance is the real bound."""

MAX_RESPONSE_BYTES = 64 * 2**20
"""Longest response: room for a million characters in chunks of a few each."""

LENGTH = b"content-length"

Cut = Literal["", "cancelled", "timeout"]


class Wire:
    """What one answer hangs on.

    Attributes:
        cut_by: Why it was cut; empty while it was not.
        status: HTTP status of the last response, none before its headers came.
        tap: Sees the chat go by, while there is one.
    """

    def __init__(self, *, allow_ms: int) -> None:
        self.cut_by: Cut = ""
        self.status: int | None = None
        self.tap: Tap | None = None
        self.allow_ms = allow_ms
        self._deadline_ms = monotonic_ms() + allow_ms
        self._lock = Lock()
        self._held: socket.socket | None = None
        self._over = False

    def hold(self, held: socket.socket) -> None:
        """Hang on this socket from now on; if cut already, shut it down."""
        with self._lock:
            self._held = held
            if self.cut_by:
                _shut_down(held)

    def cut(self, why: Cut) -> None:
        """End the answer, whatever it waits for. Only the first cut counts."""
        with self._lock:
            if self._over or self.cut_by:
                return
            self.cut_by = why
            if self._held is not None:
                _shut_down(self._held)

    def let_go(self) -> None:
        """Be cut no more: the socket may soon be another answer's."""
        with self._lock:
            self._over = True
            self._held = None

    def timeouts_s(self, within_s: float | None = None) -> dict[str, float]:
        """Bound each step by what is left of the time, as httpx wants it."""
        left_s = max(0.001, (self._deadline_ms - monotonic_ms()) / 1000)
        left_s = left_s if within_s is None else min(left_s, within_s)
        connect_s, read_s = min(CONNECT_S, left_s), min(READ_S, left_s)
        return {"connect": connect_s, "pool": connect_s, "read": read_s, "write": read_s}


@contextmanager
def guarded(stop: StopSignal | None, *, allow_ms: int) -> Iterator[Wire]:
    """Give a wire that is cut after `allow_ms`, or as soon as `stop` is set."""
    wire = Wire(allow_ms=allow_ms)
    timer = Timer(allow_ms / 1000, wire.cut, ("timeout",))
    timer.daemon = True
    timer.start()
    try:
        if stop is not None:
            stop.when_set(partial(wire.cut, "cancelled"))
        yield wire
    finally:
        wire.let_go()
        timer.cancel()


class WireTransport(httpx.HTTPTransport):
    """A connection to one server, for one thread at a time, that a wire can cut.

    Args:
        host: The server's URL. A proxy of the environment is used only for a server
            that is neither on this machine nor in its network.
    """

    def __init__(self, host: str) -> None:
        super().__init__(
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            proxy=None if near(host) else _proxy_of(host),
        )
        self.wire = Wire(allow_ms=0)
        self._socket: socket.socket | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, with this transport's wire hanging on the socket."""
        wire = self.wire
        wire.status = None
        if wire.tap is not None:
            request = _completed(request, wire.tap)
        request.extensions = {
            **request.extensions,
            "timeout": wire.timeouts_s(request.extensions.get("within_s")),
            "trace": self._trace,
        }
        if self._socket is not None:
            wire.hold(self._socket)
        response = super().handle_request(request)
        wire.status = response.status_code
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_Watched(cast("httpx.SyncByteStream", response.stream), wire.tap),
            extensions=response.extensions,
        )

    def fetch(
        self, url: str, body: dict[str, Any] | None = None, *, within_s: float | None = None
    ) -> bytes:
        """Get what is at a URL of this server, or post to it, outside any chat.

        Args:
            url: Where.
            body: Posted as JSON; none to get.
            within_s: How long each step may take, seconds; none for all there is.
        """
        extensions = {} if within_s is None else {"within_s": within_s}
        method = "GET" if body is None else "POST"
        asked = httpx.Request(method, url, json=body, extensions=extensions)
        response = self.handle_request(asked)
        try:
            return response.read()
        finally:
            response.close()

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Learn of a new socket; httpcore tells no name of one that is used again."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            if self._socket is not None:
                self.wire.hold(self._socket)


class _Watched(httpx.SyncByteStream):
    """A response's bytes, up to `MAX_RESPONSE_BYTES`, by way of the tap if there is one."""

    def __init__(self, inner: httpx.SyncByteStream, tap: Tap | None) -> None:
        self._inner, self._tap = inner, tap

    def __iter__(self) -> Iterator[bytes]:
        bounded = self._bounded()
        yield from bounded if self._tap is None else self._tap.response(bounded)

    def _bounded(self) -> Iterator[bytes]:
        left = MAX_RESPONSE_BYTES
        for part in self._inner:
            left -= len(part)
            if left < 0:
                raise httpx.DecodingError(f"more than {MAX_RESPONSE_BYTES} bytes")
            yield part

    def close(self) -> None:
        self._inner.close()


def _completed(request: httpx.Request, tap: Tap) -> httpx.Request:
    """Give a request with the body that the tap makes of it."""
    headers = [(name, value) for name, value in request.headers.raw if name.lower() != LENGTH]
    return httpx.Request(
        request.method,
        request.url,
        headers=headers,
        content=tap.request(request.read()),
        extensions=request.extensions,
    )


def near(host: str) -> bool:
    """Tell whether a server is on this machine or in its own network.

    Args:
        host: A URL.

    Example:
        >>> near("http://127.0.0.1:11434"), near("http://ollama:11434"), near("http://[fd00::1]")
        (True, True, True)
        >>> near("https://models.example.org"), near("http://8.8.8.8:11434")
        (False, False)
    """
    name = httpx.URL(host).host
    try:
        address = ip_address(name)
    except ValueError:
        return "." not in name or name.endswith((".local", ".internal", ".localhost"))
    return address.is_loopback or address.is_private or address.is_link_local


def _proxy_of(host: str) -> str | None:
    url = httpx.URL(host)
    if proxy_bypass(url.host):
        return None
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if proxy is None or proxy.startswith(("http://", "https://")):
        return proxy
    if "://" not in proxy:
        return f"http://{proxy}"
    kind = proxy.partition("://")[0]  # not the whole of it: there may be a password
    raise BadInput(
        f"the model server at {host} cannot be asked through {kind}://...",
        mend="use an HTTP proxy, or name the server in NO_PROXY",
    )


def _shut_down(held: socket.socket) -> None:
    """Wake whoever is blocked on a socket; of a TLS socket, the one beneath."""
    with suppress(OSError):
        socket.socket.shutdown(held, socket.SHUT_RDWR)
