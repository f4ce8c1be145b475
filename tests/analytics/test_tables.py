"""What the tables of messages, turns, calls and exposures say of known runs."""

from __future__ import annotations

import json

import pytest

from analytics.fold import UNHEARD, Fold
from analytics.places import Place
from analytics.tables import tables_from
from tests.analytics.recorded import Recorded, pick, tables
from tests.scenes import spec_of
from utils.callfile import call_from_line, call_line, read_call
from utils.calls import Exposure
from utils.errors import BadEntry
from utils.journal import Commit, seal

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


def test_a_grant_that_was_given_more_time_has_its_first_deadline_and_its_last() -> None:
    run = Recorded(spec_of(turns=9)).begin()
    first_ms = run.table.grant.event.deadline_ms
    for _ in range(2):
        run.table.now_ms += 10
        run.table.wait(need_ms=10**9)
    last_ms = run.table.grant.deadline_ms
    assert last_ms > first_ms
    run.say("So.")
    times = pick(tables(run)["turns"], "deadline_ms", "extended_to_ms")
    assert times[0] == (first_ms, last_ms)
    assert times[1][1] is None


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
    run.streams._redis.xadd("parley:{tea-1}:calls", {"b": b"\xff{"})
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


# the fold


def test_the_journal_must_name_the_spec_that_is_stored() -> None:
    run = Recorded().begin()
    other = run.spec.model_copy(update={"seed": 8}).model_dump_json()
    with pytest.raises(BadEntry, match="another spec"):
        list(tables_from(other, run.table.journal, [], run=run.run))


def test_what_is_held_does_not_grow_with_messages() -> None:
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


def test_options_that_are_equal_and_not_the_same_are_told_apart() -> None:
    run = Recorded(spec_of(turns=3)).begin()
    for value in (1, True, 1.0):
        run.say("Well.", options={"low": value})
    assert [row["options"] for row in tables(run)["calls"]] == [
        '{"low": 1}',
        '{"low": true}',
        '{"low": 1.0}',
    ]
