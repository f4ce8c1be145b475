"""What each table says of runs whose course is known."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from analytics.columns import Row
from analytics.records import call_from_line, call_line, read_call
from analytics.rows.bots import quantile
from analytics.tables import tables_from
from tests.analytics.recorded import Recorded
from tests.scenes import spec_of
from utils.calls import Exposure
from utils.errors import BadEntry
from utils.journal import Commit, seal
from utils.protocol import DeadlinePassed, HostLost, Observed, TimerRang
from utils.spec import ChannelSpec, FloorSpec


def tables(run: Recorded) -> dict[str, list[Row]]:
    """Fold a run's records into its tables."""
    rows: dict[str, list[Row]] = {}
    for table, row in tables_from(run.body, run.table.journal, run.calls(), run=run.run):
        rows.setdefault(table, []).append(row)
    return rows


def pick(rows: list[Row], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


# messages


def test_the_opening_is_the_first_message_and_nobody_spoke_it() -> None:
    first = tables(Recorded().begin())["messages"][0]
    assert (first["message_id"], first["turn"], first["speaker"]) == ("1.2", 0, None)
    assert (first["run_ms"], first["text"]) == (0, "What is a town for?")


def test_a_message_says_who_spoke_how_long_it_took_and_from_which_call() -> None:
    run = Recorded().begin()
    sha256 = run.say("Bo, what do you think?", after_ms=250)
    said = tables(run)["messages"][1]
    assert (said["speaker"], said["persona"], said["mind"]) == ("ada", "ada", "scripted")
    assert (said["addressee"], said["audience"], said["author"]) == ("bo", "all", "host-ada")
    assert (said["latency_ms"], said["run_ms"], said["epoch"]) == (250, 250, 1)
    assert said["call_sha256"] == sha256
    assert said["message_id"] == f"{said['seq']}.{said['place']}"


def test_a_message_to_neighbours_names_those_who_heard_it() -> None:
    run = Recorded(spec_of(["ada", "bo", "cy", "dee"], hears="neighbours")).begin().talk(1)
    assert tables(run)["messages"][1]["audience"] == "dee ada bo"


def test_answers_of_a_sealed_round_keep_the_time_that_each_took() -> None:
    run = Recorded(spec_of(policy="simultaneous")).begin()
    for grant in run.table.state.live():
        run.table.now_ms += 100
        run.table.propose(grant)
    heard = tables(run)["messages"][1:]
    assert pick(heard, "speaker", "latency_ms", "run_ms") == [
        ("ada", 100, 300),
        ("bo", 200, 300),
        ("cy", 300, 300),
    ]


# turns


def test_every_grant_is_one_row_that_says_how_it_closed() -> None:
    run = Recorded(spec_of(turns=9)).begin().talk(1)
    run.table.propose(action={"kind": "pass", "why": "nothing to add"})
    run.table.now_ms += 5
    run.table.fail()
    turns = tables(run)["turns"]
    assert pick(turns, "epoch", "bot", "turn", "tries", "outcome", "action", "reason") == [
        (1, "ada", 1, 0, "acted", "say", None),
        (2, "bo", 2, 0, "passed", None, None),
        (3, "cy", 3, 0, "revoked", None, "failed"),
        (4, "ada", 3, 1, "live", None, None),
    ]
    assert pick(turns, "detail")[1:3] == [("nothing to add",), ("timeout: ",)]
    assert turns[2]["latency_ms"] == 5
    assert turns[3]["closed_ms"] is None


def test_a_journal_that_closes_a_grant_nobody_holds_is_refused() -> None:
    run = Recorded().begin().talk(1)
    last = run.table.journal[-1].commit
    forged = Commit(
        seq=last.seq + 1,
        prev=run.table.journal[-1].sha256,
        at_ms=last.at_ms,
        cursor=last.cursor,
        events=last.events[:1],
    )
    run.table.journal.append(seal(forged))
    with pytest.raises(BadEntry, match="epoch 1, not live"):
        tables(run)


# calls and exposures


def test_a_call_has_its_prompt_and_answer_as_text_and_the_hash_the_journal_names() -> None:
    run = Recorded().begin()
    sha256 = run.say("Shade.", thinking="Hm.", cut=(("name", "Ada: "),))
    (call,) = tables(run)["calls"]
    assert call["call_sha256"] == sha256
    assert call["prompt"] == "[system]\nBe.\n\n[user]\nGo."
    assert (call["answer"], call["said"], call["thinking"]) == ("Shade.", "Shade.", "Hm.")
    assert json.loads(str(call["options"])) == {"stop": ["\n", "Bo:"], "temperature": 0.8}
    assert json.loads(str(call["cut"])) == [["name", "Ada: "]]
    assert (call["total_ms"], call["load_ms"], call["took_ms"]) == (1.5, None, 12.5)


def test_exposures_say_what_was_in_a_prompt_and_what_was_left_out() -> None:
    run = Recorded().begin()
    items = (Exposure(item="1.2", seen=False, why="budget"), Exposure(item="5.2", seen=True))
    run.say("Shade.", exposures=items)
    rows = tables(run)["exposures"]
    assert pick(rows, "place", "kind", "item", "seen", "why") == [
        (0, "message", "1.2", False, "budget"),
        (1, "message", "5.2", True, ""),
    ]


def test_a_record_of_calls_that_cannot_be_read_is_an_incident_and_no_row() -> None:
    run = Recorded().begin()
    run.streams.append("parley:{tea-1}:calls", "\udcff{")
    rows = tables(run)
    assert "calls" not in rows
    assert pick(rows["incidents"], "name", "detail") == [("call_unreadable", "not a JSON object")]


def test_a_calls_line_holds_its_exact_text() -> None:
    for body in ("{}", "\udcff \u2028 \x1b", '{"a": 1}'):
        call = read_call("17-3", body)
        line = call_line(call)
        assert call_from_line(line) == call
        assert line.count("\n") == 1
    with pytest.raises(BadEntry, match="id and b"):
        call_from_line('{"id": "1-0"}')


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
    assert pick([ada], "calls", "calls_failed", "prompt_tokens", "answer_tokens") == [(2, 1, 40, 10)]
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


# incidents


def test_incidents_say_what_went_wrong_and_what_was_done() -> None:
    run = Recorded(spec_of(turns=9, floor=FloorSpec(tries=2))).begin().talk(1)
    run.table.say("\x1b rubbish")
    run.table.notice(HostLost(host="host-bo"))
    run.table.now_ms = run.table.grant.event.deadline_ms
    run.table.notice(DeadlinePassed(epoch=2))
    run.table.fail()
    run.table.notice(Observed(name="mended", detail="appended commits 3 to 4 again"))
    rows = tables(run)["incidents"]
    assert pick(rows, "name", "bot", "done") == [
        ("rejected_garbage", None, "the input changed nothing"),
        ("revoked_lost", "bo", "granted again, to cy, as epoch 3"),
        ("revoked_failed", "cy", "the turn was given up"),
        ("mended", None, "appended commits 3 to 4 again"),
    ]
    assert rows[0]["entry_id"] is not None
    assert rows[1]["run_ms"] == run.table.now_ms - 1_000_000


def test_a_deadline_of_one_in_a_round_leaves_the_others_their_turn() -> None:
    run = Recorded(spec_of(policy="simultaneous", floor=FloorSpec(tries=1))).begin()
    first, second, third = run.table.state.live()
    run.table.fail(first)
    run.table.propose(second)
    run.table.now_ms = third.event.deadline_ms
    run.table.notice(DeadlinePassed(epoch=third.event.epoch))
    assert pick(tables(run)["incidents"], "bot", "done") == [
        ("ada", "the turn stays open"),
        ("cy", "the turn closed without it"),
    ]


def test_grants_revoked_because_the_run_ended_are_no_incidents() -> None:
    run = Recorded().begin()
    run.table.notice(TimerRang(timer="silence"))
    rows = tables(run)
    assert "incidents" not in rows
    assert pick(rows["turns"], "outcome", "reason") == [("revoked", "ended")]


def test_a_failed_attempt_is_an_incident_with_its_call() -> None:
    run = Recorded().begin()
    sha256 = run.call(outcome="timeout", error="no answer in 30 s")
    (row,) = tables(run)["incidents"]
    assert pick([row], "name", "call_sha256", "detail") == [
        ("call_timeout", sha256, "no answer in 30 s")
    ]


def test_calls_that_the_journal_counted_and_nobody_holds_are_an_incident() -> None:
    run = Recorded(spec_of(turns=2)).begin().talk(2).close()
    kept = run.calls()[1:]
    rows = list(tables_from(run.body, run.table.journal, kept, run=run.run))
    (missing,) = [row for table, row in rows if table == "incidents"]
    assert missing["name"] == "calls_missing"
    assert missing["detail"] == "the journal counts 2 calls, the stream holds 1"
    (whole,) = [row for table, row in rows if table == "runs"]
    assert (whole["incidents"], whole["calls"], whole["calls_counted"]) == (1, 1, 2)


def test_every_count_of_a_run_is_the_number_of_rows() -> None:
    run = Recorded(spec_of(turns=4)).begin().talk(2)
    run.call(outcome="timeout")
    run.table.fail()
    run.talk(2).close()
    rows = tables(run)
    (row,) = rows["runs"]
    for table, count in (("messages", "messages"), ("turns", "granted"), ("calls", "calls")):
        assert row[count] == len(rows[table])
    assert row["incidents"] == len(rows["incidents"]) == 2


# the fold


def test_the_journal_must_name_the_spec_that_is_stored() -> None:
    run = Recorded().begin()
    other = run.spec.model_copy(update={"seed": 8}).model_dump_json()
    with pytest.raises(BadEntry, match="another spec"):
        list(tables_from(other, run.table.journal, [], run=run.run))


def test_what_is_held_does_not_grow_with_messages() -> None:
    from analytics.fold import UNHEARD, Fold, Place

    run = Recorded(spec_of(turns=3_000)).begin()
    run.table.talk(3_000)
    fold = Fold(run.spec)
    most = 0
    for sealed in run.table.journal:
        for index, event in enumerate(sealed.commit.events):
            fold.take(event, Place(sealed.seq, index, sealed.commit.at_ms, 0))
        most = max(most, len(fold.live))
    assert most == 1
    assert len(fold.unheard) <= UNHEARD + len(run.spec.bots)
    assert len(fold.tallies["ada"].latencies) == 1
