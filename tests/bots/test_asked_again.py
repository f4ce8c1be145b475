"""A request is made again from its record: the same options, seed, stops and format."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import JsonValue

from bots.minds.ollama import OllamaMind
from bots.minds.openai import OpenAIMind
from bots.minds.seam import Answer, Mind, Request
from bots.rerun import Pair, asked_again, can_be_asked, request_of, similarity
from tests.bots.asking import request
from tests.bots.test_recorded_mind import call
from utils.callfile import RecordedCall, read_call
from utils.calls import CallRecord
from utils.errors import MindFailed
from utils.protocol import AskAct
from utils.spec import ModelSpec

OLLAMA: Mind = OllamaMind(ModelSpec(model="tiny"))
OPENAI: Mind = OpenAIMind(ModelSpec(mind="openai", model="tiny"))


def recorded(**changes: object) -> RecordedCall:
    return read_call("5-0", call(**changes))  # type: ignore[arg-type]


def record(**changes: object) -> CallRecord:
    found = recorded(**changes).record
    assert found is not None
    return found


@pytest.mark.parametrize("mind", [OLLAMA, OPENAI], ids=["ollama", "openai"])
@pytest.mark.parametrize("stops", [(), ("\nBo:", "END")])
def test_the_same_options_go_out_again(mind: Mind, stops: tuple[str, ...]) -> None:
    first = replace(request(temperature=0.3, num_predict=20, stop="."), stops=stops)
    sent = mind.sends(first)
    again = request_of(record(options=sent, seed=first.seed), allow_ms=5)
    assert mind.sends(again) == sent
    assert (again.seed, again.allow_ms, again.messages) == (first.seed, 5, first.messages)


def test_an_action_is_asked_for_with_its_schema() -> None:
    schema: JsonValue = {"enum": ["F", "J"]}
    again = request_of(record(format=schema), allow_ms=5)
    assert again.ask == AskAct(name="answer", text="", answer_schema=schema)


@pytest.mark.parametrize(
    ("changes", "can"),
    [
        ({}, True),
        ({"outcome": "guarded"}, True),
        ({"outcome": "timeout"}, False),
        ({"source": "scripted", "mind": "scripted"}, False),
        ({"mind": "homemade"}, False),
    ],
)
def test_only_what_a_server_answered_can_be_asked_again(
    changes: dict[str, object], can: bool
) -> None:
    assert can_be_asked(record(**changes)) is can


class Told:
    """A mind that answers by turns: a text, or fails."""

    def __init__(self, *answers: str | MindFailed) -> None:
        self.answers, self.asked = list(answers), list[Request]()

    def answer(self, request: Request, stop: object) -> Answer:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, MindFailed):
            raise answer
        return Answer(text=answer)


def pairs(told: Told, *calls: RecordedCall, bot: str | None = None) -> list[Pair]:
    return list(asked_again(calls, lambda record: told, bot=bot))  # type: ignore[arg-type,return-value]


def test_each_answer_stands_beside_that_of_then() -> None:
    told = Told("Answer 1.", "Answer one.", MindFailed("timeout", "too slow"))
    same, other, failed = pairs(told, *(recorded() for _ in range(3)))
    assert (same.is_identical, same.similarity) == (True, 1.0)
    assert (other.is_identical, other.similarity, other.line) == (False, 0.5, 2)
    assert (failed.now, failed.similarity, failed.failure) == (None, None, "timeout: too slow")
    assert other.is_same_request is None, "no hash is known of either"


def test_one_bot_may_be_asked_alone_and_what_cannot_be_read_is_passed_over() -> None:
    calls = (recorded(bot="bo"), read_call("6-0", "garbage"), recorded(bot="ada"))
    (only,) = pairs(Told("Yes."), *calls, bot="ada")
    assert (only.line, only.then.bot) == (3, "ada")


def test_long_answers_are_compared_by_their_beginning() -> None:
    long = "so " * 2_000
    assert similarity(long, long + "and then another end " * 1_000) == 1.0
