"""What a person sees of a run is what the engine says it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from analytics.observer.changes import evolve
from analytics.observer.lines import Line, lines
from analytics.observer.pace import left_ms, turns_per_minute
from analytics.observer.plan import plan_of
from analytics.observer.view import View, blank
from orchestrator import engine
from tests.scenes import Table, spec_of
from utils.journal import NO_HASH, Commit, Sealed, seal
from utils.protocol import (
    CallsCounted,
    DeadlinePassed,
    Event,
    Heard,
    HostLost,
    Incident,
    Observed,
    OpenEvent,
    Started,
    TimerRang,
)
from utils.spec import ChannelSpec, EndSpec, FloorSpec, Spec

BEGIN = Started(run="tea-1", spec_sha256="0" * 64)


def views(table: Table) -> Iterator[tuple[View, View, Sealed]]:
    view = blank(plan_of("tea-1", table.rules.spec))
    for sealed in table.journal:
        before, view = view, evolve(view, sealed)
        yield before, view, sealed


def view_of(table: Table) -> View:
    return [after for _, after, _ in views(table)][-1]


def seen(table: Table, *, last: int = 0) -> list[Line]:
    """All lines of a run, or those of its last commits."""
    shown = [lines(before, after, sealed) for before, after, sealed in views(table)]
    return [line for some in shown[-last:] for line in some]


def texts(table: Table, *, last: int = 0) -> list[str]:
    return [line.text for line in seen(table, last=last)]


def seen_of(*events: Event, spec: Spec | None = None) -> list[Line]:
    """The lines of one commit with these events, on top of a run that has begun."""
    table = Table(spec or spec_of()).begin()
    commit = Commit(seq=99, prev=NO_HASH, at_ms=table.now_ms, cursor="0-0", events=events)
    before = view_of(table)
    sealed = seal(commit)
    return lines(before, evolve(before, sealed), sealed)


# --- the fold agrees with the engine --------------------------------------------------


def quiet_run() -> Table:
    table = Table(spec_of(turns=6)).begin()
    table.talk(6)
    return table


def troubled_run() -> Table:
    table = Table(spec_of(turns=8, floor=FloorSpec(tries=2))).begin()
    table.talk(2)
    table.notice(HostLost(host="host-cy"))
    table.notice(DeadlinePassed(epoch=table.grant.event.epoch))
    table.fail()
    table.join("cy")
    table.propose(action={"kind": "pass"})
    table.say("garbage")
    table.talk(3)
    table.say({"kind": "stop", "author": "person-1", "nonce": "s1", "why": "enough"})
    return table


def two_channels() -> Table:
    kitchen = ChannelSpec(name="kitchen", members=("ada", "bo"), opening="Who cooks?", turns=3)
    salon = ChannelSpec(name="salon", members=("bo", "cy"), turns=2)
    table = Table(spec_of(channels=(kitchen, salon), turns=None)).begin()
    while table.state.live():
        table.propose(table.state.live()[0])
    return table


def at_once() -> Table:
    table = Table(spec_of(policy="simultaneous", turns=2)).begin()
    while table.state.live():
        table.propose(table.state.live()[-1])
    return table


def queueing() -> Table:
    table = Table(spec_of(turns=3)).begin()
    table.wait(need_ms=10**9)
    table.talk(2)
    return table


@pytest.mark.parametrize("play", [quiet_run, troubled_run, two_channels, at_once, queueing])
def test_after_every_commit_the_view_agrees_with_the_engine(play: Callable[[], Table]) -> None:
    played = play()
    replayed = Table(played.rules.spec)
    for _, view, sealed in views(played):
        replayed.state = state = engine.evolve(replayed.rules, replayed.state, sealed)
        held = {
            (holder.bot, holder.epoch, holder.deadline_ms)
            for channel in view.channels.values()
            for holder in channel.holders
        }
        live = {(one.event.bot, one.event.epoch, one.deadline_ms) for one in state.live()}
        assert held == live
        assert (view.turns, view.phase, view.seq) == (state.turns, state.phase, state.seq)
        assert {bot: seat.host for bot, seat in state.seats.items()}.items() <= view.seats.items()


def test_counts_of_a_troubled_run() -> None:
    view = view_of(troubled_run())
    assert view.spoken == {"ada": 2, "bo": 2, "cy": 1}
    assert (view.given_up, view.passed, view.rejected) == (1, 1, 1)
    assert view.revoked == 3
    assert (view.phase, view.end, view.end_detail) == ("ended", "stopped", "enough")


def test_turns_asked_are_the_runs_own_or_the_sum_of_its_channels() -> None:
    assert plan_of("r", spec_of(turns=24)).turns_asked == 24
    assert plan_of("r", two_channels().rules.spec).turns_asked == 5
    assert plan_of("r", spec_of(end=EndSpec(minutes=3))).turns_asked is None


def test_a_view_does_not_grow_with_the_conversation() -> None:
    table = Table(spec_of(turns=None, end=EndSpec(minutes=5))).begin()
    table.talk(60)
    short = len(repr(view_of(table)))
    table.talk(600)
    assert len(repr(view_of(table))) < short * 1.2


def test_the_last_word_is_kept_short_and_printable() -> None:
    table = Table(spec_of()).begin()
    table.propose(text="\x1b[2J" + "long " * 700)
    word = view_of(table).last_word
    assert word is not None
    assert word.text.startswith("<U+001B>[2J")
    assert len(word.text) <= 500


# --- time, as an argument ---------------------------------------------------------------


def test_pace_and_time_left_come_from_journal_times_and_now() -> None:
    table = Table(spec_of(turns=10)).begin()
    for _ in range(4):
        table.now_ms += 3_000
        table.propose()
    view = view_of(table)
    assert turns_per_minute(view, table.now_ms) == 20
    assert left_ms(view, table.now_ms) == 18_000
    assert turns_per_minute(view, table.now_ms + 15_000) == 10


def test_the_end_by_minutes_bounds_the_time_left() -> None:
    table = Table(spec_of(end=EndSpec(turns=1_000, minutes=1))).begin()
    assert left_ms(view_of(table), table.now_ms + 15_000) == 45_000


def test_before_the_first_turn_there_is_no_pace_and_after_the_end_nothing_is_left() -> None:
    table = Table(spec_of(turns=3))
    table.notice(BEGIN)
    assert turns_per_minute(view_of(table), table.now_ms) is None
    assert left_ms(view_of(table), table.now_ms) is None
    done = view_of(quiet_run())
    assert left_ms(done, 10**15) == 0
    assert turns_per_minute(done, 10**15) == turns_per_minute(done, 0)


# --- the lines --------------------------------------------------------------------------


def test_the_opening_and_the_seats_are_told_before_the_first_turn() -> None:
    table = Table(spec_of()).begin()
    assert texts(table) == [
        "run tea-1: tea, seed 7: Ada, Bo and Cy",
        "What is a town for?",
        "Ada is served by host-ada",
        "Bo is served by host-bo",
        "Cy is served by host-cy",
        "all bots are seated: turns begin",
    ]


def test_a_message_names_its_speaker_channel_and_turn() -> None:
    table = Table(spec_of()).begin()
    table.propose(text="A town is a promise.")
    (line,) = seen(table, last=1)
    assert (line.speaker, line.channel, line.turn) == ("Ada", "main", 1)
    assert line.text == "A town is a promise."


def test_a_turn_revoked_for_silence_tells_who_has_it_now() -> None:
    table = Table(spec_of()).begin()
    table.notice(DeadlinePassed(epoch=1))
    assert texts(table, last=1) == [
        "Ada's turn 1 revoked: no answer within 2 min; granted again to Bo, try 2"
    ]


def test_a_lone_bots_turn_is_granted_again_to_itself() -> None:
    table = Table(spec_of(("ada",))).begin()
    table.notice(DeadlinePassed(epoch=1))
    assert texts(table, last=1)[0].endswith("; granted again, try 2")


def test_a_turn_given_up_says_how_often_it_was_tried() -> None:
    table = Table(spec_of(floor=FloorSpec(tries=2))).begin()
    table.fail(reason="overloaded")
    table.fail(reason="overloaded")
    assert texts(table, last=1) == [
        "Bo's turn 1 revoked: its mind failed: overloaded",
        "turn 1 given up: nobody answered in 2 tries",
    ]


def test_a_lost_host_and_a_host_that_left_are_told_with_whom_they_served() -> None:
    table = Table(spec_of())
    table.notice(BEGIN)
    for bot in ("ada", "bo", "cy"):
        table.join(bot, host="host-1")
    table.notice(HostLost(host="host-1"))
    assert texts(table, last=1) == ["no host serves Ada, Bo and Cy: host-1 was lost"]
    table.join("ada")
    table.leave("ada")
    assert texts(table, last=1) == ["no host serves Ada: host-ada left"]


def test_turns_that_begin_without_a_bot_name_it() -> None:
    table = Table(spec_of())
    table.notice(BEGIN)
    table.join("ada")
    table.notice(TimerRang(timer="gather"))
    assert texts(table, last=1) == ["turns begin without Bo and Cy: no host serves them"]


def test_a_flood_of_rejected_inputs_is_one_line() -> None:
    table = Table(spec_of()).begin()
    table.say("garbage")
    assert texts(table, last=1) == [
        "an input from nobody known rejected: garbage (not a JSON object)"
    ]
    table.say(*["garbage"] * 50)
    assert texts(table, last=1) == ["50 inputs rejected: 50 garbage"]


def test_passing_incidents_and_the_end_are_told() -> None:
    table = Table(spec_of(turns=1)).begin()
    table.notice(Observed(name="mended", detail="server forgot commit 3"))
    table.propose(action={"kind": "pass", "why": "secret"})
    table.notice(CallsCounted(calls=1, last_id="1-0"))
    assert texts(table, last=3) == [
        "incident mended: server forgot commit 3",
        "Ada passes",
        "the run has ended: all its turns are done",
        "the record is closed: 1 turn, 1 call",
    ]


def test_after_the_end_hosts_leave_without_a_word() -> None:
    table = Table(spec_of(turns=1)).begin()
    table.propose()
    table.leave("ada")
    assert texts(table, last=1) == []


def test_an_event_of_a_kind_nobody_knows_is_shown_whole_and_printable() -> None:
    event = OpenEvent.model_validate({"kind": "town.rained", "mm": 3, "note": "\x1b[31m"})
    (line,) = seen_of(event)
    assert line.text == 'town.rained mm=3 note="\\u001b[31m"'


def test_nothing_a_stranger_wrote_reaches_a_line_unprinted() -> None:
    evil = "\x1b[2J\u202e"
    heard = Heard(
        channel="main", turn=3, round=1, speaker=None, audience="all", text=f"{evil}\n two"
    )
    shown = seen_of(heard, Incident(name="odd", detail=evil))
    assert [line.text for line in shown] == [
        "<U+001B>[2J<U+202E>\n two",
        "incident odd: <U+001B>[2J<U+202E>",
    ]
    assert shown[0].speaker == "(outside)"
