"""Every metric there is, held to what it says of itself: one test a property, over the registry."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analytics.catalogue import metric, metrics
from analytics.metrics.frames import Frames
from analytics.metrics.seam import Metric, Reading, readings
from analytics.tables import TABLES
from tests.analytics.measured import BOTS, Line, frames_of, met, read, told
from utils import plugins

ALL = metrics()
WORDS = ("tea", "sugar", "milk", "good", "terrible", "Ada", "bo", "Cy,", "is", "a", "town.", "why?")
texts = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
lines = st.lists(st.tuples(st.sampled_from([*BOTS, None]), texts), max_size=25)
slow = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
every = pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)

LONG: list[Line] = [
    (None, "What is a town for?"),
    *(
        (BOTS[at % 3], f"Well, {BOTS[at % 2]}, {WORDS[at % 5]} is good for {at} towns.")
        for at in range(24)
    ),
]
SAME_TWICE = {
    *("participation_gini", "participation_entropy", "message_share", "word_share"),
    *("latency_median_ms", "sentiment_mean", "reading_ease", "reading_grade", "answer_median_ms"),
    *("named_by", "names", "address_betweenness", "address_reciprocity"),
}
"""Metrics that do not change when everything is said a second time."""


def of(frames: Frames, one: Metric) -> dict[tuple[object, ...], float | None]:
    """Map what a reading is of to its value; those of one turn and channel are numbered."""
    values: dict[tuple[object, ...], float | None] = {}
    for reading in readings(one, frames):
        where = (reading.scope, reading.channel, reading.bot, reading.other, reading.at)
        values[where] = reading.value
    return values


def same(one: dict[tuple[object, ...], float | None], other: object) -> bool:
    return one == pytest.approx(other, abs=1e-9)


def shuffled(frames: Frames, seed: int) -> Frames:
    mixed = {
        table: frames[table].sample(frac=1, random_state=seed)
        for table in TABLES
        if len(frames[table])
    }
    return Frames({**{table: frames[table] for table in TABLES}, **mixed})


@every
def test_a_metric_names_its_columns_and_says_what_it_is(one: Metric) -> None:
    assert one.unit
    assert one.meaning.endswith(".")
    assert "Empty" in one.meaning
    assert one.source
    for table, columns in one.tables.items():
        assert set(columns) <= {column.name for column in TABLES[table]}
        assert table in one.source or table == "bots"


@every
@given(said=lines)
@example(said=[])
@example(said=LONG)
@slow
def test_values_are_in_range_of_the_scopes_it_says_and_never_silently_none(
    one: Metric, said: list[Line]
) -> None:
    for reading in read(one, frames_of(said)):
        assert (reading.value is None) == bool(reading.why)
        assert reading.value is None or math.isfinite(reading.value)


@every
@pytest.mark.parametrize("said", [[], [(None, "An opening.")]], ids=["empty", "opening"])
def test_a_run_in_which_nobody_spoke_has_no_value_but_a_reason(
    one: Metric, said: list[Line]
) -> None:
    for reading in read(one, frames_of(said)):
        assert reading.value is None
        assert reading.why


@every
def test_only_the_columns_it_names_are_read(one: Metric) -> None:
    whole = frames_of(LONG, world_events=game())
    narrow = Frames({table: whole[table][list(columns)] for table, columns in one.tables.items()})
    assert same(of(narrow, one), of(whole, one))


@every
@given(said=lines, seed=st.integers(0, 99))
@example(said=LONG, seed=1)
@slow
def test_the_order_of_rows_is_nothing(one: Metric, said: list[Line], seed: int) -> None:
    frames = frames_of(said, world_events=game())
    assert same(of(shuffled(frames, seed), one), of(frames, one))


@every
@given(said=lines)
@example(said=LONG)
@slow
def test_what_bots_are_called_is_nothing(one: Metric, said: list[Line]) -> None:
    called = {"ada": "zoe", "bo": "yan", "cy": "wim"}  # each one syllable group as before
    if one.family in ("readability", "attractors"):
        called = {"ada": "ida", "bo": "jo", "cy": "vy"}

    def renamed(text: str) -> str:
        return re.sub(r"\b(ada|bo|cy)\b", lambda name: called[name[0].lower()], text, flags=re.I)

    again = [(called.get(bot or "", bot), renamed(text)) for bot, text in said]
    before = of(frames_of(said, world_events=game()), one)
    events = game([called[bot] for bot in BOTS])
    after = of(frames_of(again, bots=list(called.values()), world_events=events), one)
    named = {
        (scope, channel, called.get(str(bot), bot), called.get(str(other), other), at): value
        for (scope, channel, bot, other, at), value in before.items()
    }
    assert same(after, named)


@pytest.mark.parametrize("name", sorted(SAME_TWICE))
@given(said=lines)
@example(said=LONG)
@slow
def test_saying_everything_twice_changes_no_share_and_no_mean(name: str, said: list[Line]) -> None:
    one, twice = metric(name), told([*said, *said])
    turns = told(said)["turns"]  # those of the second half took as long as the first
    twice["turns"] = pd.concat([turns, turns], ignore_index=True)
    once = of(frames_of(said), one)
    again = Frames({**{table: frames_of([])[table] for table in TABLES}, **twice})
    assert same(of(again, one), once)


def test_saying_everything_twice_halves_what_is_distinct() -> None:
    for name in ("distinct_1", "distinct_2", "distinct_3", "type_token_ratio"):
        (once, *_), (twice, *_) = (
            read(metric(name), frames_of([line for _ in range(times) for line in LONG]))
            for times in (1, 2)
        )
        assert once.value is not None
        assert twice.value == pytest.approx(once.value / 2)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("participation_gini", "one bot"),
        ("participation_entropy", "one bot"),
        ("similarity", "one bot"),
        ("named", "one bot"),
        ("names", "one bot"),
        ("address_reciprocity", "one bot"),
        ("similarity_embedded", "no embeddings"),
    ],
)
def test_one_bot_alone_has_no_share_and_no_network(name: str, why: str) -> None:
    (reading,) = read(
        metric(name), frames_of([("ada", "Well, ada."), ("ada", "Yes.")], bots=["ada"])
    )
    assert (reading.value, reading.why) == (None, why)


# The door


def test_every_entry_point_is_a_metric_of_that_name() -> None:
    assert [one.name for one in ALL] != []
    assert sorted(one.name for one in ALL) == plugins.names("parley.metrics")


def wrong(compute: Iterable[Reading]) -> Metric:
    return Metric("odd", "odd", ("run",), "none", 0, 1, "", "", {}, lambda frames, seed: compute)


def test_a_metric_that_leaves_its_range_or_its_scope_is_found_out() -> None:
    frames = frames_of(LONG)
    with pytest.raises(ValueError, match="2 is not 0 to 1"):
        read(wrong([Reading("run", 2)]), frames)
    with pytest.raises(ValueError, match="scope 'bot'"):
        read(wrong([Reading("bot", 1)]), frames)


def test_a_metric_that_gives_nothing_or_no_number_has_no_value() -> None:
    frames = frames_of(LONG)
    assert read(wrong([]), frames) == [Reading("run", None, "nothing to measure")]
    assert read(wrong([Reading("run", math.nan)]), frames) == [Reading("run", None, "not a number")]


def game(bots: Iterable[str] = BOTS) -> pd.DataFrame:
    one, two, three = bots
    pairs = [(one, two), (two, three), (three, one)] * 5
    return met(
        [
            (speaker, hearer, "F", "F" if at > 1 else "J")
            for at, (speaker, hearer) in enumerate(pairs)
        ]
    )
