"""Intervals, effect sizes, tests and corrections: against scipy, hand, and the wrong unit."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.metrics.comparing import (
    benjamini_hochberg,
    cliffs_delta,
    hedges_g,
    holm,
    paired,
    unpaired,
)
from analytics.metrics.intervals import UNITS, interval, wavering
from utils.errors import BadInput

VALUES = [2.1, 2.9, 3.2, 4.4, 4.8, 5.0, 6.7, 7.1]

REFUSING: dict[str, Callable[[str], object]] = {
    "interval": lambda unit: interval(VALUES, unit=unit, seed=1),
    "cliffs_delta": lambda unit: cliffs_delta(VALUES, VALUES, unit=unit),
    "hedges_g": lambda unit: hedges_g(VALUES, VALUES[:5], unit=unit),
    "paired": lambda unit: paired({"a": 1, "b": 2}, {"a": 2, "b": 4}, unit=unit, seed=1),
    "unpaired": lambda unit: unpaired(VALUES[:4], VALUES[4:], unit=unit, seed=1),
}


@pytest.mark.parametrize("name", REFUSING)
@pytest.mark.parametrize("unit", ["message", "turn", "bot"])
def test_what_is_no_replicate_is_refused_everywhere(name: str, unit: str) -> None:
    with pytest.raises(BadInput, match=f"a {unit} is no replicate; take one value a run"):
        REFUSING[name](unit)


@pytest.mark.parametrize("name", REFUSING)
@pytest.mark.parametrize("unit", UNITS)
def test_what_is_a_replicate_is_taken(name: str, unit: str) -> None:
    REFUSING[name](unit)


# Intervals


def test_the_interval_is_scipys_and_the_same_for_the_same_seed() -> None:
    found = interval(VALUES, unit="run", seed=3)
    again, other = interval(VALUES, unit="run", seed=3), interval(VALUES, unit="run", seed=4)
    assert (found.method, found.n) == ("BCa", 8)
    assert found.value == pytest.approx(np.mean(VALUES))
    assert found == again
    assert found != other
    theirs = stats.bootstrap((VALUES,), np.mean, rng=5).confidence_interval
    assert (found.low, found.high) == pytest.approx(tuple(theirs), abs=0.1)


def test_the_interval_of_normal_values_is_near_that_of_student() -> None:
    values = stats.norm.ppf((np.arange(60) + 0.5) / 60)
    found = interval(values, unit="run", seed=1)
    student = stats.t.interval(0.95, 59, loc=0, scale=stats.sem(values))
    assert (found.low, found.high) == pytest.approx(student, abs=0.03)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([], "no replicates"),
        ([1, 2], "fewer than 3 replicates"),
        ([2, 2, 2, 2], "all replicates are the same"),
    ],
)
def test_an_interval_that_cannot_be_has_no_bounds(values: list[float], why: str) -> None:
    found = interval(values, unit="run", seed=1)
    assert (found.low, found.high, found.why) == (None, None, why)


@pytest.mark.parametrize("missing", [nan, inf])
def test_a_missing_replicate_is_not_passed_over_in_silence(missing: float) -> None:
    with pytest.raises(ValueError, match="a value is missing"):
        interval([1, 2, missing], unit="run", seed=1)


def test_turns_that_hang_together_waver_more_in_blocks() -> None:
    waves = [float(at // 10 % 2) for at in range(200)]
    alone, blocks = wavering(waves, block=1, seed=1), wavering(waves, block=20, seed=1)
    jumps = wavering(waves, block=10, seed=1)
    assert alone.low is not None
    assert alone.high is not None
    assert jumps.low is not None
    assert jumps.high is not None
    assert jumps.high - jumps.low > 1.5 * (alone.high - alone.low)
    assert blocks.n == 10
    assert wavering([1, 2, 3], block=2, seed=1).why == "fewer than 3 blocks"


# Effect sizes

few = st.lists(st.integers(-20, 20), min_size=2, max_size=8)


@given(few, few)
def test_cliffs_delta_is_what_mann_and_whitney_count(one: list[float], other: list[float]) -> None:
    u = stats.mannwhitneyu(one, other).statistic if len(set(one + other)) > 1 else None
    delta = cliffs_delta(one, other, unit="run")
    expected = 0.0 if u is None else 2 * u / (len(one) * len(other)) - 1
    assert delta == pytest.approx(expected)
    assert cliffs_delta(other, one, unit="run") == pytest.approx(-expected)


def test_hedges_g_by_hand() -> None:
    one, other = [2.0, 4.0, 6.0], [1.0, 3.0, 5.0]  # both of variance 4: 1 / 2, times 1 - 3 / 15
    assert hedges_g(one, other, unit="run") == pytest.approx(0.5 * (1 - 3 / 15))
    assert hedges_g([1, 1], [2, 2], unit="run") is None


# Tests


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(-9, 9).filter(bool), min_size=2, max_size=6))
def test_a_paired_test_counts_every_way_the_signs_could_fall(differences: list[int]) -> None:
    one = {str(place): float(value) for place, value in enumerate(differences)}
    found = paired(one, dict.fromkeys([*one, "lonely"], 0.0), unit="fork", seed=1)
    means = [
        np.mean([sign * value for sign, value in zip(signs, differences, strict=True)])
        for signs in product((1, -1), repeat=len(differences))
    ]
    at_least = np.mean([abs(mean) >= abs(np.mean(differences)) - 1e-9 for mean in means])
    assert found.p == pytest.approx(min(1.0, at_least), abs=1e-9)
    assert found.n == len(differences)


def test_wilcoxon_is_scipys() -> None:
    one = {str(at): value for at, value in enumerate(VALUES)}
    other = {str(at): value * 0.8 for at, value in enumerate(VALUES)}
    found = paired(one, other, unit="fork", seed=1, by="wilcoxon")
    assert found.p == pytest.approx(stats.wilcoxon(VALUES, list(other.values())).pvalue)


def test_an_a_a_comparison_has_nothing_to_find() -> None:
    arm = {str(at): value for at, value in enumerate(VALUES)}
    assert paired(arm, arm, unit="fork", seed=1) == (None, 8, "no pair differs")
    assert unpaired([1, 1], [1, 1], unit="run", seed=1).why == "all replicates are the same"


def test_arms_far_apart_are_told_apart_and_like_ones_are_not() -> None:
    apart = unpaired([1, 2, 3, 4], [11, 12, 13, 14], unit="run", seed=1)
    alike = unpaired([1, 12, 3, 14], [11, 2, 13, 4], unit="run", seed=1)
    assert apart.p == pytest.approx(2 / 70)
    assert alike.p is not None
    assert alike.p > 0.5


# Corrections

ps = st.lists(st.floats(0, 1), max_size=12)


@given(ps)
def test_corrections_only_raise_p_and_keep_its_order(ps: list[float]) -> None:
    for correct in (holm, benjamini_hochberg):
        corrected = correct(ps)
        assert all(p - 1e-12 <= one <= 1 for p, one in zip(ps, corrected, strict=True))
        ordered = [corrected[at] for at in sorted(range(len(ps)), key=lambda at: ps[at])]
        assert ordered == sorted(ordered)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
