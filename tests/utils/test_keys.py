"""Redis keys: one place, one name, one slot a run."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from utils import keys
from utils.names import check_name

OF_A_RUN: dict[str, Callable[..., str]] = {
    name: one
    for name, one in vars(keys).items()
    if inspect.isfunction(one)
    and one.__module__ == keys.__name__
    and one not in (keys.slots, keys.run_of)
}
OF_ALL = {value for name, value in vars(keys).items() if name.isupper()}
ROW = re.compile(
    r"^\| `(?P<key>[^`]+)` \| (?P<type>[^|]+) \| (?P<writer>[^|]+) \| (?P<holds>.+) \|$", re.M
)

names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True)


def of(function: Callable[..., str], run: str, other: str) -> str:
    return function(*(run, other)[: len(inspect.signature(function).parameters)])


def documented() -> list[str]:
    return [row["key"] for row in ROW.finditer(keys.__doc__ or "")]


def test_the_table_has_every_key_and_no_other() -> None:
    spelled = {re.sub(r"<\w+>", "x", key) for key in documented()}
    assert spelled == {of(function, "run", "x") for function in OF_A_RUN.values()} | {
        *OF_ALL,
        keys.slots("x"),
    }
    assert len(documented()) == len(spelled)


def test_every_row_of_the_table_says_type_writer_and_content() -> None:
    rows = list(ROW.finditer(keys.__doc__ or ""))
    assert rows
    for row in rows:
        assert row["type"] in {"stream", "string", "string, PX", "sorted set"}
        assert row["writer"].strip()
        assert row["holds"].strip()


@given(names, names)
def test_all_keys_of_a_run_live_in_one_slot(run: str, other: str) -> None:
    check_name(run, "run")
    slots = {key_slot(of(one, run, other).encode()) for one in OF_A_RUN.values()}
    assert slots == {key_slot(run.encode())}


@given(names, names, names, names)
def test_no_two_things_have_one_key(run: str, name: str, run2: str, name2: str) -> None:
    made = [
        ((label, at, *((who,) if two else ())), of(function, at, who))
        for label, function in OF_A_RUN.items()
        for two in [len(inspect.signature(function).parameters) == 2]
        for at, who in {(run, name), (run2, name2), (run, name2), (run2, name)}
    ]
    made += [((key,), key) for key in OF_ALL]
    for (what, key), (what2, key2) in combinations(made, 2):
        assert (key == key2) == (what == what2)


@pytest.mark.parametrize("function", OF_A_RUN.values(), ids=list(OF_A_RUN))
def test_a_key_begins_with_the_program_and_the_run(function: Callable[..., str]) -> None:
    assert of(function, "tea", "bo").startswith("parley:{tea}:")
