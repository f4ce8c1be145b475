"""A key that a model server says again stands in no output and no dataset."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.bots.raw_server import RawServer, Visit
from tests.doors.guarded import KEY, TOKEN, Guarded, guarded_server, leaks


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded_server(tmp_path_factory.mktemp("s")) as server:
        yield server


def models(model: str) -> bytes:
    return json.dumps({"data": [{"id": model, "object": "model"}]}).encode()


def event(content: str, *, end: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": end}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def in_an_error(visit: Visit) -> None:
    why = {"error": {"message": f"Incorrect API key provided: {KEY}"}}
    visit.status(401, json.dumps(why).encode())


def in_an_error_of_ollamas(visit: Visit) -> None:
    visit.status(401, json.dumps({"error": f"unauthorized: {TOKEN}"}).encode())


def in_a_text(visit: Visit) -> None:
    visit.stream(event(f"Mine is {KEY[:7]}"), event(f"{KEY[7:]}."), event("", end="stop"))


def in_a_text_that_breaks_off(visit: Visit) -> None:
    visit.stream(event("Mine is sk-"), event(KEY[3:]))


def in_what_is_no_answer(visit: Visit) -> None:
    visit.stream(event("Mine"), f"data: {{oops {KEY}\n\n".encode())


ECHOES = {
    "an error": ("openai", in_an_error),
    "an error of Ollama's": ("ollama", in_an_error_of_ollamas),
    "a text": ("openai", in_a_text),
    "a text that breaks off": ("openai", in_a_text_that_breaks_off),
    "what is no answer": ("openai", in_what_is_no_answer),
}


@pytest.mark.parametrize("echo", ECHOES)
def test_a_key_that_a_model_server_echoes_is_kept_nowhere(echo: str, guarded: Guarded) -> None:
    mind, chat = ECHOES[echo]
    out = guarded.folder / f"echo of {echo}"
    with RawServer(chat, about={"/api/models": models("tiny")}) as server:
        scenario = guarded.folder / "echo.yaml"
        scenario.write_text(
            f"parley: 1\nmodels: {{m: {{mind: {mind}, model: tiny, host: '{server.url}"
            f"{'/api' if mind == 'openai' else ''}'}}}}\n"
            "bots: [ada, bo]\nfloor: {allow_s: 3, tries: 1}\nend: {turns: 2}\n"
        )
        done = guarded.parley("run", str(scenario), "--plain", "--out", str(out))
        assert server.chats, done.stderr
        assert any(KEY in key or TOKEN in key for key in server.keys), "it was not sent the key"
    texts = {path.name: path.read_text("utf-8") for path in out.rglob("*") if path.is_file()}
    assert f"[{'OLLAMA' if mind == 'ollama' else 'OPENAI'}_API_KEY]" in texts["calls.csv"]
    assert not leaks([done.stdout, done.stderr, *texts.values()])
