"""What a call's record holds of the wire, the server and the model; and what is refused."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from bots.minds.body import rebuilt
from bots.minds.failures import REPEATS
from bots.minds.ollama import OllamaMind
from bots.minds.ollama_options import DEFAULT_OPTIONS, KNOWN_OPTIONS
from bots.minds.seam import Answer, BadOption
from bots.minds.stop import Stop
from bots.minds.tap import TAIL_BYTES, Tap
from bots.offline.faults import Fault, FaultPlan
from bots.offline.server import OfflineServer
from tests.bots.asked import Done, done, task
from tests.bots.asking import ask, model, request, well
from tests.bots.raw_server import DONE, RawServer, Visit, line
from utils.clock import ManualClock
from utils.errors import BadInput, MindFailed
from utils.protocol import AskAct
from utils.spec import ModelSpec

NAME_IT = AskAct(name="name", text="Name it.", answer_schema={"enum": ["F", "J"]})
PS = json.dumps({"models": [{"name": "tiny:latest", "digest": "d" * 64}]}).encode()
SHOW = {
    "details": {"family": "llama", "quantization_level": "Q4_K_M"},
    "model_info": {"general.architecture": "llama", "llama.context_length": 2_048},
    "capabilities": ["completion", "tools"],
}


def recorded(server: RawServer | OfflineServer, given: Any = None, **changes: object) -> Done:
    spec = ModelSpec.model_validate({"model": "tiny", "host": server.url, **changes})
    mind = OllamaMind(spec)
    try:
        return done(given or task(model=spec), mind, ManualClock())
    finally:
        mind.close()


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


# --- bytes --------------------------------------------------------------------------------


class Listener:
    """Answers well, with bytes that are known."""

    def __init__(self) -> None:
        self.sent = line("A town.") + DONE

    def __call__(self, visit: Visit) -> None:
        visit.stream(line("A town."), DONE)


@pytest.mark.parametrize(
    "changes", [{}, {"keep_alive": "-1"}, {"think": "low"}, {"truncate": True, "shift": True}]
)
def test_the_requests_bytes_can_be_made_again_from_the_record(changes: dict[str, object]) -> None:
    with RawServer(Listener()) as server:
        (record,) = recorded(server, **changes).records
    body = rebuilt(record)
    assert sha256(body) == record.request_sha256
    assert json.loads(body) == server.chats[0]
    assert record.parameters == {
        "keep_alive": -1 if "keep_alive" in changes else "30m",
        "shift": bool(changes.get("shift")),
        "stream": True,
        "truncate": bool(changes.get("truncate")),
    }


def test_the_bytes_of_an_ask_with_a_schema_can_be_made_again_too() -> None:
    with OfflineServer(models=("tiny",)) as server:
        spec = ModelSpec(model="tiny", host=server.url)
        (record,) = recorded(server, task(ask=NAME_IT, model=spec)).records
    assert record.format == {"enum": ["F", "J"]}
    assert sha256(rebuilt(record)) == record.request_sha256


def test_a_response_is_hashed_as_it_came_and_counted() -> None:
    listener = Listener()
    with RawServer(listener) as server:
        (record,) = recorded(server).records
    assert record.response_sha256 == sha256(listener.sent)
    assert (record.response_bytes, record.tail) == (len(listener.sent), "")


def test_of_a_failed_attempt_the_end_is_kept_for_people() -> None:
    def chat(visit: Visit) -> None:
        visit.stream(line("A town"), b"\xff%!$\x00" + b"x" * 2_000 + b"\n")

    with RawServer(chat) as server:
        (record,) = recorded(server).records
    assert record.outcome == "protocol"
    assert record.tail == "x" * (TAIL_BYTES - 1) + "\n"
    assert record.response == "A town"
    assert record.request_sha256
    assert record.model_digest == "d" * 64
    assert record.server == f"ollama 0.33.0 at {server.url}"


def test_what_was_thought_before_a_failure_is_kept() -> None:
    def chat(visit: Visit) -> None:
        visit.stream(line(message={"thinking": "Hm. "}), b'{"error": "crash"}\n')

    with RawServer(chat) as server:
        record = recorded(server, task(allow_ms=2_000)).records[0]
    assert (record.outcome, record.thinking, record.response) == ("server", "Hm. ", "")


def test_a_line_separator_inside_a_text_is_part_of_it_wherever_the_bytes_are_split() -> None:
    text = "one\u2028two\u2029three\u0085four 🙂"
    raw = json.dumps({"text": text}, ensure_ascii=False).encode()
    for at in range(len(raw)):
        passed = b"".join(Tap({}).response([raw[:at], raw[at:]]))
        assert json.loads(passed) == {"text": text}
        assert len(passed.decode().splitlines()) == 1


def test_a_response_that_ends_inside_a_character_is_no_answer() -> None:
    def chat(visit: Visit) -> None:
        visit.stream(line("A town"), "é".encode()[:1])

    with RawServer(chat) as server, pytest.raises(MindFailed) as caught:
        ask(server)
    assert caught.value.kind == "protocol"
    assert caught.value.partial == "A town"


# --- who answers ----------------------------------------------------------------------------


def test_what_the_server_says_of_the_model_is_in_every_record() -> None:
    show = json.dumps(SHOW).encode()
    with RawServer(well, about={"/api/show": show, "/api/ps": PS}) as server:
        (record,) = recorded(server, options={"num_ctx": 2_048}).records
    assert (record.quantization, record.context_tokens) == ("Q4_K_M", 2_048)
    assert record.capabilities == ("completion", "tools")
    assert record.noticed == ("prompt_short",), "the raw server counts few tokens"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "was made for 2048 tokens, not for 4096; set options: {num_ctx: 2048}, or less"),
        ({"options": {"num_ctx": 2_048}, "think": True}, "does not think; take think: away"),
    ],
)
def test_what_a_model_cannot_do_is_refused_before_the_run(
    changes: dict[str, object], told: str
) -> None:
    with RawServer(well, about={"/api/show": json.dumps(SHOW).encode()}) as server:
        mind = OllamaMind(model(server.url, **changes))
        with pytest.raises(BadInput) as caught:
            mind.preflight()
        mind.close()
    assert told in str(caught.value)


def test_other_weights_behind_the_same_name_are_noticed_and_asked_about_anew() -> None:
    plan = FaultPlan(faults=(Fault(fault="digest", calls=(2,)),))
    answers: list[Answer] = []
    with OfflineServer(models=("tiny",), faults=plan) as server:
        mind = OllamaMind(model(server.url))
        answers += [mind.answer(request(), Stop()) for _ in range(3)]
        mind.close()
    assert [answer.noticed for answer in answers] == [(), ("model_changed",), ()]
    first, second, third = (answer.about.digest for answer in answers)
    assert (first != second, second == third) == (True, True)
    assert [answer.about.quantization for answer in answers] == ["none", "", "none"]


@pytest.mark.parametrize("ps", [b"nope", b'{"models": []}', b'{"models": [{"name": "other"}]}'])
def test_weights_that_cannot_be_asked_about_are_noted_and_the_answer_is_kept(ps: bytes) -> None:
    with RawServer(well, about={"/api/ps": ps}) as server:
        answer = ask(server)
    assert answer.noticed == ("digest_unchecked",)
    assert (answer.text, answer.about.digest) == ("A town is for meeting.", "d" * 64)


def test_another_models_answer_is_not_taken_and_another_spelling_of_its_name_is() -> None:
    def chat(visit: Visit) -> None:
        visit.stream(line("A town"), line(" is", model="other:1b"), DONE)

    with RawServer(chat) as server, pytest.raises(MindFailed) as caught:
        ask(server)
    assert (caught.value.kind, caught.value.retryable) == ("protocol", False)
    assert "'other:1b' answers" in str(caught.value)
    assert caught.value.partial == "A town"
    with RawServer(lambda visit: visit.stream(line("Yes.", model="Tiny:latest"), DONE)) as server:
        assert ask(server).text == "Yes."


def test_an_end_after_many_equal_pieces_is_named_for_what_it_is() -> None:
    def chat(visit: Visit) -> None:
        visit.stream(line("Well,"), *[line(" the")] * REPEATS)

    with RawServer(chat) as server, pytest.raises(MindFailed, match="repeats 'the'") as caught:
        ask(server)
    assert (caught.value.kind, caught.value.retryable) == ("truncated", False)


def test_a_prompt_that_does_not_fit_is_refused_by_the_server_and_not_cut() -> None:
    spec = {"options": {"num_ctx": 8}}
    with OfflineServer(models=("tiny",)) as server:
        result = recorded(server, task(model=ModelSpec.model_validate(spec)))
        (refused,) = result.records
        cut = recorded(server, task(model=ModelSpec.model_validate(spec)), truncate=True)
    assert (refused.outcome, refused.status) == ("context_overflow", 400)
    assert cut.outcomes == ["answered"]


# --- options --------------------------------------------------------------------------------


def test_every_option_with_a_default_is_one_the_server_reads() -> None:
    assert set(DEFAULT_OPTIONS) <= set(KNOWN_OPTIONS)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"num_predikt": 120}, "Ollama has no option 'num_predikt'; did you mean 'num_predict'?"),
        ({"mirostat": 2}, "Ollama has no option 'mirostat'"),
        ({"temperature": "hot"}, "'temperature' cannot be 'hot'; give a number"),
        ({"num_ctx": 4096.5}, "'num_ctx' cannot be 4096.5; give a whole number"),
        ({"top_k": True}, "'top_k' cannot be True; give a whole number"),
        ({"use_mmap": 1}, "'use_mmap' cannot be 1; give true or false"),
    ],
)
def test_an_option_that_the_server_would_not_read_is_refused(
    options: dict[str, Any], told: str
) -> None:
    with pytest.raises(BadOption) as caught:
        OllamaMind(model("http://127.0.0.1:1", options=options))
    assert told in str(caught.value)
    assert caught.value.option == next(iter(options))
