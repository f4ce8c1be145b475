"""What went wrong is in a table, with what was done about it."""

from __future__ import annotations

from analytics.tables import tables_from
from tests.analytics.recorded import Recorded, pick, tables
from tests.scenes import spec_of
from utils.protocol import DeadlinePassed, HostLost, Observed, TimerRang
from utils.spec import FloorSpec

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


def test_an_answer_of_other_weights_than_before_is_an_incident_and_an_answer() -> None:
    run = Recorded().begin()
    run.say("A town is for shade.", model_digest="f" * 64, noticed=("model_changed",))
    rows = tables(run)
    assert pick(rows["incidents"], "name", "detail") == [("call_model_changed", f"now {'f' * 64}")]
    assert pick(rows["calls"], "outcome", "noticed") == [("answered", "model_changed")]


def test_what_was_odd_about_a_call_is_an_incident_named_for_what_it_was() -> None:
    run = Recorded().begin()
    run.call(outcome="guarded", error="empty answer", noticed=("prompt_short",), prompt_tokens=40)
    run.say("For shade.", noticed=("digest_unchecked", "prompt_short"), estimated_tokens=900)
    assert pick(tables(run)["incidents"], "name", "call_sha256") == [
        ("call_guarded", run.calls()[0].sha256),
        ("call_prompt_short", run.calls()[0].sha256),
        ("call_digest_unchecked", run.calls()[1].sha256),
        ("call_prompt_short", run.calls()[1].sha256),
    ]
    assert tables(run)["runs"][0]["incidents"] == 4


def test_an_answer_with_nothing_odd_about_it_is_no_incident() -> None:
    run = Recorded().begin()
    run.say("For shade.")
    assert "incidents" not in tables(run)


def test_the_shares_of_what_was_kept_back_cut_and_out_of_time_are_given() -> None:
    run = Recorded(spec_of(turns=9, floor=FloorSpec(tries=1))).begin()
    run.call(outcome="guarded")
    run.say("A town is for shade.", cut=(("own_name", "Ada: "),))
    run.say("Or for meeting.", cut=(("space", " "),), load_ns=2_000_000_000)
    run.call(outcome="malformed")
    run.table.now_ms = run.table.grant.event.deadline_ms
    run.table.notice(DeadlinePassed(epoch=3))
    (row,) = tables(run)["runs"]
    counts = ("calls_guarded", "calls_malformed", "calls_cut", "calls_loading")
    assert [row[name] for name in counts] == [1, 1, 1, 1]
    assert (row["share_guarded"], row["share_cut"]) == (0.25, 0.25)
    assert row["share_revoked_deadline"] == 0.25  # of four grants, the last one still live
