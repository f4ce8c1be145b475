"""What the tables of bots and runs count."""

from __future__ import annotations

from collections import Counter

import pytest

from analytics.rows.bots import quantile
from tests.analytics.recorded import Recorded, pick, tables
from tests.scenes import spec_of
from utils.protocol import DeadlinePassed
from utils.spec import ChannelSpec, FloorSpec

# bots


def test_a_bot_received_what_others_said_where_it_heard_and_the_openings() -> None:
    run = Recorded(spec_of(turns=6)).begin().talk(6)
    assert pick(tables(run)["bots"], "bot", "said", "received") == [
        ("ada", 2, 5),
        ("bo", 2, 5),
        ("cy", 2, 5),
    ]


def test_a_bot_received_nothing_from_beyond_its_neighbours() -> None:
    spec = spec_of(["ada", "bo", "cy", "dee"], hears="neighbours", turns=4)
    run = Recorded(spec).begin().talk(4)
    assert pick(tables(run)["bots"], "received") == [(3,), (3,), (3,), (3,)]


def test_a_bot_in_two_channels_received_from_both() -> None:
    channels = [
        ChannelSpec(name="one", members=("ada", "bo"), turns=1),
        ChannelSpec(name="two", members=("bo", "cy"), turns=1, policy="addressed"),
    ]
    run = Recorded(spec_of(channels=channels, turns=None)).begin()
    while run.table.state.live():
        run.table.propose(run.table.state.live()[0])
    assert pick(tables(run)["bots"], "said", "received") == [(1, 0), (1, 1), (0, 1)]


def test_own_ignored_counts_messages_whose_addressee_did_not_speak_next() -> None:
    run = Recorded(spec_of(turns=9)).begin()
    run.say("Cy, are you there?")  # ada; bo speaks next
    run.say("Cy, are you?")  # bo; cy speaks next
    run.say("I am.")  # cy
    run.say("Cy?")  # ada; nobody speaks after it
    assert pick(tables(run)["bots"], "addressed", "own_ignored") == [(2, 1), (1, 0), (0, 0)]


def test_a_bot_that_is_asked_in_a_round_speaks_next_in_the_next_round() -> None:
    run = Recorded(spec_of(policy="simultaneous")).begin()
    for text in ("Bo?", "Cy?", "Nobody."):
        grant = run.table.state.live()[0]
        run.table.propose(grant, text)
    for grant in run.table.state.live()[:2]:
        run.table.propose(grant)
    run.table.propose(run.table.state.live()[0], action={"kind": "pass"})
    assert pick(tables(run)["bots"], "addressed", "own_ignored") == [(1, 0), (1, 1), (0, 0)]


def test_grants_of_a_bot_add_up() -> None:
    run = Recorded(spec_of(floor=FloorSpec(tries=2))).begin().talk(3)
    run.table.propose(action={"kind": "pass"})
    run.table.fail()
    run.table.now_ms = run.table.grant.event.deadline_ms
    run.table.notice(DeadlinePassed(epoch=run.table.grant.event.epoch))
    for bot in tables(run)["bots"]:
        live = sum(grant.event.bot == bot["bot"] for grant in run.table.state.live())
        parts = pick([bot], "answered", "passed", "revoked")[0]
        assert bot["granted"] == sum(parts) + live
    bots = tables(run)["bots"]
    assert pick(bots, "revoked_failed", "revoked_deadline") == [(0, 0), (1, 0), (0, 1)]


def test_latencies_are_exact() -> None:
    run = Recorded(spec_of(["ada", "bo"], turns=20)).begin()
    for number in range(20):
        run.say("So.", after_ms=number + 1)
    ada, bo = tables(run)["bots"]
    assert pick([ada], "latency_mean_ms", "latency_min_ms", "latency_max_ms") == [(10.0, 1, 19)]
    assert pick([ada], "latency_p50_ms", "latency_p90_ms", "latency_p99_ms") == [(9, 17, 19)]
    assert bo["latency_mean_ms"] == 11.0


def test_a_quantile_is_a_value_that_was_seen() -> None:
    times = Counter({5: 1, 7: 98, 900: 1})
    assert [quantile(times, share) for share in (0, 0.01, 0.5, 0.99, 1)] == [5, 5, 7, 7, 900]
    with pytest.raises(ValueError, match="no times"):
        quantile(Counter(), 0.5)


def test_a_bot_that_never_spoke_has_zeros_and_no_latency() -> None:
    bot = tables(Recorded())["bots"][0]
    assert (bot["granted"], bot["said"], bot["calls"]) == (0, 0, 0)
    assert (bot["latency_p50_ms"], bot["prompt_tokens"]) == (None, None)


def test_tokens_are_summed_over_all_attempts_and_unknown_is_not_zero() -> None:
    run = Recorded().begin()
    run.call(outcome="truncated", answer_tokens=3, prompt_tokens=None)
    run.say("Well.", attempt=2)
    run.say("Hm.", prompt_tokens=None, answer_tokens=None)
    ada, bo, _ = tables(run)["bots"]
    assert pick([ada], "calls", "calls_failed", "prompt_tokens", "answer_tokens") == [
        (2, 1, 40, 10)
    ]
    assert pick([bo], "calls", "prompt_tokens", "answer_tokens") == [(1, None, None)]


# runs


def test_the_run_says_what_was_run_and_how_far_it_came() -> None:
    run = Recorded(spec_of(turns=2)).begin().talk(2)
    (row,) = tables(run)["runs"]
    assert pick([row], "phase", "end_reason", "turns", "messages", "took_ms") == [
        ("ended", "turns", 2, 3, 20)
    ]
    assert pick([row], "scenario", "seed", "world", "policies", "minds") == [
        ("tea", 7, "salon", "main=round_robin", "scripted")
    ]
    assert row["last_sha256"] == run.table.journal[-1].sha256
    (row,) = tables(run.close())["runs"]
    assert pick([row], "phase", "calls", "calls_counted") == [("closed", 2, 2)]


def test_a_run_that_nobody_has_led_yet_is_new_and_has_no_times() -> None:
    (row,) = tables(Recorded())["runs"]
    assert pick([row], "phase", "began_ms", "commits") == [("new", None, 0)]


@pytest.mark.parametrize(
    ("says", "told"),
    [([False, False], "no"), ([True], "yes"), ([True, False], "mixed"), ([None], "unknown")],
)
def test_the_run_says_whether_language_models_answered(says: list[bool], told: str) -> None:
    run = Recorded().begin()
    for language_model in says:
        run.say("So.", language_model=language_model, model_digest="d")
    (row,) = tables(run)["runs"]
    assert pick([row], "language_model", "model_digests") == [(told, "d")]
