"""What a run measured of its talk is what its dataset gives."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.catalogue import metric
from analytics.metrics.frames import Frames
from analytics.tables import TABLES
from tests.analytics.measured import read
from tests.analytics.recorded import Recorded, tables
from tests.scenes import spec_of
from utils.spec import Spec

LIVE = (
    *("messages", "participation_gini", "participation_entropy", "words_mean_last_3"),
    *("distinct_1_last_2", "distinct_2_last_4", "distinct_3_last_3", "self_repetition_last_5"),
)
texts = st.lists(st.sampled_from("to be or not, Ada! it's".split()), min_size=1, max_size=8)
talks = st.lists(texts.map(" ".join), min_size=1, max_size=12)


def run_of(said: Sequence[str], measures: Sequence[str], policy: str) -> Frames:
    """Let bots say this, turn by turn, and fold the record into tables."""
    spec = spec_of(policy=policy, turns=None)
    spec = Spec.model_validate({**dict(spec), "measures": tuple(measures)})
    recorded = Recorded(spec).begin()
    for text in said:
        recorded.table.propose(recorded.table.state.live()[0], text=text)
    rows = tables(recorded)
    return Frames(
        {
            table: pd.DataFrame(rows.get(table, []), columns=["run_id", *(c.name for c in of[1:])])
            for table, of in TABLES.items()
        }
    )


@settings(max_examples=25, deadline=None)
@given(talks, st.sampled_from(["round_robin", "random", "simultaneous", "addressed"]))
def test_what_was_measured_live_is_what_the_dataset_gives(said: list[str], policy: str) -> None:
    frames = run_of(said, LIVE, policy)
    (error,) = read(metric("live_error"), frames)
    if frames["measures"].empty:
        assert error.why == "the run measured nothing of its talk"
    else:
        assert error.value == pytest.approx(0, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(talks)
def test_the_last_live_value_is_the_metric_of_the_whole_run(said: list[str]) -> None:
    whole = {"messages": "messages", "participation_gini": "participation_gini"}
    whole["participation_entropy"] = "participation_entropy"
    if len(said) > 1:  # a window over all there is
        names = ("words_mean", "distinct_1", "distinct_2", "distinct_3", "self_repetition")
        whole |= {f"{name}_last_{len(said)}": name for name in names}
    frames = run_of(said, list(whole), "round_robin")
    taken = frames["measures"]
    for live, name in whole.items():
        values = taken[taken["name"].eq(live)]["value"].tolist()
        (found, *_) = read(metric(name), frames)
        assert (values[-1] if values else None) == pytest.approx(found.value)


def test_a_value_that_was_changed_is_found() -> None:
    frames = run_of(["to be", "or not"], ["messages"], "round_robin")
    taken = frames["measures"].assign(value=frames["measures"]["value"] + 0.5)
    changed = Frames({name: taken if name == "measures" else frames[name] for name in TABLES})
    (error,) = read(metric("live_error"), changed)
    assert error.value == 0.5


def test_a_value_where_there_is_none_is_found() -> None:
    frames = run_of(["to be", "or not"], ["messages"], "round_robin")
    taken = frames["measures"].assign(name="distinct_1_last_9")
    changed = Frames({name: taken if name == "measures" else frames[name] for name in TABLES})
    (error,) = read(metric("live_error"), changed)
    assert (error.value, error.why) == (None, "a value was taken where there is none")
