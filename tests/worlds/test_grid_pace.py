"""The grid in time: `free` is `realtime` without the waiting; late is not stale; pauses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.state import Grant
from tests.scenes import Table
from tests.worlds.grid_played import (
    BODIES,
    by_rule,
    go,
    grid_events,
    grid_spec,
    hash_of,
    play,
)
from utils.protocol import Action
from utils.seeds import Chance
from worlds.grid.intents import act

TICK_MS = 100


def quick(grant: Grant) -> int:
    """Answer within a step, every bot after another while."""
    return 1 + grant.event.seed % (TICK_MS - 2)


def slow(bot: str, after_ms: int) -> Callable[[Grant], int]:
    """Let one bot take that long, the others no time."""
    return lambda grant: after_ms if grant.event.bot == bot else 1


def talking(grant: Grant) -> Action:
    """Let every body say which turn this is."""
    return act("say", text=f"turn {grant.event.turn}")


def deeds(table: Table, bot: str) -> dict[int, dict[str, Any]]:
    """Map each step to what a body did in it, if it did anything."""
    stepped = [event.model_extra for event in table.events("grid.stepped")]
    return {one["tick"]: one["did"][bot] for one in stepped if bot in one["did"]}


def of(table: Table, kind: str, bot: str) -> list[Any]:
    return [event for event in table.events(kind) if event.bot == bot]


@pytest.mark.parametrize("seed", range(8))
def test_free_comes_to_the_same_as_realtime_when_no_answer_is_late(seed: int) -> None:
    given: dict[str, Any] = {"seed": seed, "sleepers": ["dot"], "decay": 0.2}
    real = play(grid_spec(pace="realtime", **given), latency_ms=quick)
    assert not real.events("fell_back")
    assert real.events("grid.judged")
    for pace in ("free", "turns"):
        free = play(grid_spec(pace=pace, **given), latency_ms=quick)
        assert hash_of(free.state.world) == hash_of(real.state.world)
        assert grid_events(free.events()) == grid_events(real.events())


def test_realtime_keeps_to_the_clock_and_free_does_not() -> None:
    took_ms = {}
    for pace, scale in (("realtime", 1.0), ("realtime", 10.0), ("free", 1.0)):
        table = play(grid_spec(BODIES, pace=pace, scale=scale, ticks=20))
        took_ms[pace, scale] = table.state.at_ms - table.journal[0].commit.at_ms
    assert took_ms == {("realtime", 1.0): 2_000, ("realtime", 10.0): 200, ("free", 1.0): 20}


def test_one_late_answer_is_enough_to_make_a_difference() -> None:
    def late_once(grant: Grant) -> int:
        return 150 if (grant.event.bot, grant.event.turn) == ("ada", 9) else quick(grant)

    real = play(grid_spec(pace="realtime"), latency_ms=late_once)
    free = play(grid_spec(), latency_ms=late_once)
    assert [event.bot for event in real.events("fell_back")] == ["ada"]
    assert not free.events("fell_back")
    assert hash_of(real.state.world) != hash_of(free.state.world)


@pytest.mark.parametrize("late", [1, 2, 3, 4, 5])
def test_an_answer_up_to_five_steps_late_is_welcome_and_done_in_the_next_step(late: int) -> None:
    table = Table(grid_spec(BODIES, pace="realtime", ticks=30)).begin()
    table.play(talking, latency_ms=slow("ada", late * TICK_MS + 50))
    asked = [event.due_ms // TICK_MS for event in of(table, "granted", "ada")]
    told = deeds(table, "ada")
    assert asked[:3] == [1, 2 + late, 3 + 2 * late]
    assert list(told) == [first + late for first in asked if first + late <= 30]
    assert {deed["late"] for deed in told.values()} == {late}
    assert not [event for event in of(table, "revoked", "ada") if event.reason == "deadline"]
    assert len(of(table, "acted", "bo")) == 30
    assert list(deeds(table, "bo")) == [*range(1, 31)]


def test_an_answer_beyond_the_allowance_is_revoked_and_the_others_go_on() -> None:
    table = Table(grid_spec(BODIES, pace="realtime", ticks=30)).begin()
    table.play(talking, latency_ms=slow("ada", 601))
    assert not of(table, "acted", "ada")
    assert not deeds(table, "ada")
    assert {event.reason for event in of(table, "revoked", "ada")} <= {"deadline", "ended"}
    assert [event.due_ms for event in of(table, "granted", "ada")] == [
        100 + 600 * turn for turn in range(5)
    ]
    assert len(of(table, "acted", "bo")) == 30


@pytest.mark.parametrize("after_ms", [150, 350, 601, 5_000])
def test_the_fallback_acts_once_for_every_grant_that_is_late_and_for_no_other(
    after_ms: int,
) -> None:
    table = Table(grid_spec(BODIES, pace="realtime", ticks=30)).begin()
    table.play(talking, latency_ms=slow("ada", after_ms))
    fallen = Counter(event.epoch for event in table.events("fell_back"))
    assert fallen == Counter(event.epoch for event in of(table, "granted", "ada"))
    assert {event.action.args["do"] for event in table.events("fell_back")} == {"wait"}


def test_whatever_comes_late_the_steps_keep_their_time() -> None:
    chance = Chance(3)
    table = Table(grid_spec(pace="realtime", ticks=50)).begin()
    table.play(by_rule, latency_ms=lambda grant: chance.below(900, "late", grant.event.epoch))
    began = next(one.commit.at_ms for one in table.journal if _holds(one.commit.events, "gathered"))
    steps = [one.commit.at_ms for one in table.journal if _holds(one.commit.events, "grid.stepped")]
    assert steps == [began + TICK_MS * tick for tick in range(1, 51)]


def test_while_a_run_is_paused_world_time_stands_still_and_then_goes_on_as_before() -> None:
    table = Table(grid_spec(pace="realtime", ticks=40)).begin()
    start_ms = table.now_ms
    go(table, to_ms=start_ms + 1_050)
    assert (table.state.world.tick, table.state.world_ms) == (10, 1_000)
    table.say({"kind": "pause", "author": "person-1", "nonce": "p"})
    go(table, to_ms=start_ms + 61_050)
    assert (table.state.world.tick, table.state.world_ms) == (10, 1_000)
    assert not table.state.live()
    resumed_ms = table.now_ms
    table.say({"kind": "resume", "author": "person-1", "nonce": "r"})
    go(table, to_ms=resumed_ms + 1_000)
    assert (table.state.world.tick, table.state.world_ms) == (20, 2_000)
    table.play(by_rule)
    after = [
        one.commit.at_ms - resumed_ms
        for one in table.journal
        if one.commit.at_ms >= resumed_ms and _holds(one.commit.events, "woke")
    ]
    assert after == [TICK_MS * tick for tick in range(1, 31)]
    assert len(of(table, "acted", "bo")) == 40


def test_a_pause_changes_nothing_but_the_time() -> None:
    paused = Table(grid_spec(pace="realtime")).begin()
    go(paused, to_ms=paused.now_ms + 730, latency_ms=quick)
    paused.say({"kind": "pause", "author": "person-1", "nonce": "p"})
    go(paused, to_ms=paused.now_ms + 9_999, latency_ms=quick)
    paused.say({"kind": "resume", "author": "person-1", "nonce": "r"})
    paused.play(by_rule, latency_ms=quick)
    straight = play(grid_spec(pace="realtime"), latency_ms=quick)
    assert hash_of(paused.state.world) == hash_of(straight.state.world)


def _holds(events: Any, kind: str) -> bool:
    return any(event.kind == kind for event in events)
