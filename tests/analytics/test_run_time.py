"""Run time leaves out pauses, in every table and on every screen."""

from __future__ import annotations

import pytest

from analytics.observer.pace import left_ms, paused, turns_per_minute
from analytics.stopwatch import Stopwatch
from tests.analytics.recorded import Recorded, pick, record_of, tables
from tests.analytics.shown import view_of
from tests.scenes import Table, spec_of
from utils import keys
from utils.spec import EndSpec


def tell(table: Table, kind: str, **said: object) -> None:
    table.say({"kind": kind, "author": "anna", "nonce": table.nonce(), **said})


def at_table(turns: int = 10, end: EndSpec | None = None) -> Table:
    return Table(spec_of(turns=turns, end=end)).begin()


def talk(table: Table, turns: int, *, each_ms: int = 3_000) -> None:
    for _ in range(turns):
        table.now_ms += each_ms
        table.propose()


# the stopwatch


def test_a_pause_while_paused_keeps_its_first_time_and_a_resume_without_one_does_nothing() -> None:
    time = Stopwatch()
    time.begin(0)
    time.resume(50)
    time.pause(100)
    time.pause(150)
    time.resume(300)
    assert [time.run_ms(at_ms) for at_ms in (50, 100, 200, 300, 400)] == [50, 100, 100, 100, 200]


def test_any_moment_of_the_past_can_be_asked_for() -> None:
    time = Stopwatch()
    time.begin(1_000)
    for start in (1_100, 1_300, 1_500):
        time.pause(start)
        time.resume(start + 100)
    time.pause(1_700)
    seen = [time.run_ms(at_ms) for at_ms in range(1_000, 1_900, 50)]
    ran = [0, 50, 100, 100, 100, 150, 200, 200, 200, 250, 300, 300, 300, 350, 400, 400, 400, 400]
    assert seen == ran
    assert time.paused_ms(1_900) == 500


def test_before_a_run_has_begun_there_is_no_run_time() -> None:
    assert Stopwatch().run_ms(7) is None


# the tables


def test_run_time_leaves_out_a_pause_and_journal_time_does_not() -> None:
    run = Recorded(spec_of(turns=4)).begin().talk(1)
    tell(run.table, "pause")
    run.say("While it was paused.", after_ms=5_000)
    run.table.now_ms += 5_000
    tell(run.table, "resume")
    run.talk(2)
    rows = tables(run)
    assert pick(rows["messages"], "run_ms") == [(0,), (10,), (10,), (20,), (30,)]
    assert [row["run_ms"] for row in rows["turns"]] == [0, 10, 10, 20]
    assert pick(rows["turns"], "latency_ms") == [(10,), (5_000,), (10,), (10,)]
    assert pick(rows["interventions"], "verb", "run_ms") == [("pause", 10), ("resume", 10)]


def test_the_run_says_how_long_it_took_and_how_long_it_was_paused() -> None:
    run = Recorded(spec_of(turns=3)).begin().talk(2)
    tell(run.table, "pause")
    run.table.now_ms += 7_000
    (row,) = tables(run)["runs"]
    assert pick([row], "took_ms", "paused_ms") == [(None, 0)]
    tell(run.table, "stop")
    (row,) = tables(run)["runs"]
    assert pick([row], "took_ms", "paused_ms") == [(20, 7_000)]


def test_a_call_made_before_a_pause_keeps_its_run_time() -> None:
    run = Recorded().begin()
    grant = run.table.grant
    for at_ms in (400, 1_500, 3_000):
        body = record_of(run.run, grant, attempt=at_ms).model_dump_json()
        run.streams._redis.xadd(keys.calls(run.run), {"b": body}, id=f"{1_000_000 + at_ms}-0")
    run.table.now_ms += 1_000
    tell(run.table, "pause")
    run.table.now_ms += 1_000
    tell(run.table, "resume")
    assert pick(tables(run)["calls"], "run_ms") == [(400,), (1_000,), (2_000,)]


# the screens


def test_the_pace_of_a_run_leaves_out_its_pauses() -> None:
    table = at_table()
    talk(table, 3)
    tell(table, "pause")
    table.now_ms += 600_000
    paused_view = view_of(table)
    assert turns_per_minute(paused_view, table.now_ms) == 20
    tell(table, "resume")
    talk(table, 2)
    view = view_of(table)
    assert turns_per_minute(view, table.now_ms) == 20
    assert left_ms(view, table.now_ms) == 15_000


def test_turns_that_were_stepped_are_no_pace() -> None:
    table = at_table(turns=8)
    talk(table, 2)
    tell(table, "step", turns=3)
    talk(table, 3, each_ms=1)
    view = view_of(table)
    assert (view.turns, view.stepped, view.is_paused) == (5, 3, True)
    assert turns_per_minute(view, table.now_ms) == 20
    tell(table, "resume")
    talk(table, 3)
    view = view_of(table)
    assert view.phase == "ended"
    assert turns_per_minute(view, table.now_ms) == 20


def test_the_minutes_of_a_run_stand_still_in_a_pause() -> None:
    table = at_table(end=EndSpec(minutes=1, turns=1_000))
    table.now_ms += 15_000
    tell(table, "pause")
    assert left_ms(view_of(table), table.now_ms + 99_000) == 45_000
    table.now_ms += 99_000
    tell(table, "resume")
    assert left_ms(view_of(table), table.now_ms) == 45_000


@pytest.mark.parametrize(
    ("steps", "said"), [(2, "paused, 2 turns may yet close"), (1, "paused, 1 turn may yet close")]
)
def test_a_pause_says_how_long_it_is_or_what_may_yet_close(steps: int, said: str) -> None:
    table = at_table()
    tell(table, "step", turns=steps)
    assert paused(view_of(table), table.now_ms) == said
    talk(table, steps, each_ms=6_000)
    assert paused(view_of(table), table.now_ms) == f"paused for {6 * steps} s"
