"""Metrics of whole courses, against lines and games worked by hand, and published data."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.catalogue import metric
from analytics.metrics import agreement
from analytics.metrics.attractors import attractor
from analytics.metrics.frames import Frames
from analytics.metrics.time_to_event import kaplan_meier, median_time
from tests.analytics.measured import frames_of, met, read

# Attractors


@given(
    slope=st.floats(-0.9, 0.9),
    intercept=st.floats(-50, 50),
    initial=st.lists(st.integers(0, 100), min_size=3, max_size=9, unique=True),
)
def test_the_attractor_is_where_the_line_meets_the_diagonal(
    slope: float, intercept: float, initial: list[int]
) -> None:
    found = attractor(initial, [intercept + slope * one for one in initial])
    assert found.strength.value == pytest.approx(1 - abs(slope), abs=1e-6)
    position = found.position.value
    assert position is not None
    assert intercept + slope * position == pytest.approx(position, abs=1e-4)


@pytest.mark.parametrize(
    ("initial", "final", "why"),
    [
        ([1, 2], [1, 2], "fewer than 3 chains"),
        ([2, 2, 2], [1, 2, 3], "all chains start alike"),
        ([1, 2, 3], [2, 3, 4], "nothing draws: the slope is 1"),
    ],
)
def test_an_attractor_that_is_not_there_says_why(
    initial: list[float], final: list[float], why: str
) -> None:
    assert attractor(initial, final).position == (None, why)


# Agreement


def rounds(words: Sequence[str], *, disagreeing: int = 0) -> list[tuple[str, str, str, str]]:
    return [
        ("ada", "bo", word, "odd" if at < disagreeing else word) for at, word in enumerate(words)
    ]


def test_consensus_comes_with_the_last_of_three_rounds_on_one_word() -> None:
    words = [*"FFFF", *"JJJJJJ", "F"]
    found = agreement.consensus(agreement.encounters(met(rounds(words))), 2)
    assert found == (10, "J")
    late = agreement.encounters(met(rounds("FFFFFFFF", disagreeing=3)))
    assert agreement.consensus(late, 2) is None


def test_success_is_by_full_rounds_and_first_choices_by_bot() -> None:
    game = met([("ada", "bo", "F", "J"), ("bo", "ada", "F", "F"), ("cy", "bo", "F", "F")] * 2)
    frames = frames_of([], world_events=game)
    values = [one.value for one in read(metric("agreement_success"), frames)]
    assert values == pytest.approx([2 / 3, 2 / 3])
    (first,) = read(metric("first_choice_share"), frames)
    assert first.value == pytest.approx(2 / 3)


def test_runs_that_did_not_agree_count_as_not_yet() -> None:
    games = [met(rounds("F" * 6), run="a"), met(rounds("J" * 8), run="b")]
    games.append(met(rounds("F" * 9, disagreeing=8), run="c"))
    bots = pd.DataFrame([{"run_id": run, "bot": bot} for run in "abc" for bot in ("ada", "bo")])
    frames = Frames({"world_events": pd.concat(games, ignore_index=True), "bots": bots})
    (median,) = read(metric("agreement_time_median"), frames)
    assert median.value == 6
    (bias,) = read(metric("collective_bias"), frames)
    assert bias.value == pytest.approx(1 / 2 - 1 / 3)  # F once, J once, of F, J and odd
    (pending,) = read(metric("agreement_pending"), frames)
    assert (pending.at, pending.value) == pytest.approx((6, 1 / 3))


# Time to an event


def test_kaplan_and_meier_on_the_leukemia_patients_of_freireich() -> None:
    came = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    left = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    found = kaplan_meier([*came, *left], [True] * len(came) + [False] * len(left))
    assert list(found.times) == [6, 7, 10, 13, 16, 22, 23]
    published = [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert found.share == pytest.approx(published, abs=0.0005)
    assert median_time(found).value == 23


def test_nobody_waits_where_nothing_ever_came() -> None:
    assert median_time(kaplan_meier([1, 2], [False, False])).why == "it never came"
    few = kaplan_meier([1, 2, 3], [True, False, False])
    assert median_time(few).why == "it came for fewer than half"
    with pytest.raises(ValueError, match="2 times, but 1"):
        kaplan_meier([1, 2], [True])
