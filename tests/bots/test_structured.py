"""Asks with a schema: the answer is parsed and held against it, and may be mended once."""

from __future__ import annotations

import json

import pytest
from pydantic import JsonValue

from bots.minds.ollama import OllamaMind
from bots.minds.seam import Answer
from bots.offline.faults import Fault, FaultPlan
from bots.offline.server import OfflineServer
from bots.schema import misfit
from tests.bots.asked import SEED, Done, done, task
from tests.bots.told import Told
from utils.clock import ManualClock
from utils.protocol import Act, AskAct
from utils.spec import ModelSpec

SCHEMA: JsonValue = {
    "type": "object",
    "properties": {"go": {"enum": ["north", "south"]}, "far": {"type": "integer"}},
    "required": ["go", "far"],
    "additionalProperties": False,
}
MOVE = AskAct(name="move", text="Where do you go?", answer_schema=SCHEMA)
WELL = '{"go": "north", "far": 2}'


def answered(*texts: str) -> tuple[Done, Told]:
    mind = Told([Answer(text=text) for text in texts])
    return done(task(ask=MOVE), mind, mind.clock), mind


@pytest.mark.parametrize("text", [WELL, f"```json\n{WELL}\n```", f"<think>Hm.</think>{WELL}"])
def test_an_answer_that_fits_is_the_action(text: str) -> None:
    result, mind = answered(text)
    assert result.action == Act(name="move", args={"go": "north", "far": 2})
    assert (result.outcomes, len(mind.asked)) == (["answered"], 1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("North!", "the action is not JSON"),
        ("", "the answer is empty, where an action was asked"),
        ('{"go": "up", "far": 2}', "at $.go: 'up' is not one of ['north', 'south']"),
        ('{"go": "north"}', "at $: 'far' is a required property"),
        ('{"go": "north", "far": 2', "the action is not JSON"),
    ],
)
def test_a_broken_answer_is_asked_for_again_and_shown_what_was_wrong(text: str, why: str) -> None:
    result, mind = answered(text, WELL)
    assert result.action == Act(name="move", args={"go": "north", "far": 2})
    assert result.outcomes == ["malformed", "answered"]
    first, second = result.records
    assert (first.error, first.response, first.said) == (why, text, None)
    assert (first.seed, first.seed != second.seed) == (SEED, True)
    before, again = (one.messages for one in mind.asked)
    broken = [("assistant", text)] if text else []
    told = [(one.role, one.content) for one in again[len(before) :]]
    assert told[:-1] == broken
    assert told[-1][0] == "user"
    assert why in told[-1][1]
    assert second.messages == again


def test_an_answer_that_stays_broken_is_a_recorded_pass() -> None:
    result, mind = answered("North!", "South!", WELL)
    assert result.outcomes == ["malformed", "malformed"]
    assert result.why == "malformed, schema: the action is not JSON"
    assert len(mind.asked) == 2
    assert [record.response for record in result.records] == ["North!", "South!"]


@pytest.mark.parametrize(
    "schema",
    [
        {},
        True,
        {"type": "no such type"},
        {"$ref": "http://example.invalid/schema.json"},
        {"$ref": "#/nowhere"},
        "no schema",
    ],
)
def test_a_schema_that_says_nothing_or_is_none_fits_everything(schema: JsonValue) -> None:
    assert misfit({"go": "north"}, schema) is None


def test_what_is_wrong_is_told_in_one_bounded_line() -> None:
    told = misfit("x\ny" * 1_000, {"maxLength": 2})
    assert told is not None
    assert len(told) < 400
    assert told.isprintable()


def test_the_schema_reaches_the_model_as_its_format_and_is_in_the_record() -> None:
    plan = FaultPlan(faults=(Fault(fault="other_name", calls=(1,)),))
    with OfflineServer(models=("tiny",), faults=plan) as server:
        model = ModelSpec(model="tiny", host=server.url)
        mind = OllamaMind(model)
        result = done(task(ask=MOVE, model=model), mind, ManualClock())
        mind.close()
    assert result.outcomes == ["malformed", "answered"]
    assert [record.format for record in result.records] == [SCHEMA, SCHEMA]
    assert isinstance(result.action, Act)
    assert json.loads(result.records[1].response) == result.action.args
    assert misfit(result.action.args, SCHEMA) is None
