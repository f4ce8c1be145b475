"""The ollama mind and everything a server may do wrong, over real HTTP."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import httpx
import pytest

from bots.minds.failures import failed, failed_status
from bots.minds.ollama import OllamaMind
from bots.minds.seam import Request
from bots.minds.stop import Stop
from bots.minds.wire import MAX_RESPONSE_BYTES, Wire
from tests.bots.asking import ask, model, request, well
from tests.bots.raw_server import DONE, PATIENCE_S, Chat, RawServer, Visit, closed_port, line
from utils.errors import MindFailed


def failure(chat: Chat, asked: Request | None = None) -> MindFailed:
    with RawServer(chat) as server, pytest.raises(MindFailed) as caught:
        ask(server, asked)
    return caught.value


def told(status: int, body: str) -> Chat:
    return lambda visit: visit.status(status, body.encode())


def redirected(visit: Visit) -> None:
    visit.status(302, b"", headers="Location: http://x.invalid/\r\nConnection: close\r\n")


def streamed(*lines: bytes) -> Chat:
    return lambda visit: visit.stream(*lines)


def cut_in_a_chunk(visit: Visit) -> None:
    visit.begin()
    visit.chunk(line("A town"))
    visit.connection.sendall(b"ff\r\n" + line("is")[:10])


def reset_in_the_middle(visit: Visit) -> None:
    visit.begin()
    visit.chunk(line("A town"))
    visit.reset()


BUSY = "server busy, please try again.  maximum pending requests exceeded"
AGAIN, NOT_AGAIN = True, False


@pytest.mark.parametrize(
    ("chat", "kind", "retryable", "status"),
    [
        pytest.param(told(404, '{"error":"gone"}'), "not_found", NOT_AGAIN, 404, id="404"),
        pytest.param(told(503, json.dumps({"error": BUSY})), "overloaded", AGAIN, 503, id="503"),
        pytest.param(told(503, '"busy"'), "overloaded", AGAIN, 503, id="503, no object"),
        pytest.param(told(429, "slow down"), "overloaded", AGAIN, 429, id="429"),
        pytest.param(told(500, '{"error":"crash"}'), "server", AGAIN, 500, id="500"),
        pytest.param(told(502, "<html>Bad Gateway</html>"), "server", AGAIN, 502, id="502 HTML"),
        pytest.param(told(400, '{"error":"no thinking"}'), "refused", NOT_AGAIN, 400, id="400"),
        pytest.param(told(401, ""), "refused", NOT_AGAIN, 401, id="401"),
        pytest.param(
            told(400, '{"error":"the prompt exceeds the context length"}'),
            "context_overflow",
            NOT_AGAIN,
            400,
            id="context",
        ),
        pytest.param(redirected, "protocol", NOT_AGAIN, 302, id="redirect"),
        pytest.param(told(200, '{"error":"crash"}\n'), "server", AGAIN, 200, id="200 and error"),
        pytest.param(told(200, ""), "truncated", NOT_AGAIN, 200, id="200 and nothing"),
        pytest.param(told(200, "<html>hi</html>"), "protocol", NOT_AGAIN, 200, id="200 HTML"),
        pytest.param(streamed(b'{"done":true}\n'), "protocol", NOT_AGAIN, 200, id="no message"),
        pytest.param(streamed(b"[1]\n"), "protocol", NOT_AGAIN, 200, id="no object"),
        pytest.param(
            streamed(b'{"error":{"message":"x"}}\n'), "protocol", NOT_AGAIN, 200, id="odd error"
        ),
        pytest.param(streamed(b"[" * 99_999), "protocol", NOT_AGAIN, 200, id="deep"),
        pytest.param(
            streamed(b'{"eval_count":' + b"1" * 9_999 + b"}\n"),
            "protocol",
            NOT_AGAIN,
            200,
            id="big",
        ),
        pytest.param(Visit.reset, "unreachable", AGAIN, None, id="reset"),
        pytest.param(lambda visit: None, "unreachable", AGAIN, None, id="hang up"),
        pytest.param(
            lambda visit: visit.connection.sendall(b"SSH-2.0-x\r\n\r\n"),
            "protocol",
            NOT_AGAIN,
            None,
            id="not HTTP",
        ),
    ],
)
def test_a_fault_before_any_word_is_named_for_what_it_is(
    chat: Chat, kind: str, retryable: bool, status: int | None
) -> None:
    caught = failure(chat)
    assert (caught.kind, caught.retryable, caught.status) == (kind, retryable, status), str(caught)
    assert caught.partial == ""
    assert len(str(caught)) < 500
    assert str(caught).isprintable()


@pytest.mark.parametrize(
    ("chat", "kind", "retryable"),
    [
        pytest.param(
            streamed(line("A town"), b'{"error":"crash"}\n'), "server", AGAIN, id="error line"
        ),
        pytest.param(streamed(line("A town")), "truncated", NOT_AGAIN, id="no done"),
        pytest.param(
            streamed(line("A town"), line("is")[:30]), "protocol", NOT_AGAIN, id="half a line"
        ),
        pytest.param(streamed(line("A town"), b"%!$\n"), "protocol", NOT_AGAIN, id="garbage"),
        pytest.param(streamed(line("A town"), b"\n", DONE), "protocol", NOT_AGAIN, id="blank line"),
        pytest.param(cut_in_a_chunk, "truncated", AGAIN, id="cut in a chunk"),
    ],
)
def test_a_fault_in_mid_answer_keeps_the_words_that_had_come(
    chat: Chat, kind: str, retryable: bool
) -> None:
    caught = failure(chat)
    assert (caught.kind, caught.retryable, caught.partial) == (kind, retryable, "A town"), caught


def test_a_reset_in_mid_answer_is_a_lost_connection() -> None:
    """A RST may overtake what was sent before it: then it is one before the answer began."""
    caught = failure(reset_in_the_middle)
    assert caught.kind in {"truncated", "unreachable"}
    assert caught.retryable


def test_busy_keeps_the_servers_words() -> None:
    caught = failure(told(503, json.dumps({"error": BUSY})))
    assert (
        caught.detail
        == "HTTP 503: server busy, please try again. maximum pending requests exceeded"
    )


def test_a_missing_model_comes_with_the_line_that_mends_it() -> None:
    assert "run: ollama pull tiny" in str(failure(told(404, '{"error":"model not found"}')))


def test_a_response_without_end_is_cut_off() -> None:
    def chat(visit: Visit) -> None:
        visit.begin()
        part = b"x" * 2**20
        for _ in range(MAX_RESPONSE_BYTES // len(part) + 1):
            visit.chunk(part)
        visit.hang()

    assert failure(chat).kind == "protocol"


def test_no_server_is_unreachable() -> None:
    mind = OllamaMind(model(closed_port()))
    with pytest.raises(MindFailed) as caught:
        mind.answer(request(), Stop())
    mind.close()
    assert (caught.value.kind, caught.value.retryable) == ("unreachable", True)


@pytest.mark.parametrize(
    ("error", "kind", "retryable"),
    [
        (httpx.ConnectTimeout("x"), "unreachable", True),
        (httpx.PoolTimeout("x"), "unreachable", True),
        (httpx.ReadTimeout("x"), "timeout", True),
        (httpx.WriteTimeout("x"), "timeout", True),
        (ConnectionError("x"), "unreachable", True),
        (httpx.LocalProtocolError("x"), "protocol", False),
    ],
)
def test_faults_that_no_test_server_can_make_are_mapped_too(
    error: Exception, kind: str, retryable: bool
) -> None:
    caught = failed(error, Wire(allow_ms=1))
    assert (caught.kind, caught.retryable) == (kind, retryable)


def test_every_status_has_a_kind_and_a_line_that_can_be_shown() -> None:
    for status in range(100, 600):
        caught = failed_status(status, "\x00\ud800 words\n" * 1000)
        assert caught.kind in {"not_found", "overloaded", "server", "refused", "protocol"}
        assert len(str(caught)) < 500
        assert str(caught).isprintable()


# --- deadlines and revokes --------------------------------------------------------------


def hung_up(server: RawServer) -> bool:
    """Ask whether a chat was left; on a machine too slow to begin one there is none."""
    return not server.asked.is_set() or server.left.wait(PATIENCE_S)


def test_a_revoke_ends_a_read_that_waits_for_the_first_header() -> None:
    with RawServer(Visit.hang) as server:
        mind, stop = OllamaMind(model(server.url)), Stop()
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(mind.answer, request(), stop)
            assert server.asked.wait(PATIENCE_S)
            stop.set("revoked")
            error = asking.exception(PATIENCE_S)
        assert isinstance(error, MindFailed)
        assert (error.kind, error.retryable) == ("cancelled", False)
        assert server.left.wait(PATIENCE_S)
        mind.close()


def test_a_revoke_in_mid_answer_keeps_the_words_that_had_come() -> None:
    def chat(visit: Visit) -> None:
        visit.begin()
        visit.chunk(line("A town"))
        began.set()
        visit.hang()

    began = Event()
    with RawServer(chat) as server:
        mind, stop = OllamaMind(model(server.url)), Stop()
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(mind.answer, request(), stop)
            assert began.wait(PATIENCE_S)
            stop.set("revoked")
            error = asking.exception(PATIENCE_S)
        assert server.left.wait(PATIENCE_S)
        mind.close()
    assert isinstance(error, MindFailed)
    assert error.kind == "cancelled"
    assert error.partial in {"", "A town"}


def test_a_revoke_before_the_question_asks_nothing() -> None:
    stop = Stop()
    stop.set("revoked")
    with RawServer(well) as server:
        mind = OllamaMind(model(server.url))
        mind.preflight()
        with pytest.raises(MindFailed) as caught:
            mind.answer(request(), stop)
        mind.close()
    assert caught.value.kind == "cancelled"
    assert server.chats == []


def test_a_revoke_after_the_answer_does_no_harm_to_the_next() -> None:
    stop = Stop()
    with RawServer(well) as server:
        mind = OllamaMind(model(server.url))
        mind.answer(request(), stop)
        stop.set("revoked")
        assert mind.answer(request(), Stop()).text
        mind.close()


def test_a_server_that_never_answers_is_out_of_time() -> None:
    with RawServer(Visit.hang) as server:
        with pytest.raises(MindFailed) as caught:
            ask(server, request(allow_ms=200))
        assert hung_up(server)
    assert caught.value.kind == "timeout"


def test_a_server_that_drips_is_out_of_time_too() -> None:
    def drip(visit: Visit) -> None:
        visit.begin()
        try:
            while not visit.server.closing.wait(0.01):
                visit.chunk(line("drip "))
        except OSError:
            visit.server.left.set()

    with RawServer(drip) as server:
        with pytest.raises(MindFailed) as caught:
            ask(server, request(allow_ms=500))
        assert hung_up(server)
    assert (caught.value.kind, caught.value.retryable) == ("timeout", False)
    assert set(caught.value.partial.split()) <= {"drip"}


def test_a_response_without_a_length_that_is_cut_at_the_deadline_is_no_short_answer() -> None:
    def chat(visit: Visit) -> None:
        visit.connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + line("A town"))
        visit.hang()

    with RawServer(chat) as server, pytest.raises(MindFailed) as caught:
        ask(server, request(allow_ms=500))
    assert caught.value.kind == "timeout"
    assert caught.value.partial in {"", "A town"}
