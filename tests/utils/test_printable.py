"""A stranger's text never acts on a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.printable import printable, printable_line

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_nothing_that_acts_or_hides_is_left_in_any_text(text: str) -> None:
    shown = printable(text)
    shown.encode()
    assert {unicodedata.category(one) for one in shown if one not in "\n\u200c\u200d"}.isdisjoint(
        {"Cc", "Cf", "Cs", "Zl", "Zp"}
    )


@given(st.text(st.sampled_from("aé\u0301\u200d\u200c👩\u200b \n\r"), max_size=40))
def test_showing_joiners_and_marks_twice_changes_nothing_more(text: str) -> None:
    assert printable(printable(text)) == printable(text)


@given(ANY_TEXT)
def test_showing_twice_changes_nothing_more(text: str) -> None:
    assert printable(printable(text)) == printable(text)


@given(ANY_TEXT, st.integers(3, 40))
def test_a_line_is_one_line_and_not_longer_than_asked(text: str, most: int) -> None:
    line = printable_line(text, most=most)
    assert len(line) <= most
    assert len(line.splitlines()) <= 1


@pytest.mark.parametrize(
    ("attack", "shown"),
    [
        ("\x1b[2J", "<U+001B>[2J"),
        ("\x1b]52;c;ZXZpbA==\x07", "<U+001B>]52;c;ZXZpbA==<U+0007>"),
        ("\x9b31m", "<U+009B>31m"),
        ("safe\rEVIL", "safe<U+000D>EVIL"),
        ("abc\u202egnp.exe", "abc<U+202E>gnp.exe"),
        ("\u2066hidden\u2069", "<U+2066>hidden<U+2069>"),
        ("pass\u200bword", "pass<U+200B>word"),
        ("a\u200db", "a<U+200D>b"),
        ("\ufeffstart", "<U+FEFF>start"),
        ("x\U000e0041\U000e007f", "x<U+E0041><U+E007F>"),
        ("\u3164", "<U+3164>"),
        ("\x7f\x08", "<U+007F><U+0008>"),
        ("bad \udcff byte", "bad <U+DCFF> byte"),
        ("é\u200d\u200dé", "é<U+200D><U+200D>é"),
    ],
)
def test_an_attack_stands_there_as_code_points(attack: str, shown: str) -> None:
    assert printable(attack) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Grüße, 你好, こんにちは, مرحبا, שלום",
        "👩‍🚀 and 👨‍👩‍👧 and ❤️",
        "می‌خواهم",
        "क्‍ष",
        "[red]not markup[/red]",
        "two\nlines",
        "tiếng Việt",
    ],
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_line_ends_of_all_kinds_are_newlines_and_a_tab_is_four_spaces() -> None:
    assert printable("a\r\nb\u2028c\u2029d\te") == "a\nb\nc\nd    e"


def test_a_tower_of_marks_is_cut_down_to_eight() -> None:
    shown = printable("a" + "\u0301" * 100)
    assert shown.count("\u0301") == 8
    assert shown.endswith("<U+0301>")


def test_a_long_line_ends_in_three_dots() -> None:
    assert printable_line("word " * 100, most=20) == "word word word wo..."
