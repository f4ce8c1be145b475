"""Every bound, tried at the bound and one past it; and that there is one for every field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from tests.doors.bounds import ELSEWHERE, EVERY, NAMES, REFUSED, Bound, bot, model, spec, tell
from utils.names import check_name
from utils.protocol import Frozen, Joined
from utils.spec import ChannelSpec, Spec


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


# --- no field is forgotten -------------------------------------------------------------------

BOUNDS = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")

WITHOUT = {
    "Edit.unheard": "the id of a message of the parent's journal, or there is no such message",
    "Heard.message_id": "written by the leader alone",
    "Heard.audience": "members of one channel",
    "ModelSpec.options": "a number goes to the model server as it is",
    "Persona.mind": "so it does from here",
    "Origin.spec": "the parent's scenario, with bounds of its own",
    "PromptTemplate.sha256": "computed; what is given must be the same",
    "Reached.value": "compared with what is measured, whatever that is",
    "When.value": "so it is here",
}
"""Fields of a scenario without an upper bound, and why that does no harm."""


def leaves(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Walk what a field's schema allows; other models are walked by themselves."""
    for one in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from leaves(one)
    if "type" in node and not {"enum", "const"} & set(node):
        yield node
    inner = [node.get("items"), node.get("additionalProperties")]
    for one in (*inner, *node.get("patternProperties", {}).values()):
        yield from leaves(one) if isinstance(one, dict) else ()


def fields(of: type[BaseModel]) -> dict[str, list[dict[str, Any]]]:
    """List every field of a model and of those within it, with what it may hold."""
    schema = of.model_json_schema()
    models = {of.__name__: schema, **schema.get("$defs", {})}
    return {
        f"{name}.{field}": [one for one in leaves(node) if one["type"] not in ("boolean", "null")]
        for name, one_of in models.items()
        for field, node in one_of.get("properties", {}).items()
    }


def without_bound(of: type[BaseModel]) -> set[str]:
    """List the fields that may hold a text, number, list or mapping of any size."""
    return {
        name
        for name, held in fields(of).items()
        for one in held
        if not {*BOUNDS, "pattern"} & set(one)
    }


@cache
def tried() -> frozenset[str]:
    """List the names of fields for which something of the table is refused."""
    refused: set[str] = set()
    for bound in EVERY:
        try:
            bound.make(bound.most + 1)
        except ValidationError as error:
            for one in error.errors():
                refused |= {str(part) for part in one["loc"]}
        except REFUSED:
            pass
    return frozenset(refused)


def untried(of: type[BaseModel]) -> list[str]:
    """List the bounded fields of no name that the table tries."""
    bounded = [name for name, held in fields(of).items() if any({*BOUNDS} & {*one} for one in held)]
    return [name for name in bounded if name.partition(".")[2] not in tried()]


def test_every_field_of_a_scenario_has_a_bound_or_says_why_not() -> None:
    assert len(fields(Spec)) > 90
    assert without_bound(Spec) == set(WITHOUT)


def test_every_bounded_field_of_a_scenario_is_in_the_table() -> None:
    assert untried(Spec) == []


class Vast(Frozen):
    """A model with fields that hold whatever there is."""

    text: str
    names: tuple[str, ...] = Field(max_length=2)
    amount: float = Field(ge=0)
    short: str = Field(max_length=2)
    other: dict[str, int] | None = None


def test_a_field_without_a_bound_is_found() -> None:
    assert without_bound(Vast) == {"Vast.text", "Vast.names", "Vast.amount", "Vast.other"}
    assert untried(Vast) == ["Vast.names", "Vast.short"]


@pytest.mark.parametrize("what", ELSEWHERE)
def test_what_is_tried_elsewhere_is_there(what: str) -> None:
    path, constant = ELSEWHERE[what]
    root = Path(__file__).resolve().parents[2]
    assert root.joinpath(path).read_text("utf-8").count(constant) > 1, "imported, and used"
