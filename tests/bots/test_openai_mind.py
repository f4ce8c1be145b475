"""The OpenAI-compatible mind: against a real llama.cpp server, and against servers gone wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
from pydantic import JsonValue

from bots.minds.openai import KEY_VARIABLE, OpenAIMind
from bots.minds.seam import Answer, Request
from bots.minds.stop import Stop
from tests.bots.asking import request
from tests.bots.llama_server import llama_server
from tests.bots.raw_server import RawServer, Visit
from tests.bots.tiny_gguf import CONTEXT, write_model
from utils.calls import ChatMessage
from utils.errors import BadInput, MindFailed, Missing
from utils.protocol import AskAct
from utils.spec import ModelSpec


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A llama.cpp server with one slot: its base address, and its model's name."""
    with llama_server(tmp_path_factory.mktemp("llama")) as server:
        yield server


def ask(server: tuple[str, str], asked: Request | None = None) -> Answer:
    """Ask a mind that is made for this one question."""
    mind = OpenAIMind(ModelSpec(mind="openai", host=server[0], model=server[1]))
    try:
        return mind.answer(asked or short(), Stop())
    finally:
        mind.close()


def check(server: tuple[str, str]) -> None:
    """See whether a server has its model."""
    mind = OpenAIMind(ModelSpec(mind="openai", host=server[0], model=server[1]))
    try:
        mind.preflight()
    finally:
        mind.close()


def short(seed: int = 7) -> Request:
    return request(seed=seed, num_predict=40, cache_prompt=False)


# --- a real server ----------------------------------------------------------------------


def test_one_slot_without_prompt_cache_repeats_itself_exactly(llama: tuple[str, str]) -> None:
    first = [ask(llama, short(seed)).text for seed in range(8)]
    again = [ask(llama, short(seed)).text for seed in range(8)]
    assert first == again
    assert len(set(first)) == 8


def test_an_answer_ends_where_it_is_told_to_and_says_why(llama: tuple[str, str]) -> None:
    cut = ask(llama)
    assert (cut.done_reason, cut.answer_tokens) == ("length", 40)
    wanted = AskAct(name="name", text="Name it.", answer_schema={"enum": ["apple"]})
    stopped = ask(llama, request(ask=wanted, num_predict=60, cache_prompt=False, stop="pl"))
    assert (stopped.done_reason, stopped.text) == ("stop", '"ap')


def test_bytes_that_are_no_text_come_as_text_all_the_same(llama: tuple[str, str]) -> None:
    texts = "".join(ask(llama, short(seed)).text for seed in range(8))
    assert "\ufffd" in texts
    assert any(ord(character) > 127 and character != "\ufffd" for character in texts)
    assert texts.encode().decode() == texts


def test_what_does_not_fit_the_context_is_an_overflow(llama: tuple[str, str]) -> None:
    message = ChatMessage(role="user", content="x" * 4 * CONTEXT)
    with pytest.raises(MindFailed, match="context") as failed:
        ask(llama, request(messages=(message,)))
    assert failed.value.kind == "context_overflow"
    assert not failed.value.retryable


@pytest.mark.parametrize("seed", range(4))
def test_an_action_is_written_in_the_grammar_of_its_schema(
    llama: tuple[str, str], seed: int
) -> None:
    schema: JsonValue = {"enum": ["F", "J"]}
    wanted = AskAct(name="name", text="Name it.", answer_schema=schema)
    answer = ask(llama, request(ask=wanted, seed=seed, num_predict=60, cache_prompt=False))
    assert json.loads(answer.text) in ("F", "J")
    assert answer.done_reason == "stop"


def test_the_record_has_what_was_sent_and_what_it_took(llama: tuple[str, str]) -> None:
    answer = ask(llama)
    assert answer.sent == {
        "temperature": 1.0,
        "top_p": 1.0,
        "frequency_penalty": 0.0,
        "presence_penalty": 0.0,
        "max_tokens": 40,
        "cache_prompt": False,
        "seed": 7,
        "stop": ("\nBo:",),
    }
    assert answer.about.server.startswith("llama.cpp at http://127.0.0.1:")
    assert answer.prompt_tokens
    assert answer.prompt_ns
    assert answer.answer_ns


def test_a_model_that_is_not_there_is_missing(llama: tuple[str, str]) -> None:
    check(llama)
    with pytest.raises(Missing, match="model 'gpt' is not at"):
        check((llama[0], "gpt"))
    with pytest.raises(Missing, match="no server with OpenAI's API"):
        check(("http://127.0.0.1:1/v1", "m"))


# --- a server gone wrong ----------------------------------------------------------------


def event(content: str | None = None, *, end: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": end}
    return b"data: " + json.dumps({"choices": [choice]}, ensure_ascii=False).encode() + b"\n\n"


END = event(end="stop") + b"data: [DONE]\n\n"


def ask_raw(chat: Callable[[Visit], None], asked: Request | None = None) -> Answer:
    with RawServer(chat) as server:
        return ask((f"{server.url}/api", "tiny"), asked)


def test_a_character_cut_by_the_network_is_whole_in_the_answer() -> None:
    whole = event("caf\u00e9 \N{GRINNING FACE}\u2028\u0085!") + END

    def drip(visit: Visit) -> None:
        visit.stream(*(whole[at : at + 1] for at in range(len(whole))))

    assert ask_raw(drip).text == "caf\u00e9 \N{GRINNING FACE}\u2028\u0085!"


@pytest.mark.parametrize(
    ("chat", "kind", "partial"),
    [
        (lambda visit: visit.stream(event("A town")), "truncated", "A town"),
        (lambda visit: visit.stream(event("A"), b"data: {oops\n\n"), "protocol", "A"),
        (lambda visit: visit.stream(event("A"), b"data: [1]\n\n"), "protocol", "A"),
        (lambda visit: visit.stream(event("A"), b'data: {"x": 1}\n\n'), "protocol", "A"),
        (
            lambda visit: visit.stream(event("A"), b'data: {"error": {"message": "dead"}}\n\n'),
            "server",
            "A",
        ),
        (lambda visit: visit.status(503, b'{"error": {"message": "busy"}}'), "overloaded", ""),
        (lambda visit: visit.status(401, b"<html>who?</html>"), "refused", ""),
        (lambda visit: visit.status(404, b'{"error": "no such model"}'), "not_found", ""),
        (lambda visit: visit.status(500, b"[]"), "server", ""),
        (lambda visit: visit.reset(), "unreachable", ""),
    ],
)
def test_what_goes_wrong_is_named_and_what_had_come_is_kept(
    chat: Callable[[Visit], None], kind: str, partial: str
) -> None:
    with pytest.raises(MindFailed) as failed:
        ask_raw(chat)
    assert (failed.value.kind, failed.value.partial) == (kind, partial)


def test_a_server_that_falls_silent_is_left_when_the_time_is_up() -> None:
    def hang(visit: Visit) -> None:
        visit.begin()
        visit.chunk(event("A"))
        visit.hang()

    with pytest.raises(MindFailed) as failed:
        ask_raw(hang, request(allow_ms=200))
    assert (failed.value.kind, failed.value.partial) == ("timeout", "A")


def test_an_answer_no_longer_wanted_hangs_up() -> None:
    stop = Stop()
    kinds = []

    def hang(visit: Visit) -> None:
        visit.begin()
        visit.hang()

    with RawServer(hang) as server:
        mind = OpenAIMind(ModelSpec(mind="openai", host=f"{server.url}/api", model="tiny"))

        def wait() -> None:
            with pytest.raises(MindFailed) as failed:
                mind.answer(request(), stop)
            kinds.append(failed.value.kind)

        waiting = Thread(target=wait)
        waiting.start()
        assert server.asked.wait(20)
        stop.set("revoked")
        assert server.left.wait(20)
        waiting.join(20)
        mind.close()
    assert kinds == ["cancelled"]


def test_a_key_goes_to_the_server_and_into_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "sk-tea")
    mind = OpenAIMind(ModelSpec(mind="openai", host="http://127.0.0.1:1/v1", model="m"))
    assert mind._request("GET", "/models").headers["Authorization"] == "Bearer sk-tea"
    with RawServer(lambda visit: visit.stream(event("Yes."), END)) as server:
        answer = ask((f"{server.url}/api", "tiny"))
    assert answer.text == "Yes."
    assert "sk-tea" not in repr(answer)


@pytest.mark.parametrize(
    "model", [ModelSpec(mind="openai"), ModelSpec(mind="openai", model="m", host="localhost:80")]
)
def test_a_model_that_cannot_be_asked_is_refused_at_once(model: ModelSpec) -> None:
    with pytest.raises(BadInput):
        OpenAIMind(model)


def test_the_model_of_the_tests_is_the_same_each_time(tmp_path: Path) -> None:
    write_model(tmp_path / "one.gguf")
    write_model(tmp_path / "two.gguf")
    assert (tmp_path / "one.gguf").read_bytes() == (tmp_path / "two.gguf").read_bytes()
