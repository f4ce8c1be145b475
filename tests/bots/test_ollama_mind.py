"""The ollama mind over real HTTP: what it sends, and what it makes of answers."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from pydantic import JsonValue

from bots.minds.ollama import OllamaMind
from bots.minds.ollama_options import DEFAULT_OPTIONS
from bots.minds.stop import Stop
from bots.offline.server import OfflineServer
from tests.bots.asking import ask, model, request, well
from tests.bots.raw_server import DONE, PATIENCE_S, RawServer, Visit, closed_port, line
from utils.errors import BadInput, MindFailed, Missing
from utils.protocol import AskAct
from utils.spec import ModelSpec


def test_an_answer_is_the_streams_chunks_with_the_counts_of_the_last() -> None:
    with RawServer(well) as server:
        answer = ask(server)
    assert answer.text == "A town is for meeting."
    assert answer.done_reason == "stop"
    assert (answer.prompt_tokens, answer.answer_tokens) == (12, 4)
    assert (answer.total_ns, answer.load_ns) == (9, 1)
    assert (answer.prompt_ns, answer.answer_ns) == (3, 5)
    assert answer.about.server == f"ollama 0.33.0 at {server.url}"
    assert answer.about.digest == "d" * 64
    assert answer.about.language_model is True
    assert answer.action is None


def test_what_goes_out_is_streamed_spelled_out_and_what_the_record_says() -> None:
    asked = request(temperature=0.1, mirostat=2)
    with RawServer(well) as server:
        answer = ask(server, asked)
        mind = OllamaMind(model(server.url))
    (sent,) = server.chats
    assert sent["model"] == "tiny"
    assert sent["stream"] is True
    assert sent["think"] is False
    assert sent["keep_alive"] == "30m"
    assert sent["messages"] == [
        {"role": "system", "content": "You are Ada."},
        {"role": "user", "content": "Bo: What is a town for?"},
    ]
    wanted = {**DEFAULT_OPTIONS, "temperature": 0.1, "mirostat": 2, "seed": 7}
    assert sent["options"] == {**wanted, "stop": ["\nBo:"]}
    assert answer.sent == mind.sends(asked) == {**wanted, "stop": ("\nBo:",)}
    assert (sent["truncate"], sent["shift"]) == (False, False)
    wanted_keys = {"model", "messages", "options", "think", "stream", "keep_alive"}
    assert set(sent) == wanted_keys | {"truncate", "shift"}


def test_an_asked_actions_schema_goes_out_as_the_format_and_is_kept_to() -> None:
    schema: JsonValue = {"enum": ["F", "J"]}
    asked = request(ask=AskAct(name="name", text="Name it.", answer_schema=schema))
    with RawServer(well) as raw:
        ask(raw, asked)
    assert raw.chats[0]["format"] == schema
    with OfflineServer(models=("tiny",)) as server:
        mind = OllamaMind(model(server.url))
        answer = mind.answer(asked, Stop())
        mind.close()
    assert json.loads(answer.text) in ("F", "J")


def test_a_scenarios_stops_come_before_the_requests_each_once() -> None:
    mind = OllamaMind(model("http://127.0.0.1:1"))
    assert mind.sends(request(stop=("END", "\nBo:")))["stop"] == ("END", "\nBo:")
    assert mind.sends(request(stop="END"))["stop"] == ("END", "\nBo:")


@pytest.mark.parametrize(("keep", "sent"), [("-1", -1), ("0", 0), ("5m", "5m")])
def test_keep_alive_goes_out_as_the_server_can_read_it(keep: str, sent: object) -> None:
    with RawServer(well) as server:
        mind = OllamaMind(model(server.url, keep_alive=keep, think=True))
        mind.answer(request(), Stop())
        mind.close()
    assert server.chats[0]["keep_alive"] == sent
    assert server.chats[0]["think"] is True


def test_thinking_is_kept_apart_and_tags_in_the_text_are_left_to_speech() -> None:
    def chat(visit: Visit) -> None:
        visit.stream(line(message={"thinking": "Hm. "}), line("<think>x</think>Yes."), DONE)

    with RawServer(chat) as server:
        answer = ask(server)
    assert (answer.thinking, answer.text) == ("Hm. ", "<think>x</think>Yes.")


def test_a_character_split_over_chunks_is_joined_and_a_lone_half_is_replaced() -> None:
    def chat(visit: Visit) -> None:
        visit.stream(line("\ud83d"), line("\ude00 \udc80"), DONE)

    with RawServer(chat) as server:
        assert ask(server).text == "\N{GRINNING FACE} \ufffd"


def test_counts_that_cannot_be_are_left_out() -> None:
    def chat(visit: Visit) -> None:
        visit.stream(line("x", done=True, eval_count=-1, prompt_eval_count=2**60))

    with RawServer(chat) as server:
        answer = ask(server)
    assert (answer.text, answer.answer_tokens, answer.prompt_tokens) == ("x", None, None)


def test_nothing_after_done_is_waited_for() -> None:
    def chat(visit: Visit) -> None:
        visit.begin()
        visit.chunk(line("Yes.") + DONE)
        visit.hang()

    with RawServer(chat) as server:
        assert ask(server).text == "Yes."
        assert server.left.wait(PATIENCE_S)


def test_one_mind_answers_several_threads_at_once() -> None:
    together = Barrier(4, timeout=PATIENCE_S)

    def chat(visit: Visit) -> None:
        together.wait()
        well(visit)

    with RawServer(chat) as server, ThreadPoolExecutor(4) as pool:
        mind = OllamaMind(model(server.url))
        mind.preflight()
        answers = list(pool.map(lambda _: mind.answer(request(), Stop()), range(8)))
        mind.close()
    assert [answer.text for answer in answers] == ["A town is for meeting."] * 8


def test_a_mind_answers_again_after_a_failure() -> None:
    turns = iter((Visit.reset, well))
    with RawServer(lambda visit: next(turns)(visit)) as server:
        mind = OllamaMind(model(server.url))
        with pytest.raises(MindFailed):
            mind.answer(request(), Stop())
        assert mind.answer(request(), Stop()).text
        mind.close()


def test_a_mind_that_is_closed_while_it_answers_still_answers() -> None:
    closed = Event()

    def chat(visit: Visit) -> None:
        mind.close()
        closed.set()
        well(visit)

    with RawServer(chat) as server:
        mind = OllamaMind(model(server.url))
        assert mind.answer(request(), Stop()).text
    assert closed.is_set()


def test_the_offline_model_is_asked_as_any_other_and_says_what_it_is() -> None:
    with OfflineServer() as server:
        mind = OllamaMind(model(server.url, model="parley-offline"))
        mind.preflight()
        first, again = (mind.answer(request(seed=7), Stop()) for _ in range(2))
        mind.close()
    assert first.text
    assert first.text == again.text
    assert first.about.server.startswith("parley-offline 0.")
    assert first.about.language_model is False
    assert len(first.about.digest) == 64
    assert first.prompt_tokens is not None
    assert first.answer_ns is not None


def preflight(server: RawServer, name: str = "tiny") -> None:
    mind = OllamaMind(model(server.url, model=name))
    try:
        mind.preflight()
    finally:
        mind.close()


@pytest.mark.parametrize("name", ["tiny", "tiny:latest", "Tiny", "library/tiny", "ada/chat:1b"])
def test_a_model_goes_by_every_name_that_ollama_knows_it_by(name: str) -> None:
    with RawServer(well) as server:
        preflight(server, name)


@pytest.mark.parametrize("name", ["tiny:1b", "bo/tiny", "ada/chat", "llama3.2:1b"])
def test_a_missing_model_is_missing_with_the_line_that_mends_it(name: str) -> None:
    with RawServer(well) as server, pytest.raises(Missing) as caught:
        preflight(server, name)
    assert str(caught.value) == f"model '{name}' is not on the server; run: ollama pull {name}"


def test_no_server_is_missing_with_what_to_do() -> None:
    url = closed_port()
    with pytest.raises(Missing) as caught:
        OllamaMind(model(url)).preflight()
    assert str(caught.value) == (
        f"no model server at {url}; start Ollama, or set OLLAMA_HOST, or use --offline"
    )


@pytest.mark.parametrize(
    "about",
    [
        {"/api/version": b"<html>It works!</html>"},
        {"/api/version": b'"0.33"'},
        {"/api/version": b"{}"},
        {"/api/tags": b"{}"},
        {"/api/tags": b"[]"},
        {"/api/show": b"nope"},
    ],
)
def test_a_server_that_is_no_model_server_is_told_so(about: dict[str, bytes]) -> None:
    with RawServer(well, about=about) as server, pytest.raises(Missing, match="does not answer as"):
        preflight(server)


def test_a_server_without_a_version_is_no_missing_model() -> None:
    with RawServer(well) as server:
        mind = OllamaMind(model(f"{server.url}/elsewhere"))
        with pytest.raises(Missing, match="it has no /api/version"):
            mind.preflight()
        mind.close()


@pytest.mark.parametrize(
    "show",
    [
        b'{"details": {"family": "parley-offline"}, "model_info": {}}',
        b'{"model_info": {"parley.language_model": false}}',
    ],
)
def test_a_server_that_says_it_is_no_language_model_is_recorded_as_none(show: bytes) -> None:
    with RawServer(well, about={"/api/show": show}) as server:
        answer = ask(server)
    assert answer.about.language_model is False
    assert answer.about.server == f"parley-offline 0.33.0 at {server.url}"


def test_a_preflight_is_remembered() -> None:
    with RawServer(well) as server:
        mind = OllamaMind(model(server.url))
        mind.preflight()
        for _ in range(2):
            assert mind.answer(request(), Stop()).about.digest == "d" * 64
        mind.close()
    before, each = ["/api/version", "/api/tags", "/api/show"], ["/api/chat", "/api/ps"]
    assert server.paths == [*before, *each, *each]


@pytest.mark.parametrize("host", ["ftp://x", "127.0.0.1:11434", "http://", "http://x:99999"])
def test_a_host_that_is_no_url_is_bad_input(host: str) -> None:
    with pytest.raises(BadInput, match="is no address of a model server"):
        OllamaMind(model(host))


def test_a_mind_without_a_model_is_bad_input() -> None:
    with pytest.raises(BadInput, match="needs a model"):
        OllamaMind(ModelSpec())


def test_a_proxy_of_the_environment_is_not_asked_for_a_server_nearby(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, closed_port())
    with RawServer(well) as server:
        assert ask(server).text


def test_a_proxy_of_the_environment_is_asked_for_a_server_far_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with RawServer(well) as server:
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        mind = OllamaMind(model("http://models.example.org:11434"))
        assert mind.answer(request(), Stop()).text
        mind.close()
    assert server.paths[-2] == "http://models.example.org:11434/api/chat"


def test_a_proxy_that_cannot_be_used_is_told_not_passed_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(BadInput, match="cannot be asked through socks5://"):
        OllamaMind(model("http://models.example.org:11434")).preflight()
