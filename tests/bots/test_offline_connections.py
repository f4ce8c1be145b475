"""The offline model's sockets: many clients, rude clients, and clients that leave."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import httpx
import ollama
import pytest

from bots.offline.server import Limits, OfflineServer
from utils.errors import BadInput

NAME = "parley-offline"
HELLO = [{"role": "user", "content": "Bo: What is a town for?"}]
ASK = b'{"model": "parley-offline", "messages": [{"role": "user", "content": "Why?"}]}'


def talk_raw(server: OfflineServer, request: bytes) -> bytes:
    """Send bytes, close the sending side, and read what comes until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as raw:
        raw.sendall(request)
        raw.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: raw.recv(65_536), b""))


def test_home_and_version_say_what_it_is_to_get_and_head() -> None:
    with OfflineServer() as server, httpx.Client(base_url=server.url, trust_env=False) as http:
        assert http.get("/").text == "parley-offline is running (not a language model)"
        assert http.get("/api/version").json() == {"version": "parley-offline-0.1"}
        for path in ("/", "/api/version", "/api/tags"):
            head = http.head(path)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["Content-Length"] == str(len(http.get(path).content))


def test_unknown_paths_and_methods_are_refused_as_by_ollamas_router() -> None:
    with OfflineServer() as server, httpx.Client(base_url=server.url, trust_env=False) as http:
        for reply in (http.get("/api/chat"), http.put("/"), http.delete("/api/tags")):
            assert (reply.status_code, reply.text) == (405, "405 method not allowed")
        reply = http.get("/api/nothing?x=1")
        assert (reply.status_code, reply.text) == (404, "404 page not found")
        assert http.get("/api/tags?x=1").status_code == 200


def test_one_connection_carries_many_requests() -> None:
    with OfflineServer() as server:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.connect()
        own = connection.sock.getsockname()
        for _ in range(3):
            connection.request("POST", "/api/chat", ASK)
            assert b'"done":true' in connection.getresponse().read()
        assert connection.sock.getsockname() == own
        connection.close()


def test_fifty_clients_at_once_get_what_one_gets() -> None:
    gate = threading.Barrier(50)

    def ask(seed: int) -> str | None:
        with ollama.Client(server.url, trust_env=False) as client:
            gate.wait(timeout=30)
            said: str | None = client.chat(NAME, HELLO, options={"seed": seed % 5}).message.content
        return said

    with OfflineServer() as server, ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(ask, range(50)))
    assert all(replies[place] == replies[place % 5] for place in range(50))
    assert len(set(replies)) > 1


def test_two_hundred_open_connections_are_all_served() -> None:
    with OfflineServer() as server:
        opened = [HTTPConnection("127.0.0.1", server.port, timeout=30) for _ in range(200)]
        for connection in opened:
            connection.connect()
        for connection in opened:
            connection.request("POST", "/api/chat", ASK)
        assert {connection.getresponse().read()[-3:] for connection in opened} == {b"0}\n"}
        for connection in opened:
            connection.close()


def test_a_client_that_leaves_in_mid_stream_does_no_harm(capfd: pytest.CaptureFixture[str]) -> None:
    left = threading.Event()
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            left.wait(timeout=30)

    with OfflineServer(tokens_per_s=1, sleep=sleep) as server:
        with ollama.Client(server.url, trust_env=False) as client:
            stream = client.chat(NAME, HELLO, stream=True)
            assert next(iter(stream)).message.content
        left.set()
        with ollama.Client(server.url, trust_env=False) as client:
            assert client.chat(NAME, HELLO).done
    assert capfd.readouterr().err == ""


def test_the_pace_is_kept_by_waiting_before_each_token() -> None:
    waits: list[float] = []
    with (
        OfflineServer(tokens_per_s=4, sleep=waits.append) as server,
        ollama.Client(server.url, trust_env=False) as client,
    ):
        parts = list(client.chat(NAME, HELLO, stream=True))
        assert waits == [0.25] * (len(parts) - 1)
        assert parts[-1].eval_duration == (len(parts) - 1) * 250_000_000
        waits.clear()
        whole = client.chat(NAME, HELLO)
        assert waits == [0.25 * (whole.eval_count or 0)]


def test_a_body_beyond_the_limit_is_refused_and_the_client_reads_why() -> None:
    with (
        OfflineServer(limits=Limits(body_bytes=1_000)) as server,
        ollama.Client(server.url, trust_env=False) as client,
    ):
        with pytest.raises(ollama.ResponseError, match="request body too large") as refused:
            client.chat(NAME, [{"role": "user", "content": "x" * 5_000_000}])
        assert refused.value.status_code == 413
        assert client.chat(NAME, HELLO).done


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /api/chat HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /api/chat HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"POST /api/chat HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", b"413"),
        (b"POST /api/chat HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (b"POST /api/chat HTTP/1.1\r\n\r\n", b"400"),
        (b"BREW /api/chat HTTP/1.1\r\n\r\n", b"501"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"505"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
    ],
)
def test_what_is_no_proper_request_is_refused(
    request_bytes: bytes, status: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with OfflineServer() as server:
        assert status in talk_raw(server, request_bytes).split(b"\r\n")[0]
    assert capfd.readouterr().err == ""


def test_a_body_that_ends_early_is_dropped_without_a_word(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with OfflineServer() as server:
        assert talk_raw(server, b"POST /api/chat HTTP/1.1\r\nContent-Length: 9\r\n\r\n{") == b""
    assert capfd.readouterr().err == ""


def test_http_1_0_gets_its_stream_without_chunks() -> None:
    head = b"POST /api/chat HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(ASK)
    with OfflineServer() as server:
        headers, _, body = talk_raw(server, head + ASK).partition(b"\r\n\r\n")
    assert b"chunked" not in headers
    assert body.endswith(b"}\n")


def test_a_taken_port_is_bad_input_that_says_how_to_mend_it() -> None:
    with (
        OfflineServer() as server,
        pytest.raises(BadInput, match=rf"port {server.port} is taken; .*--port 0"),
    ):
        OfflineServer(port=server.port)
    with pytest.raises(BadInput, match="cannot listen there"):
        OfflineServer(port=70_000)
    with pytest.raises(BadInput, match="give a number above 0"):
        OfflineServer(tokens_per_s=0)


def test_closing_hangs_up_on_idle_connections_and_ends_serve_forever() -> None:
    server = OfflineServer()
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\n\r\n")
        read = b""
        while not read.endswith(b"(not a language model)"):
            read += idle.recv(65_536)
        server.close()
        assert idle.recv(65_536) == b""
    serving.join(timeout=30)
    assert not serving.is_alive()
    server.close()


def test_a_server_that_never_started_closes_too() -> None:
    server = OfflineServer("::1") if socket.has_dualstack_ipv6() else OfflineServer()
    assert server.url.endswith(f":{server.port}")
    server.close()
