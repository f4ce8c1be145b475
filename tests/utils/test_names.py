from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from utils.errors import BadInput
from utils.names import NAME_RULE, Name, check_name, look_up, nearest, shown

NAMES = ["a", "7", "ada", "bot-1", "a_b", "0" * 64]
NOT_NAMES = ["", "Ada", "ada\n", "\nada", "-a", "_a", "a b", "a/b", "..", "a:b", "é", "a" * 65, "٣"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_returned_as_it_is(name: str) -> None:
    assert check_name(name, "run") == name
    assert TypeAdapter(Name).validate_python(name) == name


@pytest.mark.parametrize("word", NOT_NAMES)
def test_what_is_no_name_is_refused_by_function_and_by_type_alike(word: str) -> None:
    with pytest.raises(BadInput):
        check_name(word, "run")
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(word)


@pytest.mark.parametrize("value", [None, 7, b"ada", ["ada"], True])
def test_what_is_not_text_is_no_name(value: object) -> None:
    with pytest.raises(BadInput):
        check_name(value, "run")
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(value)


@given(st.text(max_size=70))
def test_function_and_type_agree_on_any_text(text: str) -> None:
    try:
        check_name(text, "run")
    except BadInput:
        with pytest.raises(ValidationError):
            TypeAdapter(Name).validate_python(text)
    else:
        assert TypeAdapter(Name).validate_python(text) == text


def test_the_error_is_one_line_that_shows_the_newline_and_says_the_rule() -> None:
    with pytest.raises(BadInput) as refused:
        check_name("ada\n", "bot", "tea.yaml:3")
    assert str(refused.value) == rf"tea.yaml:3: bot 'ada\n' is not a name; use {NAME_RULE}"
    assert refused.value.exit_code == 2


def test_the_nearest_word_ignores_case_and_the_order_of_what_is_known() -> None:
    assert nearest("Polcy", ["hears", "policy", "opening"]) == "policy"
    assert nearest("ab", ["aa", "ba"]) == nearest("ab", ["ba", "aa"])
    assert nearest("polcy", []) is None
    assert nearest("x" * 100_000, ["policy"]) is None


def test_a_word_that_is_not_there_is_answered_with_the_nearest_or_with_all_there_are() -> None:
    policies = {"round_robin": 1, "random": 2}
    with pytest.raises(BadInput, match=r"^a:7: unknown policy 'robin'; did you mean '") as near:
        look_up("robin", policies, "policy", "a:7")
    assert str(near.value).endswith("'round_robin'?")
    with pytest.raises(BadInput, match=r"^unknown policy 'q'; there is random, round_robin$"):
        look_up("q", policies, "policy")
    with pytest.raises(BadInput, match=r"^unknown policy 'q'; there is no policy$"):
        look_up("q", {}, "policy")


def test_a_value_is_shown_short_on_one_line_and_without_control_characters() -> None:
    assert shown("a\x1b[31m\nb") == r"'a\x1b[31m\nb'"
    assert shown(0.5) == "0.5"
    assert shown(("a",)) == "a list of 1 item"
    assert len(shown("x" * 10_000)) < 100
