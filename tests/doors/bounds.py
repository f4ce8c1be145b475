"""Every bound of what is typed and of what is in files: how to make what is just at it.

Bounds of other things are tried beside what they bound: `ELSEWHERE` says where. This file
is over 300 lines because one table of all bounds is one page.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import JsonValue, ValidationError

from analytics.folder import LONGEST_NAME_BYTES, LONGEST_PATH_BYTES, check_name_fits
from bots.speech import act_in
from orchestrator.batch import before_deadline
from parley.telling import command_of
from tests.scenes import TEMPLATE, Table, spec_of
from utils.errors import BadInput, MindFailed
from utils.journal import MAX_EVENTS, MAX_INPUTS, Consumed, consume
from utils.names import check_name
from utils.origin import Change, Origin
from utils.persona import Persona, PromptTemplate
from utils.protocol import (
    MAX_INPUT_BYTES,
    MAX_TEXT_CHARS,
    AskAct,
    AskSay,
    Do,
    Heard,
    HostLost,
    Joined,
    Say,
)
from utils.scenario import Crowd, Scenario
from utils.settings import Settings
from utils.spec import (
    BotSpec,
    ChannelSpec,
    EndSpec,
    FloorSpec,
    MemorySpec,
    ModelSpec,
    PaceSpec,
    PersonaGuard,
    RepetitionGuard,
    Spec,
)
from utils.yamlfile import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_EXPANDED_CHARS,
    MAX_INT,
    Document,
    parse,
    read,
    read_text,
)

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


def expanded(size: int) -> None:
    """Read a list that comes to a size when its aliases are written out."""
    times, rest = divmod(size - 2, 1_001)
    first, *others = ['&a "' + "x" * 1_000 + '"', *["*a"] * (times - 1)]
    read_text(f'[{", ".join([first, *others])}, "{"y" * rest}"]', path="t")


def path_of(size: int) -> None:
    check_name_fits(Path("/" + "a/" * ((size - 3) // 2) + "b" * (size - 1 - (size - 3) // 2 * 2)))


def lost_at_once(seats: int) -> None:
    """Lose a host, and see that all its bots are off their seats with one commit."""
    table = Table(spec_of(some(seats), turns=1)).begin_empty()
    for at in range(0, seats, MAX_INPUTS):
        joins = [{"kind": "joined", "author": "h", "nonce": one, "bot": one} for one in some(seats)]
        table.say(*joins[at : at + MAX_INPUTS])
    table.notice(HostLost(host="h"))
    if any(seat.host for seat in table.state.seats.values()):
        raise BadInput("some are lost with the next commit")


def a_fork(**said: Any) -> Origin:
    return Origin.model_validate({"run": "a", "seq": 1, "sha256": "0" * 64, "spec": "", **said})


def a_setting(**env: int) -> Settings:
    return Settings.from_env({name: str(value) for name, value in env.items()})


def name(size: int) -> str:
    return "a" * size


TRAITS = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
LOW: dict[str, Any] = {"measure": "a", "value": 1.0}
THEN: dict[str, Any] = {**LOW, "do": {"verb": "pause"}}
IN_A_FILE: dict[str, Any] = {"measure": "a", "is": 1, "do": {"pause": True}}
EDIT: dict[str, Any] = {"verb": "unhear", "channel": "main"}
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
    Bound("one of several model servers", lambda size: model(hosts=[name(size)]), 200),
    Bound("measure", lambda size: spec(measures=[name(size)]), 64),
    Bound("key of a change", lambda size: Change(key=name(size), value=0), 400),
    Bound("folder", lambda size: check_name_fits(Path("/") / name(size)), LONGEST_NAME_BYTES),
    Bound("path of a folder", path_of, LONGEST_PATH_BYTES),
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
    Bound("record", lambda size: model(record=name(size)), 1_000),
    Bound("phrase", lambda size: PersonaGuard(phrases=(name(size),)), 200),
    Bound(
        "about a template", lambda size: PromptTemplate(name="a", ask="x", about=name(size)), 400
    ),
    Bound("version", lambda size: spec(started_with={"a": name(size)}), 500),
    Bound(
        "text of a command of the scenario's",
        lambda size: spec(when=[{**LOW, "do": {"verb": "mark", "text": name(size)}}]),
        MAX_TEXT_CHARS,
    ),
    Bound(
        "word of a fork",
        lambda n: a_fork(edits=[{**EDIT, "heard": {**HEARD, "text": name(n)}}]),
        MAX_TEXT_CHARS,
    ),
    Bound("input", floor_entry, MAX_INPUT_BYTES),
    Bound("file", file_of, MAX_BYTES),
    Bound("file whose aliases are written out", expanded, MAX_EXPANDED_CHARS),
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
    Bound("model servers", lambda count: model(hosts=some(count)), 64),
    Bound(
        "phrases",
        lambda count: PersonaGuard(phrases=tuple(f"no {one}" for one in some(count))),
        100,
    ),
    Bound("words of a guard", lambda count: RepetitionGuard(share=0.5, n=count), 20),
    Bound("messages of a guard", lambda count: RepetitionGuard(share=0.5, last=count), 1_000),
    Bound("share of a guard", lambda share: RepetitionGuard(share=share), 1),
    Bound(
        "trait",
        lambda trait: Persona.model_validate(
            {"name": "a", "big_five": dict.fromkeys(TRAITS, float(trait))}
        ),
        1,
    ),
    Bound("minutes", lambda count: EndSpec(minutes=count), 10**6),
    Bound("minutes of silence", lambda count: EndSpec(silence_minutes=count), 10**6),
    Bound("seconds of gathering", lambda count: FloorSpec(gather_s=count), 86_400),
    Bound("characters of a turn", lambda count: FloorSpec(max_chars=count), MAX_TEXT_CHARS),
    Bound("scale of a pace", lambda scale: PaceSpec(kind="realtime", scale=scale), 1_000),
    Bound("turns of a channel", lambda n: ChannelSpec(name="a", members=(), turns=n), 10**9),
    Bound("measures of a scenario", lambda count: spec(measures=some(count)), 64),
    Bound("measures of a file", lambda count: written(measures=some(count)), 64),
    Bound("what is waited for", lambda count: spec(when=[THEN] * count), 64),
    Bound("what a file waits for", lambda count: written(when=[IN_A_FILE] * count), 64),
    Bound("times", lambda count: spec(when=[{**THEN, "times": count}]), 1_000_000),
    Bound(
        "times in a file", lambda count: written(when=[{**IN_A_FILE, "times": count}]), 1_000_000
    ),
    Bound(
        "messages in a file",
        lambda n: written(bots=[{"memory": {"window": f"{n} messages"}}]),
        99_999,
    ),
    Bound("versions", lambda count: spec(started_with=dict.fromkeys(some(count), "")), 64),
    Bound("changes of a fork", lambda n: a_fork(changes=[{"key": "a", "value": 0}] * n), 100),
    Bound("edits of a fork", lambda count: a_fork(edits=[EDIT] * count), 100),
    Bound("commits of a parent", lambda count: a_fork(seq=count), 2**53),
    Bound("replicates", lambda count: a_fork(replicate=count), 2**53),
    Bound(
        "turn of what a fork has heard",
        lambda n: a_fork(edits=[{**EDIT, "heard": {**HEARD, "text": "", "turn": n}}]),
        2**53,
    ),
    Bound(
        "round of it",
        lambda n: a_fork(edits=[{**EDIT, "heard": {**HEARD, "text": "", "round": n}}]),
        2**53,
    ),
    Bound(
        "grant of it",
        lambda n: a_fork(edits=[{**EDIT, "heard": {**HEARD, "text": "", "epoch": n}}]),
        2**53,
    ),
    Bound("slots", lambda count: a_setting(PARLEY_SLOTS=count), 10_000),
    Bound("entries the recorder leaves", lambda count: a_setting(PARLEY_KEEP=count), 100_000_000),
    Bound("seats lost in a commit", lost_at_once, MAX_EVENTS // 2),
    Bound("number in a file", lambda number: read_text(f"a: {number}", path="t"), MAX_INT - 1),
    Bound("digits of a time", lambda count: model(keep_alive="9" * count + "s"), 9),
]


EVERY = [*NAMES, *TEXTS, *COUNTS]

ELSEWHERE = {
    "bytes of a commit": ("tests/orchestrator/test_batch.py", "MAX_COMMIT_BYTES"),
    "nonces remembered": ("tests/bots/test_said_again.py", "REMEMBERED_PAGES"),
    "bytes of a model's response": ("tests/bots/test_ollama_faults.py", "MAX_RESPONSE_BYTES"),
    "generations of a fork": ("tests/forks/test_fork_led.py", "MAX_GENERATIONS"),
}
"""Bounds that only a run comes to: the file where one does, and the bound's name there."""
