"""What a call of an OpenAI-compatible server leaves in the record; several such servers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest

from bots.around import Around
from bots.company import Company
from bots.fleet import Fleet
from bots.minds.body import rebuilt
from bots.minds.openai import OpenAIMind
from bots.minds.stop import Stop
from bots.served import Served
from tests.bots.asked import done, task
from tests.bots.asking import request
from tests.bots.llama_server import llama_server
from tests.bots.raw_server import RawServer, closed_port
from tests.bots.tiny_gguf import CONTEXT
from tests.scenes import spec_of
from tests.swarm import fake_streams
from utils.calls import CallRecord
from utils.clock import SYSTEM_CLOCK, ManualClock
from utils.errors import BadInput
from utils.protocol import AskAct
from utils.slots import Slots
from utils.spec import ModelSpec, Option

NAME_IT = AskAct(name="name", text="Name it.", answer_schema={"enum": ["F", "J"]})


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A llama.cpp server with one slot: its base address, and its model's name."""
    with llama_server(tmp_path_factory.mktemp("llama")) as server:
        yield server


def recorded(model: ModelSpec, ask: AskAct | None = None) -> CallRecord:
    """Ask once, and give the record."""
    mind = OpenAIMind(model)
    try:
        return done(task(model=model, ask=ask), mind, ManualClock()).records[0]
    finally:
        mind.close()


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("ask", [None, NAME_IT])
def test_the_requests_bytes_can_be_made_again_from_the_record(
    llama: tuple[str, str], ask: AskAct | None
) -> None:
    options: dict[str, Option] = {"num_predict": 60, "num_ctx": CONTEXT, "cache_prompt": False}
    model = ModelSpec(mind="openai", host=llama[0], model=llama[1], think="low", options=options)
    record = recorded(model, ask)
    assert record.outcome == "answered", record.error
    assert sha256(rebuilt(record)) == record.request_sha256
    assert record.response_bytes > len(record.response)
    assert (len(record.response_sha256), record.tail) == (64, "")
    assert record.parameters == {"stream": True, "stream_options": {"include_usage": True}}
    other = record.model_copy(update={"seed": 1, "options": {**record.options, "seed": 1}})
    assert sha256(rebuilt(other)) != record.request_sha256


def test_the_record_of_a_failure_has_what_was_sent_and_the_responses_end() -> None:
    sent = b'data: {"choices": [{"delta": {"content": "A town"}}]}\n\ndata: {oops\n\n'
    with RawServer(lambda visit: visit.stream(sent)) as server:
        model = ModelSpec(mind="openai", host=f"{server.url}/api", model="tiny", think="high")
        record = recorded(model, NAME_IT)
        (seen,) = server.chats
    assert (record.outcome, record.response) == ("protocol", "A town")
    assert (record.response_sha256, record.response_bytes) == (sha256(sent), len(sent))
    assert record.tail == sent.decode()
    assert json.loads(rebuilt(record)) == seen
    assert seen["response_format"]["json_schema"]["schema"] == NAME_IT.answer_schema
    assert (seen["reasoning_effort"], record.think) == ("high", "high")


def test_a_model_that_shall_think_is_told_how_much() -> None:
    with pytest.raises(BadInput, match="without saying how much; write think: low, medium or"):
        OpenAIMind(ModelSpec(mind="openai", model="m", think=True))
    with RawServer(lambda visit: visit.stream()) as server:
        recorded(ModelSpec(mind="openai", host=f"{server.url}/api", model="tiny"))
        assert "reasoning_effort" not in server.chats[0]


def test_a_model_at_several_servers_waits_for_a_slot_and_passes_over_who_is_gone(
    llama: tuple[str, str],
) -> None:
    model = ModelSpec(mind="openai", model=llama[1], hosts=(f"{closed_port()}/v1", llama[0]))
    streams = fake_streams()
    fleet = Fleet(Slots(streams, each=1, ttl_ms=60_000), SYSTEM_CLOCK)
    company = Company("tea-1", spec_of(model=model), around=Around(), fleet=fleet)
    mind = company.mind("m")
    assert isinstance(mind, Served)
    asked = request(num_predict=5)
    held = fleet.take(llama[0], llama[1], "another")
    assert held.is_in
    assert [load.held for load in fleet.slots.look([llama[0]])] == [1]
    fleet.leave(llama[0], llama[1], "another", held)
    for _ in range(4):
        fleet.failed(next(iter(mind.minds)), "unreachable")
    assert mind.answer(asked, Stop()).about.server.startswith("llama.cpp at")
    assert [load.held for load in fleet.slots.look(list(mind.minds))] == [0, 0]
    company.close()
