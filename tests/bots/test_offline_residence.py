"""The offline model's memory: loads, swaps, slots and queues that can be measured."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import httpx
import ollama
import pytest

from bots.offline.models import Offered
from bots.offline.server import Limits, OfflineServer
from tests.bots.raw_server import PATIENCE_S
from utils.clock import wait_until
from utils.errors import BadInput

HELLO = [{"role": "user", "content": "Bo: What is a town for?"}]
LOAD_NS, NOTHING_NS = 3_000_000_000, 1_000_000


class Sleeper:
    """Sleeps no longer than it is told to, and tells who asked."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.is_asleep, self.wake = Event(), Event()

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.is_asleep.set()
        assert self.wake.wait(PATIENCE_S)


def chat(server: OfflineServer, model: str, **given: object) -> ollama.ChatResponse:
    with ollama.Client(server.url, trust_env=False) as client:
        told: ollama.ChatResponse = client.chat(model, HELLO, **given)
        return told


@contextmanager
def asking(server: OfflineServer, *models: str) -> Iterator[list[Future[ollama.ChatResponse]]]:
    with ThreadPoolExecutor(len(models)) as pool:
        yield [pool.submit(chat, server, model) for model in models]


def names(server: OfflineServer) -> list[str]:
    with ollama.Client(server.url, trust_env=False) as client:
        return [one.model or "" for one in client.ps().models]


def test_a_load_takes_its_time_once_and_is_told_in_the_reply() -> None:
    slept: list[float] = []
    with OfflineServer(models=[Offered("tiny", load_s=3)], sleep=slept.append) as server:
        first, second = chat(server, "tiny"), chat(server, "tiny")
        assert (first.load_duration, second.load_duration) == (LOAD_NS + NOTHING_NS, NOTHING_NS)
        assert (first.total_duration or 0) - (second.total_duration or 0) == LOAD_NS
        assert (slept, server.loads) == ([3], 1)


def test_another_model_puts_the_first_out_unless_there_is_room_for_both() -> None:
    models = [Offered("tiny", load_s=3), Offered("other", load_s=5)]
    for most, loads in ((1, 4), (2, 2)):
        slept: list[float] = []
        limits = Limits(most_loaded=most)
        with OfflineServer(models=models, limits=limits, sleep=slept.append) as server:
            for model in ("tiny", "other", "tiny", "other"):
                chat(server, model)
            assert server.loads == loads
            assert slept == [3, 5, 3, 5][:loads]
            assert len(names(server)) == most


@pytest.mark.parametrize("option", [{"num_ctx": 512}, {"num_gpu": 0}, {"num_thread": 1}])
def test_another_load_time_option_loads_anew(option: dict[str, int]) -> None:
    with OfflineServer(models=["tiny"]) as server:
        for options in ({}, option, option, {**option, "temperature": 0.1}):
            chat(server, "tiny", options=options)
        assert server.loads == 2


def test_shift_is_a_load_time_option_and_truncate_is_none() -> None:
    with OfflineServer(models=["tiny"]) as server, httpx.Client(trust_env=False) as http:
        for fields in ({}, {"shift": False}, {"shift": False, "truncate": False}):
            body = {"model": "tiny", "messages": HELLO, **fields}
            assert http.post(f"{server.url}/api/chat", json=body).status_code == 200
        assert server.loads == 2


def test_keep_alive_says_how_long_a_model_stays() -> None:
    with OfflineServer(models=["tiny"]) as server:
        chat(server, "tiny", keep_alive=0)
        assert names(server) == []
        chat(server, "tiny", keep_alive="5m")
        assert names(server) == ["tiny:latest"]


def test_one_slot_answers_one_at_a_time_and_the_wait_is_told() -> None:
    sleeper = Sleeper()
    tiny = Offered("tiny", tokens_per_s=10, slots=1)
    with OfflineServer(models=[tiny], sleep=sleeper) as server, asking(server, "tiny") as first:
        assert sleeper.is_asleep.wait(PATIENCE_S)
        with asking(server, "tiny") as second:
            assert sleeper.slept == [sleeper.slept[0]]
            assert not second[0].done()
            sleeper.wake.set()
            one, two = first[0].result(PATIENCE_S), second[0].result(PATIENCE_S)
    assert one.message.content == two.message.content
    assert one.load_duration == two.load_duration == NOTHING_NS
    assert (two.total_duration or 0) >= (one.total_duration or 0)


def test_two_slots_answer_two_at_a_time() -> None:
    sleeper = Sleeper()
    tiny = Offered("tiny", tokens_per_s=10, slots=2)
    with (
        OfflineServer(models=[tiny], sleep=sleeper) as server,
        asking(server, "tiny", "tiny") as asked,
    ):
        assert wait_until(lambda: len(sleeper.slept) == 2, within_ms=20_000)
        sleeper.wake.set()
        assert all(one.result(PATIENCE_S).done for one in asked)


def test_too_many_who_wait_for_a_load_are_told_that_the_server_is_busy() -> None:
    sleeper = Sleeper()
    models = [Offered("tiny", load_s=1), Offered("other")]
    limits = Limits(most_pending=1)
    with (
        OfflineServer(models=models, limits=limits, sleep=sleeper) as server,
        asking(server, "tiny") as loading,
    ):
        assert sleeper.is_asleep.wait(PATIENCE_S)
        with pytest.raises(ollama.ResponseError, match="maximum pending requests") as busy:
            chat(server, "other")
        assert busy.value.status_code == 503
        sleeper.wake.set()
        assert loading[0].result(PATIENCE_S).done
        assert chat(server, "other").done


def test_who_leaves_the_queue_is_not_answered_and_does_not_hold_others_up() -> None:
    sleeper = Sleeper()
    tiny = Offered("tiny", tokens_per_s=10, slots=1)
    with OfflineServer(models=[tiny], sleep=sleeper) as server, asking(server, "tiny") as first:
        assert sleeper.is_asleep.wait(PATIENCE_S)
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(
                f"{server.url}/api/chat",
                json={"model": "tiny", "messages": HELLO},
                timeout=httpx.Timeout(PATIENCE_S, read=0.05),
                trust_env=False,
            )
        sleeper.wake.set()
        assert first[0].result(PATIENCE_S).done
        assert chat(server, "tiny").done
        assert len(sleeper.slept) == 2


def test_a_prompt_that_is_too_long_is_cut_or_refused_as_the_request_says() -> None:
    talk = [
        {"role": "system", "content": "You are Ada."},
        *[{"role": "user", "content": "word " * 20}] * 5,
    ]
    with OfflineServer(models=["tiny"]) as server, ollama.Client(server.url) as client:
        cut = client.chat("tiny", talk, options={"num_ctx": 50})
        assert cut.prompt_eval_count is not None
        assert cut.prompt_eval_count <= 50
        reply = httpx.post(
            f"{server.url}/api/chat",
            json={
                "model": "tiny",
                "messages": talk,
                "options": {"num_ctx": 50},
                "truncate": False,
                "shift": False,
            },
            trust_env=False,
        )
    assert reply.status_code == 400
    assert reply.json() == {"error": "the input length exceeds the context length"}


@pytest.mark.parametrize(
    "spelled", ["tiny,load_s", "tiny,load_s=x", "tiny,speed=3", ",slots=1", "tiny,slots=1.5"]
)
def test_a_model_that_cannot_be_read_is_refused_with_what_can(spelled: str) -> None:
    with pytest.raises(BadInput, match="write NAME,KEY=NUMBER with keys of size_mb, load_s"):
        Offered.parse(spelled)


@pytest.mark.parametrize("given", [{"slots": 0}, {"tokens_per_s": 0}, {"load_s": -1}])
def test_a_model_that_cannot_be_is_refused(given: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        Offered("tiny", **given)  # type: ignore[arg-type]  # each is a number of its own kind
