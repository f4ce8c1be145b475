"""From a model's text to what is said: what is cut, and that nothing is lost."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.speech import Spoken, act_in, said
from utils.errors import MindFailed
from utils.protocol import MAX_TEXT_CHARS, Act, AskAct, Say

OTHERS = ("Bo", "Cy", "Old Tom")
NAME_IT = AskAct(name="name", text="Name it.", answer_schema={"enum": ["F", "J"]})


def say(text: str, *, max_chars: int = 400) -> Spoken:
    return said(text, display="Ada", others=OTHERS, max_chars=max_chars)


def cuts(text: str) -> dict[str, str]:
    return dict(say(text).cuts)


def test_plain_words_are_said_as_they_are() -> None:
    text = "A town? For meeting: what else. <b>Bo</b>\n\nBo, you know that. I said: Bo: no."
    assert say(text) == Spoken(text=text)


@pytest.mark.parametrize(
    ("text", "spoken", "thinking"),
    [
        ("<think>Hm.</think>Yes.", "Yes.", "Hm."),
        ("<THINK>\nHm.\n</Think>\n\nYes.", "Yes.", "Hm."),
        ("Hm. So.</think>Yes.", "Yes.", "Hm. So."),
        ("Yes.<think>Hm. And", "Yes.", "Hm. And"),
        ("A<think>b</think>C<think>d</think>E", "ACE", "b\nd"),
        ("A<think>b</think>C</think>E", "E", "b\nAC"),
        ("<think><think>a</think>b", "b", "a"),
        ("<think></think>b", "b", ""),
        ("<think>all of it", "", "all of it"),
        ("I think </thinking> so", "I think </thinking> so", ""),
    ],
)
def test_thoughts_are_kept_apart(text: str, spoken: str, thinking: str) -> None:
    result = say(text)
    assert (result.text, result.thinking) == (spoken, thinking)
    assert "think" in dict(result.cuts) or not thinking


@pytest.mark.parametrize(
    "prefix", ["Ada: ", "ADA:", "**Ada:** ", "**Ada**: ", "\n Ada : ", "[main] Ada: ", "Ada: Ada: "]
)
def test_the_speakers_own_name_in_front_is_cut(prefix: str) -> None:
    assert say(f"{prefix}Yes.").text == "Yes."
    assert cuts(f"{prefix}Yes.") == {"own_name": prefix}


@pytest.mark.parametrize(
    "turn",
    [
        "Bo: No!",
        "bo: No!",
        "  Bo: No!",
        "**Bo:** No!",
        "*Old Tom*: No!",
        "[main] Bo: No!",
        "Old Tom\uff1a No!",
        "\u200bCy: No!",
        "Bo:\nNo!\nAda: Yes.",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028", "\n\n"])
def test_all_from_the_first_line_in_anothers_name_is_cut(turn: str, end: str) -> None:
    result = say(f"Yes.{end}{turn}")
    assert result.text == "Yes."
    assert dict(result.cuts)["for_others"].endswith(turn)


def test_an_answer_that_is_all_in_anothers_name_says_nothing() -> None:
    assert say("Bo: I am Bo.") == Spoken(text="", cuts=(("for_others", "Bo: I am Bo."),))
    assert say("Ada: Bo: I am Bo.").text == ""


def test_a_name_that_begins_another_is_told_from_it() -> None:
    spoken = said("Ann Lee: Hi.\nAnn: Yes.", display="Ann Lee", others=["Ann"], max_chars=99)
    assert spoken.text == "Hi."
    assert said("Ann Lee: Hi.", display="Ann", others=["Bo"], max_chars=99).text == "Ann Lee: Hi."


def test_a_bot_without_a_name_or_alone_is_not_cut() -> None:
    assert said(": a\nBo: b", display="", others=[], max_chars=99).text == ": a\nBo: b"
    assert said("a\n: b", display="Ada", others=[""], max_chars=99).text == "a\n: b"


def test_what_is_no_text_is_taken_out_before_names_are_looked_for() -> None:
    result = say("Yes\x00.\nB\x00o: no\ud800")
    assert result.text == "Yes."
    assert dict(result.cuts)["unsayable"] == "\x00\x00\\ud800"


def test_more_than_may_be_said_is_cut_and_space_is_trimmed() -> None:
    assert say("  one two  ", max_chars=4) == Spoken(
        text="one", cuts=(("too_long", "two"), ("space", "  "), ("space", "   "))
    )
    assert say("x" * 10_000, max_chars=0).text == "x" * 10_000


PIECES = st.one_of(
    st.sampled_from(
        "Ada|Bo|Cy|Old Tom|:|: |\n|\r|\u2028| |\t|*|**|[|<think>|</think>|\x00|\ud800|\ufeff"
        "|[main] |bo: |BO:|\uff1a".split("|")
    ),
    st.text(max_size=6),
    st.characters(),
)
TEXTS = st.lists(PIECES, max_size=25).map("".join)


@given(text=TEXTS, max_chars=st.integers(0, 60))
def test_no_line_that_is_said_begins_with_anothers_name_and_a_colon(
    text: str, max_chars: int
) -> None:
    for line in say(text, max_chars=max_chars).text.splitlines():
        bare = line.strip().strip("*_ \u200b\ufeff").lower()
        assert not bare.startswith(tuple(f"{other.lower()}:" for other in OTHERS)), line


@given(text=TEXTS, max_chars=st.integers(0, 60))
def test_what_is_said_and_what_is_cut_are_the_whole_text(text: str, max_chars: int) -> None:
    result = say(text, max_chars=max_chars)
    whole = text.encode("utf-8", "backslashreplace").decode()
    assert Counter(result.text) + Counter("".join(cut for _, cut in result.cuts)) == Counter(whole)
    characters = iter(text)
    assert all(one in characters for one in result.text)  # in order, and nothing added


@given(text=TEXTS, max_chars=st.integers(1, 60))
def test_what_is_said_can_be_said(text: str, max_chars: int) -> None:
    result = say(text, max_chars=max_chars)
    assert len(result.text) <= max_chars
    assert result.text == result.text.strip()
    assert Say.model_validate_json(Say(text=result.text).model_dump_json()).text == result.text
    json.dumps(result.cuts, ensure_ascii=False).encode()


@given(text=TEXTS)
def test_what_was_said_once_is_said_again_unchanged(text: str) -> None:
    spoken = say(text).text
    again = say(spoken)
    assert again.text == spoken or "own_name" in dict(again.cuts) or "think" in dict(again.cuts)


@pytest.mark.parametrize(
    "text",
    ["\n", " ", "Ada: ", "Bo", "<think>", "</think>a", "[", "*", "[a]", "[a] ", "*Ada*:", "\u200b"],
)
@pytest.mark.parametrize("head", ["", "Ada:", "Bo", "[a]"])
def test_a_megabyte_is_read_in_one_go(head: str, text: str) -> None:
    megabyte = head + text * (10**6 // len(text))
    assert len(say(megabyte).text) <= 400


# --- actions ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ('"F"', "F"),
        ('{"x": [1, 2.5, null]}', {"x": [1, 2.5, None]}),
        ('```json\n{"x": 1}\n```', {"x": 1}),
        ('Well:\n```\n"F"\n```\nThat is it.', "F"),
        ('"```"', "```"),
        ("7", 7),
    ],
)
def test_an_action_is_read_as_json(text: str, args: object) -> None:
    assert act_in(text, NAME_IT) == Act.model_validate({"name": "name", "args": args})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "F",
        "__import__('os')",
        "{'x': 1}",
        '{"x": 1',
        "NaN",
        "-Infinity",
        "1e999",
        '"\\ud800"',
        "[" * 10_000,
        "[" * 900 + "]" * 900,
        "1" * 5_000,
        f'"{"x" * MAX_TEXT_CHARS}"',
        "```json\n```",
        "```",
    ],
)
def test_what_is_no_json_is_no_action(text: str) -> None:
    with pytest.raises(MindFailed) as caught:
        act_in(text, NAME_IT)
    assert (caught.value.kind, caught.value.retryable) == ("protocol", False)
    assert caught.value.partial == text


@given(args=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_every_json_value_that_can_be_written_is_an_action(args: object) -> None:
    try:
        text = json.dumps(args, ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:
        return
    assert act_in(text, NAME_IT).args == args
