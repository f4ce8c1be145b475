"""The resolved scenario: whole, frozen, and the same bytes every time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.scenes import TEMPLATE, spec_of
from utils.errors import BadEntry
from utils.persona import MindOptions, Persona
from utils.protocol import MAX_TEXT_CHARS
from utils.spec import BotSpec, EndSpec, FloorSpec, MemorySpec, ModelSpec, Spec


def a_bot(name: str, **persona: Any) -> BotSpec:
    return BotSpec(
        name=name,
        persona=Persona(name=persona.pop("persona", name), **persona),
        prompt=TEMPLATE,
        model="m",
        memory=MemorySpec(),
    )


def with_bots(*bots: BotSpec) -> Spec:
    return spec_of().model_copy(update={"bots": bots})


def test_a_spec_is_the_same_bytes_after_it_was_stored_and_read() -> None:
    model = ModelSpec(
        model="llama3.2:1b",
        options={"temperature": 1.0, "seed": 7, "stop": ("a", "b"), "mirostat": True},
    )
    mind = MindOptions({"temperature": 0.5, "num_predict": 80, "stop": ("x",)})
    bots = (a_bot("ada", role="an engineer", mind=mind, goals=("rest",)), a_bot("bo"))
    spec = spec_of(model=model).model_copy(update={"bots": bots, "labels": {"arm": "a\u2028b"}})
    body = spec.model_dump_json()
    again = Spec.read("tea", body)
    assert again == spec
    assert again.model_dump_json() == body


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (None, "it has no spec"),
        ("", "no spec: not a JSON object"),
        ("{}", "no spec: field scenario"),
        ('{"parley": 2}', "no spec: field parley"),
        ("\udcff", "no spec"),
    ],
)
def test_what_is_no_spec_of_this_version_is_a_bad_entry(body: str | None, why: str) -> None:
    with pytest.raises(BadEntry, match=f"run tea: {why}"):
        Spec.read("tea", body)


def test_a_key_of_a_newer_program_is_not_ignored() -> None:
    body = spec_of().model_dump_json().replace('"parley":1', '"parley":1,"judges":[]')
    with pytest.raises(BadEntry, match="no spec: field judges"):
        Spec.read("tea", body)


def test_a_spec_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        spec_of().seed = 8  # type: ignore[misc]


def test_a_bot_is_found_by_its_name() -> None:
    assert spec_of().bot("bo").name == "bo"
    with pytest.raises(KeyError, match="nobody"):
        spec_of().bot("nobody")


def test_a_bot_is_shown_by_its_personas_name_and_two_of_one_persona_by_their_own() -> None:
    spec = with_bots(
        a_bot("ada", display="Ada Lovelace"),
        a_bot("one", persona="twin", display="Twin"),
        a_bot("two", persona="twin", display="Twin"),
        a_bot("bot-1", persona="none"),
    )
    assert spec.displays() == {
        "ada": "Ada Lovelace",
        "one": "One",
        "two": "Two",
        "bot-1": "Bot-1",
    }


@given(
    st.dictionaries(
        st.sampled_from(["ada", "bo", "cy", "bot-1"]),
        st.sampled_from(["", "Ada", "ADA", "Bo", "bo", "Bot-1", "Straße", "STRASSE"]),
        min_size=1,
    )
)
@example({"ada": "Bo", "bo": ""})
@example({"ada": "Bo", "bo": "Ada"})
def test_no_two_bots_are_shown_by_one_name(displays: dict[str, str]) -> None:
    bots = [a_bot(name, persona="none", display=display) for name, display in displays.items()]
    shown = [display.casefold() for display in with_bots(*bots).displays().values()]
    assert len(set(shown)) == len(bots)
    assert all(shown)


def test_a_scenario_needs_a_bot() -> None:
    with pytest.raises(ValidationError, match="bots"):
        Spec.model_validate({**spec_of().model_dump(), "bots": ()})


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (FloorSpec, {"allow_s": 0}),
        (FloorSpec, {"allow_s": 86_401}),
        (FloorSpec, {"tries": 0}),
        (FloorSpec, {"gather_s": -1}),
        (FloorSpec, {"max_chars": 0}),
        (FloorSpec, {"max_chars": MAX_TEXT_CHARS + 1}),
        (EndSpec, {"turns": 0}),
        (EndSpec, {"minutes": 0}),
        (EndSpec, {"silence_minutes": 0}),
        (MemorySpec, {"amount": 0}),
        (MemorySpec, {"unit": "days"}),
        (ModelSpec, {"model": "two words"}),
        (ModelSpec, {"keep_alive": "soon"}),
        (ModelSpec, {"mind": "Ollama"}),
        (ModelSpec, {"temprature": 1}),
    ],
)
def test_what_makes_no_sense_is_refused(model: type[Any], fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(fields))):
        model(**fields)


def test_times_are_in_the_unit_their_name_says() -> None:
    assert FloorSpec(allow_s=1.5).allow_ms == 1_500
    assert FloorSpec().allow_ms == 120_000
