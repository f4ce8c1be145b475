"""The grammar of scenario files: from YAML to a frozen model, nothing resolved yet.

What a file leaves out has a default here; what the default means (which bots are
"all"?) is for `parley.resolve`. A key that is planned but not built is refused by
name, never ignored.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints

from utils.awaited import TOLD, Comparison, Verb
from utils.names import Name
from utils.protocol import MAX_MEMBERS, Frozen, Short, Text
from utils.spec import (
    MAX_CHANNELS,
    MAX_MEASURES,
    MAX_MODELS,
    EndSpec,
    FloorSpec,
    GuardsSpec,
    Labels,
    ModelSpec,
    PaceSpec,
    WorldSpec,
)
from utils.yamlfile import Document, parse, read, versioned

T = TypeVar("T")

VERSION = 1

PLANNED = {
    "answer": "structured answers with a score",
    "arms": "studies",
    "fork": "forks",
    "from": "forks",
    "interventions": "changes from outside while a run goes on",
    "items": "studies",
    "judge": "judges",
    "nulls": "null models",
    "replicates": "studies",
    "rounds": "rounds as an end",
}
"""Keys that DESIGN 13 names and nothing does yet, and what they belong to."""

_WINDOW = re.compile(r"none|[1-9][0-9]{0,4} (message|token|round)s?")


def _counted(value: str) -> str:
    if not _WINDOW.fullmatch(value):
        raise ValueError("must be 'none' or a count of messages, tokens or rounds: '20 messages'")
    return value


def _some(value: T) -> T:
    if value == ():
        raise ValueError("must name at least one bot")
    return value


Window = Annotated[str, AfterValidator(_counted)]


def _named(value: Any) -> Any:
    """Let a bot be its persona's name alone."""
    return {"persona": value} if isinstance(value, str) else value


def _placed(value: Any) -> Any:
    """Let a world be its name alone, or its name with the world's own settings."""
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, dict) and len(value) == 1:
        (name, settings) = next(iter(value.items()))
        return {"name": name, "settings": {} if settings is None else settings}
    raise ValueError("must be a world's name, or one name with its settings")


def _paced(value: Any) -> Any:
    """Let a pace be its kind alone, or its kind with its scale."""
    if isinstance(value, dict) and len(value) == 1:
        (kind, given) = next(iter(value.items()))
        if kind == "realtime" and isinstance(given, dict):
            return {"kind": kind, **given}
    return {"kind": value} if isinstance(value, str) else value


def _ended(value: Any) -> Any:
    """Let ends stand side by side in a list: `any: [{measure: agreed, is: 1}, {turns: 90}]`."""
    if not isinstance(value, dict) or "any" not in value:
        return value
    ends = {key: one for key, one in value.items() if key != "any"}
    measures = []
    for one in value["any"] if isinstance(value["any"], list) else [None]:
        if not isinstance(one, dict):
            raise ValueError("must be a list under 'any', of ends such as {turns: 24}")
        if "measure" in one:
            measures.append(_reached(one))
        elif not ends.keys().isdisjoint(one):
            raise ValueError("must name each end once")
        else:
            ends |= one
    return {**ends, "measures": tuple(measures)}  # a list would be none when types are strict


def _reached(value: Any) -> Any:
    """Let `is`, `at_least` or `at_most` say both the value and how it is compared."""
    if not isinstance(value, dict):
        raise ValueError("must name a measure and a value: {measure: words, at_least: 500}")
    named = [how for how in get_args(Comparison) if how in value]
    if len(named) != 1 or "measure" not in value:
        raise ValueError("must have 'measure', and one of 'is', 'at_least' and 'at_most'")
    rest = {key: one for key, one in value.items() if key not in named}
    return {**rest, "value": value[named[0]], "how": named[0]}


def _told(value: Any) -> Any:
    """Let a command be one verb with what it takes: `{inject: It rains.}`, `{mute: bo}`."""
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError("must be one command, such as {inject: It rains.}")
    (verb, given) = next(iter(value.items()))
    if isinstance(given, dict):
        return {"verb": verb, **given}
    if given is None or given is True:
        return {"verb": verb}
    takes = TOLD.get(verb, ())
    return {"verb": verb, "text" if "text" in takes else "bot": given}


def _watched(value: Any) -> Any:
    """Let what is to be done be written as it is told."""
    found = _reached(value)
    return {**found, "do": _told(found["do"])} if "do" in found else found


def _guarded(value: Any) -> Any:
    """Let `persona: true` be the guard with its own phrases, and `false` none."""
    if isinstance(value, dict) and isinstance(value.get("persona"), bool):
        return {**value, "persona": {} if value["persona"] else None}
    return value


def _windowed(value: Any) -> Any:
    """Let a memory be `none` alone."""
    return {"window": value} if isinstance(value, str) else value


class _Grammar(Frozen):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class MemoryEntry(_Grammar):
    """`none`, or `{window: 20 messages, scope: channel}`."""

    window: Window = "20 messages"
    scope: Literal["channel", "all"] = "channel"


Memory = Annotated[MemoryEntry, BeforeValidator(_windowed)]


class BotEntry(_Grammar):
    """A persona's name, or a mapping. `name` is the persona's unless it is said."""

    persona: Name = "none"
    name: Name | None = None
    model: Name | None = None
    prompt: Name = "default"
    memory: Memory = MemoryEntry()


class Crowd(_Grammar):
    """Many bots alike: `count` of them, named `<name>-1` and so on."""

    count: int = Field(ge=1, le=MAX_MEMBERS)
    name: Annotated[Name, StringConstraints(max_length=58)] = "bot"
    persona: Name = "none"
    model: Name | None = None
    prompt: Name = "default"
    memory: Memory = MemoryEntry()


Bots = Annotated[
    tuple[Annotated[BotEntry, BeforeValidator(_named)], ...], Field(max_length=MAX_MEMBERS)
]
Members = Annotated[tuple[Name, ...], Field(max_length=MAX_MEMBERS)]


class ChannelEntry(_Grammar):
    """A channel; see `utils.spec.ChannelSpec`."""

    members: Literal["all"] | Members = "all"
    hears: Name = "all"
    policy: Name = "round_robin"
    opening: Text = ""
    turns: int | None = Field(default=None, ge=1, le=10**9)


class Told(_Grammar):
    """A command of the scenario's; without a channel it is for the only one."""

    verb: Verb
    channel: Name | None = None
    bot: Name | None = None
    text: Text = ""


class Doing(_Grammar):
    """What is to be done when something is measured; see `utils.awaited.When`."""

    measure: Name
    value: Annotated[float, Field(allow_inf_nan=False)]
    how: Comparison
    do: Told
    times: int = Field(default=1, ge=1, le=1_000_000)


class Scenario(_Grammar):
    """A scenario file, as it is written.

    Without `channels` a salon has one, `main`; other worlds open their own.
    """

    about: Short = ""
    seed: int = Field(default=0, ge=-(2**63), lt=2**63)
    labels: Labels = {}
    world: Annotated[WorldSpec, BeforeValidator(_placed)] = WorldSpec()
    models: Annotated[dict[Name, ModelSpec], Field(max_length=MAX_MODELS)] = {
        "default": ModelSpec(model="llama3.2:1b")
    }
    bots: Annotated[Crowd | Bots, AfterValidator(_some)]
    channels: Annotated[dict[Name, ChannelEntry], Field(max_length=MAX_CHANNELS)] | None = None
    end: Annotated[EndSpec, BeforeValidator(_ended)] = EndSpec(turns=24)
    floor: FloorSpec = FloorSpec()
    pace: Annotated[PaceSpec, BeforeValidator(_paced)] = PaceSpec()
    guards: Annotated[GuardsSpec, BeforeValidator(_guarded)] = GuardsSpec()
    measures: Annotated[tuple[Name, ...], Field(max_length=MAX_MEASURES)] = ()
    when: Annotated[
        tuple[Annotated[Doing, BeforeValidator(_watched)], ...], Field(max_length=MAX_MEASURES)
    ] = ()


def load(path: Path) -> tuple[Scenario, Document]:
    """Read a scenario file.

    Returns:
        The scenario, and the document that knows the line of each of its keys.

    Raises:
        BadFile: It is not a scenario; the line says where, and what was expected.
    """
    document = versioned(read(path), "parley", VERSION)
    return parse(document, Scenario, planned=PLANNED), document
