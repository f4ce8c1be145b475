"""Every reply of the offline model has the fields that Ollama documents for it.

Source: ollama/ollama, docs/openapi.yaml, commit 017eb8ae4895fc6aea58b62f3793baa478586b6d.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bots.offline.faults import Fault, FaultPlan
from bots.offline.models import Offered
from bots.offline.server import OfflineServer

NAME = "parley-offline"
TALK = [{"role": "user", "content": "Bo: What is a town for?"}]
ASKED = {"model": NAME, "messages": TALK, "prompt": "What is a town for?", "input": "A town."}

METRICS = {
    *("total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration"),
    *("eval_count", "eval_duration"),
}
CHAT = {"model", "created_at", "message", "done"}
GENERATE = {"model", "created_at", "response", "done"}
SUMMARY = {"name", "model", "modified_at", "size", "digest", "details"}
RUNNING = {
    *("name", "model", "size", "digest", "details", "expires_at", "size_vram", "context_length"),
}
DETAILS = {"format", "family", "families", "parameter_size", "quantization_level"}
SHOWN = {"parameters", "license", "modified_at", "details", "template", "capabilities"}
DURATIONS = {key for key in METRICS if key.endswith("duration")}

DOCUMENTED_BUT_NOT_HERE = {
    "thinking": "it does not think",
    "tool_calls": "it calls no tools",
    "images": "it draws nothing",
    "logprobs": "it has no probabilities",
    "remote_model": "it is nobody else's model",
    "remote_host": "as above",
}
"""Optional fields of models that can do more."""


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    models = [Offered(NAME, size_mb=1_300)]
    with (
        OfflineServer(models=models) as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=30) as asking,
    ):
        yield asking


def lines(http: httpx.Client, path: str, **fields: Any) -> list[dict[str, Any]]:
    body = http.post(path, json={**ASKED, **fields}).text
    return [json.loads(line) for line in body.splitlines()]


def of_right_kind(reply: dict[str, Any]) -> bool:
    return all(
        isinstance(value, int) and value >= (1 if key in DURATIONS else 0)
        for key, value in reply.items()
        if key in METRICS
    )


@pytest.mark.parametrize(
    ("path", "fields", "extra"),
    [("/api/chat", CHAT, set()), ("/api/generate", GENERATE, {"context"})],
)
def test_an_answer_has_every_field(
    http: httpx.Client, path: str, fields: set[str], extra: set[str]
) -> None:
    (whole,) = lines(http, path, stream=False)
    *early, last = lines(http, path, stream=True)
    assert set(whole) == set(last) == fields | METRICS | {"done_reason"} | extra
    assert all(set(one) == fields for one in early)
    assert of_right_kind(whole)
    assert of_right_kind(last)
    if path == "/api/chat":
        assert all(set(one["message"]) == {"role", "content"} for one in (*early, last))


@pytest.mark.parametrize(("path", "fields"), [("/api/chat", CHAT), ("/api/generate", GENERATE)])
def test_a_load_and_an_unload_have_every_field(
    http: httpx.Client, path: str, fields: set[str]
) -> None:
    for given, reason in (({}, "load"), ({"keep_alive": 0}, "unload")):
        (reply,) = lines(http, path, messages=[], prompt="", **given)
        assert set(reply) == fields | {"done_reason"}
        assert (reply["done"], reply["done_reason"]) == (True, reason)


def test_the_lists_have_every_field(http: httpx.Client) -> None:
    lines(http, "/api/chat")
    (tag,) = http.get("/api/tags").json()["models"]
    (loaded,) = http.get("/api/ps").json()["models"]
    assert set(tag) == SUMMARY
    assert set(loaded) == RUNNING
    assert set(tag["details"]) >= DETAILS
    assert (tag["size"], loaded["size"], loaded["size_vram"]) == (1_300_000_000, 1_300_000_000, 0)
    assert tag["digest"] == loaded["digest"]


def test_a_models_description_has_every_field(http: httpx.Client) -> None:
    shown = http.post("/api/show", json={"model": NAME}).json()
    assert set(shown) == SHOWN | {"model_info", "modelfile"}
    assert set(shown["details"]) >= DETAILS
    assert shown["model_info"]["parley-offline.context_length"] == 32_768


def test_the_rest_have_every_field(http: httpx.Client) -> None:
    embedded = http.post("/api/embed", json=ASKED).json()
    wanted = {"model", "embeddings", "total_duration", "load_duration", "prompt_eval_count"}
    assert set(embedded) == wanted
    assert set(http.get("/api/version").json()) == {"version"}
    steps = lines(http, "/api/pull")
    assert all(set(step) <= {"status", "digest", "total", "completed"} for step in steps)
    assert set(http.post("/api/show", json={"model": "x"}).json()) == {"error"}


def test_nothing_that_is_left_out_is_ever_there(http: httpx.Client) -> None:
    everything = [*lines(http, "/api/chat"), *lines(http, "/api/generate")]
    keys = {key for one in everything for key in (*one, *one.get("message", {}))}
    assert keys.isdisjoint(DOCUMENTED_BUT_NOT_HERE)


def test_a_thought_stands_where_ollama_documents_it() -> None:
    plan = FaultPlan(faults=(Fault(fault="thinking_only", every=1),))
    with OfflineServer(faults=plan) as server, httpx.Client(base_url=server.url) as http:
        assert lines(http, "/api/chat")[0]["message"]["thinking"]
        assert lines(http, "/api/generate")[0]["thinking"]
        (whole,) = lines(http, "/api/chat", stream=False)
        assert (whole["message"]["content"], whole["done_reason"]) == ("", "length")
