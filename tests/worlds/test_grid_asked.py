"""Who is asked on the grid and when: sleepers, the judge, bots that fail or are lost."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from orchestrator.state import Grant
from tests.scenes import Table
from tests.worlds.grid_played import BODIES, EVERYBODY, Hand, by_rule, go, grid_spec, play
from utils.protocol import Act, Action, HostLost, Pass
from worlds.grid.intents import act


def waiting(grant: Grant) -> Action:
    return act("wait")


def channels(table: Table, kind: str) -> Counter[str]:
    return Counter(event.channel for event in table.events(kind))


# Sleepers


def test_a_sleeper_to_whom_nothing_happens_is_never_asked() -> None:
    table = play(grid_spec(BODIES, sleepers=["dot"]), waiting)
    assert channels(table, "granted") == {"do-ada": 60, "do-bo": 60, "do-cy": 60}


def near_a_sleeper(**settings: Any) -> Hand:
    """Put ada where dot, asleep, hears it, and bo and cy far off."""
    cells = {"ada": (2, 2), "dot": (3, 3), "bo": (7, 5), "cy": (2, 5)}
    return Hand(cells, [(2, 2), (2, 5)], sleepers=["dot"], **settings)


def test_a_sleeper_wakes_at_words_at_a_gift_and_at_somebody_who_walks_near() -> None:
    for do, how in (("say", {"text": "Up!"}), ("move", {"way": "e"}), ("give", {"to": "dot"})):
        hand = near_a_sleeper()
        assert not hand.is_asked("dot")
        hand.means("ada", "take").means("cy", "take").step()
        assert not hand.is_asked("dot")
        hand.means("ada", do, **how).step()
        assert hand.is_asked("dot")
        hand.means("dot", "wait")
        assert not hand.is_asked("dot")
        hand.step()
        assert not hand.is_asked("dot")


def test_a_sleeper_sleeps_on_when_things_happen_out_of_its_reach() -> None:
    hand = near_a_sleeper()
    for do, how in (("say", {"text": "Up!"}), ("move", {"way": "w"})):
        hand.means("bo", do, **how).means("cy", do, **how).step()
        assert not hand.is_asked("dot")


def test_what_happens_while_a_sleeper_answers_wakes_it_again_afterwards() -> None:
    hand = near_a_sleeper()
    hand.means("ada", "say", text="Up!").step()
    hand.means("dot", "wait").means("ada", "say", text="I mean it!").step()
    assert hand.is_asked("dot")


def test_a_sleeper_among_foragers_is_called_for_what_happens_and_not_for_more() -> None:
    table = play(grid_spec(BODIES, sleepers=["dot"], reach=1, sight=2))
    called = channels(table, "granted")
    assert 0 < called["do-dot"] < called["do-ada"] == 60
    assert called == channels(table, "acted")


# The judge


@pytest.mark.parametrize("pace", ["free", "realtime"])
@pytest.mark.parametrize("judge_ms", [1, 450])
def test_every_exchange_is_scored_once_and_the_run_waits_for_the_last(
    pace: str, judge_ms: int
) -> None:
    def latency_ms(grant: Grant) -> int:
        return judge_ms if grant.event.bot == "judge" else 1

    table = play(grid_spec(pace=pace, width=4, height=3), latency_ms=latency_ms)
    numbers = [event.model_extra["number"] for event in table.events("grid.exchanged")]
    judged = [event.model_extra["exchange"] for event in table.events("grid.judged")]
    assert len(numbers) > 10
    assert judged == numbers == [*range(1, len(numbers) + 1)]
    scores = [event.model_extra["score"] for event in table.events("grid.judged")]
    assert scores == [event.value for event in table.events("measured")]
    assert table.events("ended")[0].detail == "60 steps"


def test_a_slow_judge_changes_no_body() -> None:
    def latency_ms(grant: Grant) -> int:
        return 450 if grant.event.bot == "judge" else 1

    slow = play(grid_spec(pace="realtime"), latency_ms=latency_ms).state.world
    quick = play(grid_spec(pace="realtime")).state.world
    assert slow.land == quick.land


def test_gifts_are_judged_by_what_they_were_worth() -> None:
    table = play(grid_spec(items=6, decay=0.4))
    gifts = {
        event.model_extra["number"]: event.model_extra["energy"]
        for event in table.events("grid.exchanged")
        if event.model_extra["sort"] == "gift"
    }
    scored = {event.model_extra["exchange"]: event for event in table.events("grid.judged")}
    assert gifts
    for number, energy in gifts.items():
        assert scored[number].model_extra["score"] == 1 - energy / 10


@pytest.mark.parametrize(
    "answer",
    [
        Pass(why="no"),
        Act(name="judge", args={"score": 2}),
        Act(name="judge", args={"score": True}),
        Act(name="judge", args={}),
        Act(name="judge", args=0.5),
    ],
)
def test_a_judge_that_gives_no_score_measures_nothing_and_holds_nothing_up(answer: Action) -> None:
    def no_score(grant: Grant) -> Action:
        return answer if grant.event.bot == "judge" else by_rule(grant)

    table = play(grid_spec(), no_score)
    scores = [event.model_extra["score"] for event in table.events("grid.judged")]
    assert scores == [None] * len(table.events("grid.exchanged"))
    assert scores
    assert not table.events("measured")


def test_a_judge_whose_mind_fails_is_asked_again_as_often_as_the_scenario_says() -> None:
    table = Table(grid_spec()).begin()
    while not any(grant.event.bot == "judge" for grant in table.state.live()):
        _answer_bodies(table)
    tries = []
    while not table.events("grid.judged"):
        (grant,) = (one for one in table.state.live() if one.event.bot == "judge")
        tries.append((grant.event.tries, grant.ask.model_dump_json()))
        table.fail(grant)
    assert [number for number, _ in tries] == [0, 1, 2]
    assert len({ask for _, ask in tries}) == 1
    assert table.events("grid.judged")[0].model_extra["score"] is None


def test_a_run_ends_without_a_judge_that_no_host_serves_and_says_what_is_left() -> None:
    table = Table(grid_spec(pace="realtime")).begin()
    go(table, to_ms=table.now_ms + 1_000)
    table.notice(HostLost(host="host-judge"))

    def latency_ms(grant: Grant) -> int:
        return 10**6 if grant.event.bot == "judge" else 1

    table.play(by_rule, latency_ms=latency_ms)
    (ended,) = table.events("ended")
    left = len(table.events("grid.exchanged")) - len(table.events("grid.judged"))
    assert left > 0
    assert ended.detail == f"60 steps, {left} exchanges not judged"


def test_without_a_judge_nothing_is_kept_for_one() -> None:
    table = play(grid_spec(BODIES))
    assert table.events("grid.exchanged")
    assert table.state.world.unjudged == ()


# Failing and lost


def test_a_body_whose_mind_fails_is_asked_again_after_the_next_step() -> None:
    table = Table(grid_spec(BODIES)).begin()
    (ada,) = (grant for grant in table.state.live() if grant.event.bot == "ada")
    table.fail(ada)
    assert "ada" not in {grant.event.bot for grant in table.state.live()}
    _answer_bodies(table)
    assert table.state.world.tick == 1
    assert "ada" in {grant.event.bot for grant in table.state.live()}


def test_a_body_that_passes_waits() -> None:
    table = play(grid_spec(BODIES), lambda grant: Pass(why="tired"))
    assert len(table.events("passed")) == 240
    assert all(event.model_extra["did"] == {} for event in table.events("grid.stepped"))


def test_a_lost_body_stands_still_and_is_asked_again_once_it_is_seated() -> None:
    table = Table(grid_spec(EVERYBODY, pace="realtime")).begin()
    table.notice(HostLost(host="host-ada"))

    def latency_ms(grant: Grant) -> int:
        return 10**6 if not table.state.seats[grant.event.bot].host else 1

    go(table, to_ms=table.now_ms + 2_050, latency_ms=latency_ms)
    assert [event.reason for event in table.events("revoked")] == ["lost"]
    assert channels(table, "granted")["do-ada"] == 1
    assert channels(table, "acted")["do-bo"] == 21
    table.join("ada")
    go(table, to_ms=table.now_ms + 1_000, latency_ms=latency_ms)
    assert channels(table, "acted")["do-ada"] == 11


def test_a_lost_body_whose_host_is_back_in_time_makes_no_difference_in_free() -> None:
    table = Table(grid_spec(allow_s=5)).begin()
    table.notice(HostLost(host="host-ada"))
    table.join("ada", host="host-new")
    table.play(by_rule)
    assert table.state.world == play(grid_spec(allow_s=5)).state.world


def _answer_bodies(table: Table) -> None:
    """Answer what is asked of bodies, and take the step."""
    for grant in table.state.live():
        if grant.event.bot != "judge":
            table.propose(grant, action=by_rule(grant).model_dump())
    go(table, to_ms=table.now_ms, latency_ms=lambda grant: 10**6)
