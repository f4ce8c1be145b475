"""Text in cells: nothing runs, nothing hides, nothing is lost."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.cells import cell, restored, safe

NASTY = {
    '=HYPERLINK("http://example.org")': '\'=HYPERLINK("http://example.org")',
    "+1": "'+1",
    "-2+3": "'-2+3",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1": "'\t=1",
    "\r=1": "'\\x0d=1",
    "\n=1": "'\n=1",
    "  =1": "'  =1",
    "\uff1d1": "'\uff1d1",
    "'tis": "''tis",
    "\x1b[2J": "\\x1b[2J",
    "a\x00b": "a\\x00b",
    "a\u2028b": "a\\u2028b",
    "a\udc80b": "a\\udc80b",
    "\\x1b": "\\\\x1b",
    "\\\x1b": "\\\\\\x1b",
}
PLAIN = [
    "",
    "A town is for shade.",
    "one\ntwo\ttabs",
    'He said "no", twice; 1 = 1 - 0.',
    "C:\\temp\\new and \\alpha",
    "🎈 \u05e9\u05dc\u05d5\u05dd \u202e right to left",
]
PIECES = st.sampled_from(
    ["\\", "x", "u", "1b", "2028", "\x1b", "\u2029", "'", "=", "\n", " ", "\r"]
)
TEXTS = st.text(st.characters(exclude_categories=[])) | st.lists(PIECES).map("".join)


@pytest.mark.parametrize(("text", "written"), NASTY.items())
def test_what_would_run_or_hide_is_written_so_that_it_does_not(text: str, written: str) -> None:
    assert safe(text) == written
    assert restored(written) == text


@pytest.mark.parametrize("text", PLAIN)
def test_other_text_is_written_as_it_is(text: str) -> None:
    assert safe(text) == text == restored(text)


@given(TEXTS)
def test_every_text_comes_back(text: str) -> None:
    assert restored(safe(text)) == text


@given(TEXTS)
def test_no_cell_begins_a_formula_or_holds_an_unseen_character(text: str) -> None:
    written = safe(text)
    assert not written.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d"))
    unseen = {one for one in written if unicodedata.category(one) in {"Cc", "Cs", "Zl", "Zp"}}
    assert unseen <= {"\n", "\t"}


@given(TEXTS)
def test_a_cell_survives_a_file(text: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerow(["before", safe(text), "after"])
    octets = file.getvalue().encode()
    (row,) = csv.reader(io.StringIO(octets.decode(), newline=""))
    assert restored(row[1]) == text


def test_a_million_backslashes_take_no_longer_than_other_text() -> None:
    text = "\\" * 1_000_000 + "x1b" + "\\" * 1_000_000 + "\x00"
    assert restored(safe(text)) == text


def test_numbers_stay_numbers_and_nothing_is_an_empty_cell() -> None:
    assert [cell(one) for one in (-3, 2.5, True, False, None, "")] == [
        -3,
        2.5,
        "true",
        "false",
        "",
        "",
    ]
