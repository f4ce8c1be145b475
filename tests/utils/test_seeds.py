"""Draws: decided by their place alone, the same for ever, and no two places alike."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.seeds import Chance, model_seed, seed_for

parts = st.integers() | st.text(st.characters(codec="utf-8"), max_size=12)
places = st.tuples(st.integers(), st.text(st.characters(codec="utf-8"), max_size=12)).flatmap(
    lambda head: st.lists(parts, max_size=4).map(lambda rest: (*head, *rest))
)


def test_a_seed_is_the_beginning_of_a_hash_that_anybody_can_compute() -> None:
    spelled = "i1:7s4:calls4:maini1:1s3:adai1:0"
    expected = int.from_bytes(hashlib.sha256(spelled.encode()).digest()[:8], "big")
    assert seed_for(7, "call", "main", 1, "ada", 0) == expected
    assert model_seed(7, "main", 1, "ada", 0) == expected >> 33


def test_seeds_of_published_runs_never_change() -> None:
    assert seed_for(7, "call", "main", 1, "ada", 0) == 16_797_753_106_523_672_099
    assert model_seed(7, "main", 1, "ada", 0) == 1_955_515_833
    assert Chance(7).shuffled("abcdefgh", "names", 1) == list("cefgdahb")


@given(places, places)
def test_two_places_share_a_seed_only_if_they_are_one(
    one: tuple[int, str], other: tuple[int, str]
) -> None:
    assert (seed_for(*one) == seed_for(*other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "bc"), ("ab", "c")),
        (("1",), (1,)),
        (("a", ""), ("a",)),
        (("",), ()),
        (("i1:1",), (1,)),
        ((1, 2), (12,)),
        ((-1,), (1,)),
    ],
)
def test_places_that_look_alike_are_told_apart(
    one: tuple[str | int, ...], other: tuple[str | int, ...]
) -> None:
    assert seed_for(7, "call", *one) != seed_for(7, "call", *other)


@given(places)
def test_a_seed_is_64_bits_and_a_models_31(place: tuple[int, str]) -> None:
    assert 0 <= seed_for(*place) < 2**64
    assert 0 <= model_seed(place[0], place[1], 1, "ada", 0) < 2**31


@given(st.integers(), st.integers(1, 2**32), st.integers())
def test_a_draw_is_below_its_limit(run_seed: int, limit: int, place: int) -> None:
    assert 0 <= Chance(run_seed).below(limit, "test", place) < limit


@pytest.mark.parametrize("limit", [0, -1, 2**32 + 1])
def test_a_limit_out_of_range_is_an_error(limit: int) -> None:
    with pytest.raises(ValueError, match="limit must be in"):
        Chance(7).below(limit, "test")


def test_of_nothing_nothing_can_be_drawn() -> None:
    with pytest.raises(ValueError, match="limit must be in"):
        Chance(7).pick([], "test")
    assert Chance(7).shuffled([], "test") == []


@given(st.lists(st.integers()), st.integers())
def test_a_shuffle_loses_and_adds_nothing(items: list[int], place: int) -> None:
    assert Counter(Chance(7).shuffled(items, "test", place)) == Counter(items)


def test_draws_are_about_even() -> None:
    chance = Chance(7)
    picked = Counter(chance.pick("abcd", "test", turn) for turn in range(4_000))
    first = Counter(chance.shuffled("abcd", "test", turn)[0] for turn in range(4_000))
    for counted in (picked, first):
        assert all(900 <= counted[one] <= 1_100 for one in "abcd")


def test_draws_of_different_purposes_and_runs_are_unrelated() -> None:
    draws = [
        [Chance(seed).below(2, purpose, turn) for turn in range(1_000)]
        for seed, purpose in ((7, "policy"), (7, "names"), (8, "policy"))
    ]
    for one in range(3):
        for other in range(one):
            same = sum(a == b for a, b in zip(draws[one], draws[other], strict=True))
            assert 430 <= same <= 570
