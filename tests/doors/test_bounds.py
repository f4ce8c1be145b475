"""Every bound, tried at the bound and one past it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import JsonValue, ValidationError

from bots.speech import act_in
from orchestrator.batch import before_deadline
from parley.telling import command_of
from tests.scenes import TEMPLATE, spec_of
from utils.errors import BadInput, MindFailed
from utils.journal import MAX_INPUTS, Consumed, consume
from utils.names import check_name
from utils.persona import Persona, PromptTemplate
from utils.protocol import MAX_INPUT_BYTES, MAX_TEXT_CHARS, AskAct, AskSay, Do, Heard, Joined, Say
from utils.scenario import Crowd, Scenario
from utils.settings import Settings
from utils.spec import BotSpec, ChannelSpec, EndSpec, FloorSpec, MemorySpec, ModelSpec, Spec
from utils.yamlfile import MAX_BYTES, MAX_DEPTH, Document, parse, read, read_text

REFUSED = (ValidationError, BadInput, MindFailed)


class Bound(NamedTuple):
    """A bound: what it bounds, how a thing of that size is made, and the largest size."""

    what: str
    make: Callable[[int], object]
    most: int


def tell(**said: Any) -> object:
    return command_of(**{"author": "console", "nonce": "n", **said})


def spec(**changes: Any) -> Spec:
    written = {**spec_of().model_dump(mode="json"), **changes}
    return Spec.model_validate(written)


def bot(name: str) -> dict[str, Any]:
    made = BotSpec(
        name=name, persona=Persona(name="ada"), prompt=TEMPLATE, model="m", memory=MemorySpec()
    )
    return made.model_dump(mode="json")


def channel(name: str, members: int = 1) -> dict[str, Any]:
    return {"name": name, "members": [f"bot-{number}" for number in range(members)]}


def model(**changes: Any) -> ModelSpec:
    return ModelSpec.model_validate(changes)


def written(**said: Any) -> Scenario:
    """Read a scenario as if it stood in a file."""
    document = Document("t.yaml", {"bots": ["ada"], **said}, {(): 1})
    return parse(document, Scenario)


def some(count: int) -> list[str]:
    return [f"n{number}" for number in range(count)]


def nested(depth: int) -> JsonValue:
    value: JsonValue = 0
    for _ in range(depth):
        value = [value]
    return value


def floor_entry(size: int) -> Consumed:
    consumed = consume("1-0", {"b": "x" * size})
    if consumed.malformed:
        raise BadInput(consumed.malformed)
    return consumed


def batch(count: int) -> None:
    waiting = [Consumed(id=f"{number}-0", raw="") for number in range(count)]
    if len(before_deadline(waiting, None)) < count:
        raise BadInput("some wait")


def file_of(size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.yaml"
        path.write_bytes(b"#" * (size - 1) + b"\n")
        read(path)


def name(size: int) -> str:
    return "a" * size


ASK = AskAct(name="do", text="Do.", answer_schema={})
HEARD: dict[str, Any] = {
    "channel": "main",
    "turn": 1,
    "round": 1,
    "audience": "all",
    "speaker": "a",
}

NAMES = [
    Bound("run", lambda size: check_name(name(size), "run"), 64),
    Bound("scenario", lambda size: spec(scenario=name(size)), 64),
    Bound("bot", lambda size: spec(bots=[bot(name(size))]), 64),
    Bound("channel", lambda size: ChannelSpec(name=name(size), members=("ada",)), 64),
    Bound("host", lambda size: Joined(author=name(size), nonce="n", bot="ada"), 64),
    Bound("member", lambda size: ChannelSpec(name="main", members=(name(size),)), 64),
    Bound("policy", lambda size: ChannelSpec(name="main", members=(), policy=name(size)), 64),
    Bound("mind", lambda size: model(mind=name(size)), 64),
    Bound("rule", lambda size: model(rule=name(size)), 64),
    Bound("memory", lambda size: MemorySpec(kind=name(size)), 64),
    Bound("world", lambda size: spec(world={"name": name(size)}), 64),
    Bound("world setting", lambda size: spec(world={"settings": {name(size): 1}}), 64),
    Bound("label", lambda size: spec(labels={name(size): ""}), 64),
    Bound("person", lambda size: tell(kind="pause", author=name(size)), 64),
    Bound("verb", lambda size: tell(kind="do", verb=name(size)), 64),
    Bound("nonce", lambda size: tell(kind="pause", nonce=name(size)), 64),
    Bound("persona", lambda size: Persona(name=name(size)), 64),
    Bound("template", lambda size: PromptTemplate(name=name(size), ask="x"), 64),
    Bound("crowd", lambda size: Crowd(count=10_000, name=name(size)), 58),
    Bound("option", lambda size: model(options={name(size): 1}), 32),
    Bound("option of a persona", lambda size: Persona(name="a", mind={name(size): 1}), 32),
    Bound("model", lambda size: model(model=name(size)), 200),
    Bound("model server", lambda size: model(host=name(size)), 200),
]

TEXTS = [
    Bound("word", lambda size: Say(text=name(size)), MAX_TEXT_CHARS),
    Bound("heard", lambda size: Heard(**HEARD, text=name(size)), MAX_TEXT_CHARS),
    Bound("inject", lambda size: tell(kind="inject", channel="m", text=name(size)), MAX_TEXT_CHARS),
    Bound("mark", lambda size: tell(kind="mark", text=name(size)), MAX_TEXT_CHARS),
    Bound("why", lambda size: tell(kind="stop", why=name(size)), 500),
    Bound("about", lambda size: spec(about=name(size)), 500),
    Bound("label's value", lambda size: spec(labels={"a": name(size)}), 500),
    Bound(
        "opening",
        lambda size: ChannelSpec(name="main", members=(), opening=name(size)),
        MAX_TEXT_CHARS,
    ),
    Bound("line", lambda size: model(lines=[name(size)]), MAX_TEXT_CHARS),
    Bound("option's value", lambda size: model(options={"stop": name(size)}), 200),
    Bound("display", lambda size: Persona(name="a", display=name(size)), 40),
    Bound("role", lambda size: Persona(name="a", role=name(size)), 120),
    Bound("character", lambda size: Persona(name="a", character=name(size)), 2_000),
    Bound("style", lambda size: Persona(name="a", style=name(size)), 400),
    Bound("goal", lambda size: Persona(name="a", goals=(name(size),)), 200),
    Bound("system", lambda size: PromptTemplate(name="a", ask="x", system=name(size)), 8_000),
    Bound("ask", lambda size: PromptTemplate(name="a", ask=name(size)), 2_000),
    Bound("action", lambda size: act_in(f'"{name(size - 2)}"', ASK), MAX_TEXT_CHARS),
    Bound("answer", lambda size: AskSay(max_chars=size), MAX_TEXT_CHARS),
    Bound("input", floor_entry, MAX_INPUT_BYTES),
    Bound("file", file_of, MAX_BYTES),
]

COUNTS = [
    Bound("bots", lambda count: spec(bots=[bot(one) for one in some(count)]), 10_000),
    Bound("bots of a crowd", lambda count: Crowd(count=count), 10_000),
    Bound("channels", lambda count: spec(channels=[channel(one) for one in some(count)]), 10_000),
    Bound("members", lambda count: ChannelSpec.model_validate(channel("main", count)), 10_000),
    Bound("models", lambda count: spec(models={one: {} for one in some(count)}), 1_000),
    Bound("options", lambda count: model(options=dict.fromkeys(some(count), 1)), 32),
    Bound("texts of an option", lambda count: model(options={"stop": some(count)}), 32),
    Bound("options of a persona", lambda n: Persona(name="a", mind=dict.fromkeys(some(n), 1)), 32),
    Bound("goals", lambda count: Persona(name="a", goals=tuple(some(count))), 6),
    Bound("lines", lambda count: model(lines=some(count)), 10_000),
    Bound("labels", lambda count: spec(labels=dict.fromkeys(some(count), "")), 64),
    Bound("settings", lambda n: spec(world={"settings": dict.fromkeys(some(n), 0)}), 64),
    Bound("measures", lambda n: EndSpec(measures=[{"measure": "a", "value": 1}] * n), 64),  # type: ignore[arg-type]
    Bound("bots of a file", lambda count: written(bots=some(count)), 10_000),
    Bound("channels of a file", lambda n: written(channels={key: {} for key in some(n)}), 10_000),
    Bound("members of a file", lambda n: written(channels={"a": {"members": some(n)}}), 10_000),
    Bound("models of a file", lambda n: written(models={key: {} for key in some(n)}), 1_000),
    Bound("labels of a file", lambda n: written(labels=dict.fromkeys(some(n), "")), 64),
    Bound("turns", lambda count: EndSpec(turns=count), 10**9),
    Bound("turns of a step", lambda count: tell(kind="step", turns=count), 1_000),
    Bound("tries", lambda count: FloorSpec(tries=count), 100),
    Bound("allowance", lambda count: FloorSpec(allow_s=count), 86_400),
    Bound("window", lambda count: MemorySpec(amount=count), 100_000),
    Bound("seed", lambda count: spec(seed=count), 2**63 - 1),
    Bound("inputs of a commit", batch, MAX_INPUTS),
    Bound("lease", lambda ms: Settings.from_env({"PARLEY_LEASE_MS": str(ms)}), 600_000),
    Bound("depth of a command", lambda deep: tell(kind="do", verb="a", args=nested(deep)), 64),
    Bound("depth of an input", lambda n: Do(author="a", nonce="n", verb="a", args=nested(n)), 64),
    Bound("depth of an action", lambda n: act_in(json.dumps(nested(n)), ASK), 64),
    Bound("depth of a file", lambda deep: read_text("[" * deep + "]" * deep, path="t"), MAX_DEPTH),
    Bound("digits of a time", lambda count: model(keep_alive="9" * count + "s"), 9),
]


EVERY = [*NAMES, *TEXTS, *COUNTS]


@pytest.mark.parametrize("bound", EVERY, ids=[one.what for one in EVERY])
def test_what_is_at_a_bound_is_taken_and_one_past_it_is_refused(bound: Bound) -> None:
    bound.make(bound.most)
    with pytest.raises(REFUSED):
        bound.make(bound.most + 1)


@pytest.mark.parametrize("bound", NAMES[:17], ids=[one.what for one in NAMES[:17]])
def test_no_name_is_empty(bound: Bound) -> None:
    bound.make(1)
    with pytest.raises(REFUSED):
        bound.make(0)


BAD = ["../a", "a/b", "a\\b", ".", "A", "a\n", "a\x00", "\u0430", "a:b", "{a}", "*", "a b", "-a"]


@pytest.mark.parametrize("bad", BAD)
def test_no_name_leaves_its_key_or_its_folder(bad: str) -> None:
    makers: list[Callable[[], object]] = [
        lambda: check_name(bad, "run"),
        lambda: spec(scenario=bad),
        lambda: spec(bots=[bot("a") | {"name": bad}]),
        lambda: ChannelSpec(name=bad, members=()),
        lambda: ChannelSpec(name="main", members=(bad,)),
        lambda: Joined(author=bad, nonce="n", bot="ada"),
        lambda: Joined(author="host", nonce="n", bot=bad),
        lambda: spec(labels={bad: ""}),
        lambda: spec(models={bad: {}}),
        lambda: spec(world={"name": "salon", "settings": {bad: 1}}),
        lambda: tell(kind="kick", channel=bad, bot="ada"),
        lambda: model(options={bad: 1}),
    ]
    for make in makers:
        with pytest.raises(REFUSED):
            make()
