"""The offline model over real HTTP, asked by the real `ollama` client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import ollama
import pytest

from bots.offline import wire
from bots.offline.server import OfflineServer

NOON = datetime(2026, 8, 1, 12, 0, 0, 250_000, tzinfo=UTC)
NAME = "parley-offline"
TURN = [
    {"role": "system", "content": "You are Ada, an engineer. You are talking with Bo and Cy."},
    {
        "role": "user",
        "content": "(opening) What is a town for?\nBo: A roof.\n\nWrite Ada's next line.",
    },
]
METRICS = {"total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration"}
METRICS |= {"eval_count", "eval_duration"}


@pytest.fixture
def server() -> Iterator[OfflineServer]:
    with OfflineServer(models=[NAME, "other:1b"], now=lambda: NOON) as running:
        yield running


@pytest.fixture
def client(server: OfflineServer) -> Iterator[ollama.Client]:
    with ollama.Client(server.url, trust_env=False) as asking:
        yield asking


@pytest.fixture
def http(server: OfflineServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as asking:
        yield asking


def chat(**fields: Any) -> dict[str, Any]:
    return {"model": NAME, "messages": TURN, "options": {"seed": 7}, **fields}


def test_a_chat_in_one_piece_has_every_field(client: ollama.Client) -> None:
    reply = client.chat(NAME, TURN, options={"seed": 7})
    assert reply.model == NAME
    assert reply.message.role == "assistant"
    assert reply.message.content
    assert "Bo" in reply.message.content
    assert (reply.done, reply.done_reason) == (True, "stop")
    assert reply.created_at == "2026-08-01T12:00:00.25Z"
    assert reply.prompt_eval_count == wire.count_tokens([turn["content"] for turn in TURN])
    assert reply.total_duration
    assert reply.load_duration
    assert reply.prompt_eval_duration
    assert reply.eval_count == len(wire.tokens_in(reply.message.content))
    assert reply.eval_duration


def test_a_stream_says_the_same_token_by_token_and_ends_with_done(client: ollama.Client) -> None:
    whole = client.chat(NAME, TURN, options={"seed": 7})
    parts = list(client.chat(NAME, TURN, options={"seed": 7}, stream=True))
    assert "".join(part.message.content or "" for part in parts) == whole.message.content
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]
    assert parts[-1].message.content == ""
    assert parts[-1].eval_count == len(parts) - 1 == whole.eval_count
    assert parts[-1].total_duration == whole.total_duration


def test_a_stream_is_ndjson_in_ascii_chunks_one_object_a_line(http: httpx.Client) -> None:
    with http.stream("POST", "/api/chat", json=chat()) as reply:
        assert reply.headers["Content-Type"] == "application/x-ndjson"
        assert reply.headers["Transfer-Encoding"] == "chunked"
        raw = reply.read()
    assert raw.isascii()
    lines = raw.split(b"\n")
    assert lines.pop() == b""
    *early, last = [json.loads(line) for line in lines]
    assert all(set(one) == {"model", "created_at", "message", "done"} for one in early)
    assert set(last) == {"model", "created_at", "message", "done", "done_reason"} | METRICS


def test_the_same_request_gives_the_same_bytes(http: httpx.Client) -> None:
    requests: list[dict[str, Any]] = [{}, {"options": {}}, {"options": {"seed": -1}}]
    for fields in (*requests, {"stream": False}):
        first, second = (http.post("/api/chat", json=chat(**fields)).content for _ in range(2))
        assert first == second


def test_another_seed_gives_mostly_another_answer(client: ollama.Client) -> None:
    replies = {
        client.chat(NAME, TURN, options={"seed": seed}).message.content for seed in range(20)
    }
    assert len(replies) >= 16


def test_num_predict_cuts_and_says_length(client: ollama.Client) -> None:
    whole = client.chat(NAME, TURN, options={"seed": 7}).message.content or ""
    cut = client.chat(NAME, TURN, options={"seed": 7, "num_predict": 3})
    assert cut.message.content == "".join(wire.tokens_in(whole)[:3])
    assert (cut.done_reason, cut.eval_count) == ("length", 3)
    assert client.chat(NAME, TURN, options={"seed": 7, "num_predict": -1}).done_reason == "stop"


def test_a_stop_sequence_ends_the_answer_before_it(client: ollama.Client) -> None:
    whole = client.chat(NAME, TURN, options={"seed": 7}).message.content or ""
    word = whole.split()[2]
    cut = client.chat(NAME, TURN, options={"seed": 7, "stop": ["\nCy:", word]})
    assert cut.message.content == whole.split(word)[0]
    assert cut.done_reason == "stop"


def test_no_messages_load_and_unload(client: ollama.Client) -> None:
    assert client.ps().models == []
    assert client.chat(NAME).done_reason == "load"
    loaded = client.ps().models[0]
    assert loaded.name == "parley-offline:latest"
    assert str(loaded.expires_at) == "2026-08-01 12:05:00.250000+00:00"
    assert client.chat(NAME, keep_alive=0).done_reason == "unload"
    assert client.ps().models == []
    client.chat(NAME, TURN, keep_alive="1h30m")
    assert str(client.ps().models[0].expires_at) == "2026-08-01 13:30:00.250000+00:00"


def test_a_system_prompt_alone_is_answered(client: ollama.Client) -> None:
    assert client.chat(NAME, TURN[:1]).message.content


def test_json_of_the_asked_shape_is_answered(client: ollama.Client) -> None:
    shape = {
        "$defs": {"Step": {"enum": ["north", "south", "\u2028\u0085🙂"]}},
        "properties": {
            "go": {"$ref": "#/$defs/Step"},
            "far": {"type": "integer", "minimum": 3, "maximum": 5},
            "sure": {"type": "boolean"},
            "share": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "why": {"type": "string", "maxLength": 12},
            "names": {"type": "array", "items": {"const": "Bo"}, "minItems": 2},
            "extra": {"type": "string"},
        },
        "required": ["go", "far", "sure", "share", "why", "names"],
    }
    moves = set()
    for seed in range(20):
        parts = client.chat(NAME, TURN, format=shape, options={"seed": seed}, stream=True)
        answer = json.loads("".join(part.message.content or "" for part in parts))
        assert list(answer) == shape["required"]
        assert answer["far"] in (3, 4, 5)
        assert isinstance(answer["sure"], bool)
        assert isinstance(answer["share"], float)
        assert 0 < len(answer["why"]) <= 12
        assert answer["names"] == ["Bo", "Bo"]
        moves.add(answer["go"])
    assert moves == {"north", "south", "\u2028\u0085🙂"}
    assert json.loads(client.chat(NAME, TURN, format="json").message.content or "")["text"]


def test_a_schema_that_holds_itself_ends(client: ollama.Client) -> None:
    inner = {"in": {"$ref": "#"}, "to": {"type": "array"}}
    shape = {"type": "object", "properties": inner, "allOf": [{"$ref": "#"}]}
    assert json.loads(client.chat(NAME, TURN, format=shape).message.content or "")


def test_text_with_line_separators_and_emoji_passes_both_ways(client: ollama.Client) -> None:
    said = "Bo: The \u2028roof\u0085 of the 🙂 town\ud83d?"
    content = said.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    parts = list(client.chat(NAME, [{"role": "user", "content": content}], stream=True))
    assert parts[-1].done
    with pytest.raises(ollama.ResponseError, match="model 'x\u2028' not found"):
        list(client.chat("x\u2028", stream=True))


def test_generate_answers_and_counts(client: ollama.Client) -> None:
    reply = client.generate(NAME, "What is a town for?", options={"seed": 1})
    parts = list(client.generate(NAME, "What is a town for?", options={"seed": 1}, stream=True))
    assert "".join(part.response or "" for part in parts) == reply.response
    assert len(reply.context or ()) == (reply.eval_count or 0) + (reply.prompt_eval_count or 0)
    assert client.generate(NAME).done_reason == "load"
    assert client.generate(NAME, keep_alive=0).done_reason == "unload"


def test_tags_and_show_say_that_it_is_no_language_model(client: ollama.Client) -> None:
    assert [one.model for one in client.list().models] == ["parley-offline:latest", "other:1b"]
    digest = client.list().models[0].digest or ""
    assert len(digest) == 64
    for name in (NAME, "parley-offline:latest", "library/Parley-Offline"):
        shown = client.show(name)
        assert shown.details
        assert shown.details.family == "parley-offline"
        assert shown.modelinfo
        assert shown.modelinfo["parley.language_model"] is False
        assert shown.modelinfo["general.architecture"] == "parley-offline"
        assert shown.capabilities == ["completion"]
        assert "not a language model" in (shown.license or "")
        assert "not a language model" in (shown.modelfile or "")


def test_a_pull_reports_its_steps(client: ollama.Client) -> None:
    assert client.pull(NAME).status == "success"
    steps = [step.status for step in client.pull(NAME, stream=True)]
    assert steps[0] == "pulling manifest"
    assert steps[-3:] == ["verifying sha256 digest", "writing manifest", "success"]
    with pytest.raises(ollama.ResponseError, match="file does not exist") as refused:
        client.pull("llama3")
    assert refused.value.status_code == 500
    with pytest.raises(ollama.ResponseError, match="pull model manifest: file does not exist"):
        list(client.pull("llama3", stream=True))


def test_embeddings_are_of_length_one_and_closer_for_shared_words(client: ollama.Client) -> None:
    reply = client.embed(NAME, ["the old bridge", "an old bridge", "quiet rain", "", "🙂"])
    one, two, three, *_ = reply.embeddings
    assert all(abs(sum(x * x for x in vector) - 1) < 1e-6 for vector in reply.embeddings)
    assert sum(a * b for a, b in zip(one, two, strict=True)) > 0.5
    assert sum(a * b for a, b in zip(one, three, strict=True)) < 0.5
    assert reply.prompt_eval_count == 9
    assert len(client.embed(NAME, "old", dimensions=8).embeddings[0]) == 8
    assert client.embed(NAME, "").embeddings == []


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("chat", chat(model="x"), 404, "model 'x' not found"),
        ("chat", {"messages": TURN}, 400, "model is required"),
        ("chat", chat(think=True), 400, '"parley-offline" does not support thinking'),
        ("chat", chat(think="much"), 400, "invalid think value"),
        ("chat", chat(tools=[{}]), 400, "parley-offline:latest does not support tools"),
        ("chat", chat(messages="hi"), 400, "cannot unmarshal string into Go struct field"),
        ("chat", chat(messages=[1]), 400, "cannot unmarshal number"),
        ("chat", chat(messages=[{"content": []}]), 400, "cannot unmarshal array"),
        ("chat", chat(stream="yes"), 400, "ChatRequest.stream of type bool"),
        ("chat", chat(options=[]), 400, "cannot unmarshal array"),
        ("chat", chat(options={"seed": "7"}), 500, 'option "seed" must be of type integer'),
        ("chat", chat(options={"stop": "x"}), 500, 'option "stop" must be of type array'),
        ("chat", chat(format="xml"), 500, 'invalid format: "xml"'),
        ("chat", chat(keep_alive="soon"), 400, 'time: invalid duration "soon"'),
        ("generate", {"prompt": "hi"}, 404, "model '' not found"),
        ("show", {"model": "x"}, 404, "model 'x' not found"),
        ("show", {}, 400, "model is required"),
        ("pull", {}, 400, "invalid model name"),
        ("embed", {"model": "x", "input": "a"}, 404, "model 'x' not found"),
        ("embed", {"model": NAME, "input": [1]}, 400, "invalid input type"),
        ("chat", b"", 400, "missing request body"),
        ("chat", b"{", 400, "unexpected EOF"),
        ("chat", b'{"model": "x', 400, "unexpected EOF"),
        ("chat", b"{x}", 400, "invalid character 'x'"),
        ("chat", b"[]", 400, "cannot unmarshal array into Go value of type api.ChatRequest"),
        ("chat", b'{"a": NaN}', 400, "json: cannot unmarshal"),
        ("chat", b"[" * 100_000, 400, "json: cannot unmarshal"),
        ("chat", b'{"a": ' + b"1" * 5000 + b"}", 400, "json: cannot unmarshal"),
        ("chat", b"\xff\xfe", 400, "invalid character"),
    ],
)
def test_bad_requests_are_refused_in_ollamas_words(
    http: httpx.Client, path: str, body: Any, status: int, error: str
) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = http.post(f"/api/{path}", content=raw)
    assert reply.status_code == status
    assert error in reply.json()["error"]
    assert list(reply.json()) == ["error"]


def test_think_false_and_unknown_options_are_accepted(client: ollama.Client) -> None:
    options = {"temperature": 0.1, "num_ctx": 512, "no_such_option": True, "num_predict": 1e308}
    assert client.chat(NAME, TURN, think=False, options=options).done
