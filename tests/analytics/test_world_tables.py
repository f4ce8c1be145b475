"""What is done, measured and told, and what only the world knows, comes out as tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analytics.export import export_run
from analytics.fold import Fold
from analytics.places import Place
from analytics.tables import tables_from
from tests.analytics.meetings import Meeting, meeting_spec, recorded
from tests.analytics.recorded import RUN, Recorded, pick, read_table, tables
from tests.scenes import spec_of
from utils.errors import BadEntry
from utils.journal import Commit, seal
from utils.protocol import Act, Event, FellBack, Heard, OpenEvent, Say
from utils.spec import PaceSpec, WorldSpec


def followed(run: Recorded, *events: Event) -> Recorded:
    """Put one more commit on a journal, whatever its events."""
    last = run.table.journal[-1]
    commit = Commit(
        seq=last.seq + 1,
        prev=last.sha256,
        at_ms=last.commit.at_ms,
        cursor=last.commit.cursor,
        events=events,
    )
    run.table.journal.append(seal(commit))
    return run


# actions


def test_an_action_that_is_not_speech_is_a_row_with_its_arguments_as_json() -> None:
    run, table = recorded()
    table.meet(1, word=lambda bot: {"of": bot, "at": [1, None]})
    rows = tables(run)["actions"]
    assert pick(rows, "channel", "turn", "bot", "ask", "action", "args") == [
        ("met-1", 1, "ada", "name", "name", '{"word": {"at": [1, null], "of": "ada"}}'),
        ("met-1", 1, "bo", "name", "name", '{"word": {"at": [1, null], "of": "bo"}}'),
    ]
    assert pick(rows, "epoch", "latency_ms", "fell_back", "late") == [
        (1, 1, False, False),
        (2, 2, False, False),
    ]


def test_what_is_said_is_no_row_of_actions() -> None:
    assert "actions" not in tables(Recorded().begin().talk(3))


def test_what_the_world_did_for_a_late_bot_is_a_row_and_the_late_answer_another() -> None:
    run, table = recorded()
    table.tick()
    table.meet(1)
    rows = tables(run)
    assert pick(rows["actions"], "bot", "epoch", "fell_back", "late", "due_ms", "world_ms") == [
        ("ada", 1, True, None, 100, 0),
        ("bo", 2, True, None, 100, 0),
        ("ada", 1, False, True, 100, 100),
        ("bo", 2, False, True, 100, 100),
    ]
    assert pick(rows["bots"], "late", "fell_back") == [(1, 1), (1, 1), (0, 0)]
    assert pick(rows["runs"], "actions", "late", "fell_back", "world_ms") == [(4, 2, 2, 100)]


def test_words_that_the_world_says_for_a_bot_are_a_row_with_the_text() -> None:
    run = Recorded().begin()
    place = {"channel": "main", "turn": 1, "bot": "ada", "epoch": 1}
    followed(run, FellBack.model_validate({**place, "action": Say(text="Hm.")}))
    assert pick(tables(run)["actions"], "action", "args") == [("say", '"Hm."')]


def test_a_fallback_for_a_grant_that_nobody_holds_is_refused() -> None:
    run = Recorded().begin()
    place = {"channel": "main", "turn": 1, "bot": "ada", "epoch": 9}
    followed(run, FellBack.model_validate({**place, "action": Act(name="wait")}))
    with pytest.raises(BadEntry, match="epoch 9, not live"):
        tables(run)


# measures, interventions, the world's own events


def test_a_measured_value_says_of_what_and_after_how_many_turns() -> None:
    run, table = recorded()
    table.meet(2)
    rows = tables(run)["measures"]
    assert pick(rows[3:], "name", "scope", "channel", "bot", "turn", "turns", "value") == [
        ("met", "run", None, None, None, 2, 2.0),
        ("named", "channel", "met-2", None, 1, 2, 2.0),
        ("seen", "member", "met-2", "ada", 1, 2, 1.0),
    ]


def test_what_somebody_told_the_run_is_a_row_and_what_was_refused_is_an_incident() -> None:
    run, table = recorded()
    table.tell("mute", bot="cy")
    table.tell("do", verb="rain", args={"mm": 3})
    table.tell("inject", channel="nowhere", text="Hello?")
    rows = tables(run)
    assert pick(rows["interventions"], "author", "verb", "bot", "args") == [
        ("anna", "mute", "cy", None),
        ("anna", "rain", None, '{"mm": 3}'),
    ]
    assert pick(rows["incidents"], "name", "author") == [("rejected_unknown_channel", "anna")]


def test_words_that_a_person_said_have_their_author_and_the_worlds_own_have_none() -> None:
    run, table = recorded()
    table.meet(1)
    table.tell("inject", channel="hall", text="Rain!")
    table.tell("whisper", channel="hall", bot="bo", text="Run.")
    rows = tables(run)["messages"]
    assert pick(rows, "text", "audience", "author") == [
        ("You have met.", "all", None),
        ("It was good.", "all", None),
        ("Rain!", "all", "anna"),
        ("Run.", "bo", "anna"),
    ]


def test_words_that_only_follow_an_intervention_are_not_the_persons() -> None:
    run, table = recorded()
    table.tell("inject", channel="hall", text="Rain!")
    said = {"channel": "hall", "turn": 1, "round": 0, "speaker": None, "audience": "all"}
    followed(run, Heard.model_validate({**said, "text": "Rain!"}))
    assert pick(tables(run)["messages"], "text", "author") == [("Rain!", "anna"), ("Rain!", None)]


def test_an_event_of_the_worlds_own_kind_is_a_row_with_all_its_fields() -> None:
    run, table = recorded()
    table.tick()
    table.meet(1)
    rows = tables(run)["world_events"]
    assert pick(rows, "kind", "world_ms", "fields") == [
        ("meet.ticked", 100, '{"at": 100}'),
        (
            "meet.met",
            100,
            '{"channel": "met-1", "words": [{"word": "F"}, {"word": "F"}]}',
        ),
    ]


NASTY = ["\x1b[2J", "\\x1b", "\u2028", "\x85", "=1+1", "-3", '"', "'", -3, True, None, [], "né"]


def test_json_in_a_table_is_json_to_whoever_reads_it(tmp_path: Path) -> None:
    run = Recorded().begin()
    followed(run, *(OpenEvent.model_validate({"kind": "x.y", "it": one}) for one in NASTY))
    folder = export_run(run.write().streams, RUN, tmp_path / "tea").folder
    cells = [row["fields"] for row in read_table(folder, "world_events")]
    assert [json.loads(one)["it"] for one in cells] == NASTY
    assert all(one.isprintable() for one in cells)


# channels that come and go


def test_what_is_held_does_not_grow_with_encounters() -> None:
    table = Meeting().begin().meet(600)
    fold = Fold(meeting_spec())
    most = 0
    for sealed in table.journal:
        for index, event in enumerate(sealed.commit.events):
            fold.take(event, Place(sealed.seq, index, sealed.commit.at_ms, 0))
        fold.end_commit()
        most = max(most, len(fold.rooms))
    assert (most, fold.totals.channels) == (2, 602)


def test_what_was_heard_in_channels_that_are_gone_is_counted() -> None:
    run, table = recorded()
    table.meet(4)
    rows = tables(run)
    assert pick(rows["bots"], "bot", "received") == [("ada", 6), ("bo", 6), ("cy", 4)]
    assert pick(rows["runs"], "channels", "channels_opened", "messages") == [(0, 6, 8)]


def test_a_bot_that_was_taken_out_hears_no_more_and_one_that_was_put_in_from_then_on() -> None:
    run, table = recorded()
    table.tell("kick", channel="hall", bot="bo")
    table.tell("inject", channel="hall", text="Bo is gone.")
    table.tell("add", channel="hall", bot="bo")
    table.tell("inject", channel="hall", text="Bo is back.")
    assert pick(tables(run)["bots"], "received") == [(2,), (1,), (2,)]


def test_a_grant_revoked_because_its_bot_was_taken_out_is_no_incident() -> None:
    run = Recorded().begin()
    body = {"kind": "kick", "author": "anna", "nonce": "k", "channel": "main", "bot": "ada"}
    run.table.say(body)
    rows = tables(run)
    assert pick(rows["turns"], "bot", "outcome", "reason") == [
        ("ada", "revoked", "left"),
        ("bo", "live", None),
    ]
    assert "incidents" not in rows
    assert pick(rows["bots"], "granted", "revoked") == [(1, 1), (1, 0), (0, 0)]


def test_the_run_says_its_worlds_settings_and_its_pace() -> None:
    settings = WorldSpec(settings={"b": 1, "a": [2]})
    pace = PaceSpec(kind="realtime", scale=10)
    spec = spec_of().model_copy(update={"world": settings, "pace": pace})
    given = tables_from(spec.model_dump_json(), [], [], run=RUN)
    (row,) = [row for table, row in given if table == "runs"]
    assert pick([row], "world_settings", "pace") == [('{"a": [2], "b": 1}', "realtime 10")]
