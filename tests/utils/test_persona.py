from __future__ import annotations

import copy
import hashlib
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from utils.persona import (
    NO_PERSONA,
    PLACEHOLDERS,
    BigFive,
    Persona,
    PromptTemplate,
    placeholders,
    render,
)

ADA = Persona(
    name="ada",
    role="a bridge engineer",
    character="You inspect bridges.",
    style="plainly",
    goals=("cross", "rest"),
    big_five=BigFive(
        openness=0.8,
        conscientiousness=0.6,
        extraversion=0.3,
        agreeableness=0.7,
        neuroticism=0.2,
    ),
    mind={"temperature": 0.4, "stop": ("\n", "Bo:")},
)
TEMPLATE = PromptTemplate(
    name="tiny",
    system=(
        'You are {who}. You are talking with {others} in "{channel}".\n\n{character}\n\n'
        "How you speak: {style}\nWhat you want:\n{goals}\nTemperament: {traits}\n\n"
        "What you remember:\n\n{memory}\n\nListen."
    ),
    ask="Write {name}'s next message.",
)


def why(**fields: object) -> str:
    with pytest.raises(ValidationError) as caught:
        Persona.model_validate({"name": "ada", **fields})
    return str(caught.value.errors()[0]["msg"]).removeprefix("Value error, ")


def test_a_persona_is_shown_by_its_name_with_a_capital_unless_it_says_otherwise() -> None:
    assert ADA.display == "Ada"
    assert Persona(name="cy-2").display == "Cy-2"
    assert Persona(name="skeptic", display=" Vera ").display == "Vera"
    assert len(Persona(name="x" * 64).display) == 40


def test_nobody_in_particular_has_nothing() -> None:
    assert NO_PERSONA.model_dump(exclude_defaults=True) == {"name": "none"}
    assert NO_PERSONA.display == ""


def test_a_persona_survives_json_pickle_and_copy_and_can_be_hashed() -> None:
    assert Persona.model_validate_json(ADA.model_dump_json()) == ADA
    assert Persona.model_validate(ADA.model_dump()) == ADA
    assert pickle.loads(pickle.dumps(ADA)) == copy.deepcopy(ADA) == ADA
    assert len({ADA, copy.deepcopy(ADA), NO_PERSONA}) == 2


def test_a_persona_cannot_be_changed_not_even_its_options() -> None:
    with pytest.raises(ValidationError):
        ADA.role = "a thief"  # type: ignore[misc]
    with pytest.raises(TypeError):
        ADA.mind["temperature"] = 2  # type: ignore[index]
    with pytest.raises(AttributeError):
        ADA.mind.temperature = 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("display", ["Ada:", "Ada\nBo", "A\x1b[31m", "a\u202eb", "x" * 41])
def test_a_display_name_that_could_pass_for_somebody_else_is_refused(display: str) -> None:
    assert why(display=display)


def test_texts_are_bounded_and_hold_no_control_characters() -> None:
    assert why(character="a\x07") == "must not hold the control character U+0007"
    assert why(character="a\n\nb") == "must be one paragraph, without blank lines"
    assert why(role="a\nb") == "must be one line"
    assert why(display="A: b") == ("must not hold a colon, which ends a speaker's name in a prompt")
    assert why(role="x" * 121) == "String should have at most 120 characters"
    assert why(character="x" * 2001) == "String should have at most 2000 characters"
    assert why(style="x" * 401) == "String should have at most 400 characters"
    assert why(goals=["x" * 201]) == "String should have at most 200 characters"
    assert why(goals=[""]) == "String should have at least 1 character"
    assert why(goals=["x"] * 7) == "Tuple should have at most 6 items after validation, not 7"


def test_text_of_any_script_is_welcome() -> None:
    text = "मैं पुल बनाती हूँ, می‌خواهم, 橋を架ける\u3000👩‍🔧"
    assert Persona(name="ada", character=text).character == text


@pytest.mark.parametrize(
    "mind",
    [
        {"Top-P": 1},
        {"a" * 33: 1},
        {"x": None},
        {"x": {}},
        {"x": [1]},
        {"x": float("nan")},
        {"x": "y" * 201},
        {"": 1},
    ],
)
def test_options_have_short_names_and_plain_values(mind: object) -> None:
    assert why(mind=mind)


def test_options_keep_the_type_they_were_written_in() -> None:
    mind = Persona(name="a", mind={"a": True, "b": 1, "c": 1.0, "d": "1"}).mind
    assert [type(value) for value in mind.values()] == [bool, int, float, str]


@pytest.mark.parametrize("trait", [-0.1, 1.1, float("nan"), float("inf"), "0.5", True, None])
def test_a_trait_is_a_number_from_0_to_1(trait: object) -> None:
    factors = dict.fromkeys(BigFive.model_fields, 0.5)
    with pytest.raises(ValidationError):
        BigFive.model_validate({**factors, "openness": trait})


def test_a_template_is_named_by_the_hash_of_system_and_ask_alone() -> None:
    spelled = b'["S {name}","A"]'
    template = PromptTemplate(name="x", about="anything", system="S {name}", ask="A")
    assert template.sha256 == hashlib.sha256(spelled).hexdigest()
    assert PromptTemplate(name="y", system="S {name}", ask="A").sha256 == template.sha256
    assert PromptTemplate(name="x", system="S  {name}", ask="A").sha256 != template.sha256
    assert PromptTemplate.model_validate_json(template.model_dump_json()) == template


def test_a_template_with_a_hash_of_something_else_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"must be 9bf557da5d63[0-9a-f]+, the hash of"):
        PromptTemplate(name="x", system="You are {name}.", ask="Speak.", sha256="0" * 64)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("You are {nme}.", "has the unknown placeholder '{nme}'; did you mean '{name}'?"),
        ("You are {name.__class__}.", "has a single '{'; write '{{' for a brace"),
        ("You are {0}.", "has the unknown placeholder '{0}'; there is {name}, {role}, "),
        ("a } b", "has a single '}'; write '}}' for a brace"),
        ("a {} b", "has a single '{'; write '{{' for a brace"),
        ("a\tb", "must not hold the control character U+0009"),
    ],
)
def test_a_template_is_checked_when_it_is_made(text: str, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PromptTemplate(name="x", system=text, ask="A")
    assert said in str(caught.value)


def test_a_whole_persona_fills_the_whole_template() -> None:
    values = placeholders(ADA, name="Ada", others=["Bo", "Cy", "Dot"], channel="main", memory="M")
    assert set(values) == set(PLACEHOLDERS)
    assert render(TEMPLATE.system, values) == (
        'You are Ada, a bridge engineer. You are talking with Bo, Cy and Dot in "main".\n\n'
        "You inspect bridges.\n\n"
        "How you speak: plainly\nWhat you want:\n- cross\n- rest\n"
        "Temperament: open 0.8, conscientious 0.6, extraverted 0.3, agreeable 0.7, neurotic 0.2"
        "\n\nWhat you remember:\n\nM\n\nListen."
    )
    assert render(TEMPLATE.ask, values) == "Write Ada's next message."


def test_what_a_bot_does_not_have_leaves_no_trace() -> None:
    template = TEMPLATE.system.replace("remember:\n\n", "remember:\n")
    values = placeholders(NO_PERSONA, name="Bot-1", others=[], channel="main")
    assert render(template, values) == (
        'You are Bot-1. You are talking with nobody else in "main".\n\nListen.'
    )


def test_a_line_stays_when_one_of_its_placeholders_has_a_value() -> None:
    values = {"name": "Ada", "role": "", "style": ""}
    assert render("{name} {role}\nNo: {style}{role}\nDo:\nStay.", values) == "Ada \nDo:\nStay."


def test_blank_lines_of_a_value_stay_as_they_are() -> None:
    assert render("a\n\n\n{memory}\n\n\nb\n\n", {"memory": "x\n\n\ny"}) == "a\n\nx\n\n\ny\n\nb"


@given(st.text(max_size=200))
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    assert render("{{name}}: <{name}>", {"name": value}) == (
        f"{{name}}: <{value}>" if value else ""
    )


def test_a_placeholder_without_a_value_is_an_error_of_the_program() -> None:
    with pytest.raises(ValueError, match="no value for the placeholder 'role'"):
        render("{role}", {"name": "Ada"})
