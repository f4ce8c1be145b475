"""The engine's promises, one turn at a time.

This file is over 300 lines because they are one list, to be read as one.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator import engine, recovery
from tests.scenes import Table, kinds, spec_of
from utils.journal import fold
from utils.protocol import DeadlinePassed, HostLost, Started, TimerRang
from utils.spec import ChannelSpec, EndSpec, FloorSpec


def test_a_run_begins_with_its_channels_and_their_openings() -> None:
    table = Table(spec_of()).begin()
    first = table.journal[0].commit.events
    assert kinds(first) == ["began", "channel_opened", "heard"]
    assert table.events("heard")[0].message_id == "1.2"
    assert table.events("heard")[0].speaker is None


def test_the_first_turn_waits_until_every_bot_is_seated() -> None:
    table = Table(spec_of())
    table.begin()
    seated = [index for index, event in enumerate(table.events()) if event.kind == "seated"]
    granted = [index for index, event in enumerate(table.events()) if event.kind == "granted"]
    assert len(seated) == 3
    assert granted[0] > seated[-1]


def test_bots_that_do_not_come_in_time_are_absent_and_the_others_begin() -> None:
    late = Table(spec_of())
    late.notice(Started(run="tea-1", spec_sha256="0" * 64))
    late.join("bo")
    assert not late.state.live()
    events = late.notice(TimerRang(timer="gather"))
    assert events[0].absent == ("ada", "cy")
    assert late.grant.event.bot == "bo"


def test_an_answer_closes_the_grant_is_heard_and_opens_the_next_turn() -> None:
    table = Table(spec_of()).begin()
    events = table.propose(text="A town is for shade.")
    assert kinds(events) == ["acted", "turn_closed", "heard", "granted"]
    assert events[2].text == "A town is for shade."
    assert table.grant.event.bot == "bo"


def test_a_run_ends_after_its_turns_and_grants_no_more() -> None:
    table = Table(spec_of(turns=5)).begin()
    table.talk(5)
    assert table.events("ended")[0].reason == "turns"
    assert table.state.turns == 5
    assert not table.state.live()
    assert table.state.phase == "ended"


def test_a_late_proposal_is_rejected_after_the_grant_was_revoked() -> None:
    table = Table(spec_of()).begin()
    late = table.proposal()
    table.notice(DeadlinePassed(epoch=1))
    (rejected,) = table.say(late)
    assert (rejected.kind, rejected.why) == ("rejected", "stale")
    assert table.grant.event.epoch == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"epoch": 99}, "stale"),
        ({"grant": "f" * 64}, "forged"),
        ({"seat": 77}, "old_seat"),
        ({"author": "host-bo"}, "old_seat"),
        ({"bot": "bo"}, "not_the_holder"),
        ({"action": {"kind": "say", "text": " "}}, "not_asked"),
        ({"action": {"kind": "say", "text": "x" * 4001}}, "too_long"),
        ({"action": {"kind": "act", "name": "step"}}, "not_asked"),
        ({"action": {"kind": "say", "text": "\u0000"}}, "garbage"),
        ({"epoch": "one"}, "garbage"),
        ({"extra": 1}, "garbage"),
        ({"author": "Not A Name"}, "garbage"),
    ],
)
def test_a_proposal_that_is_not_the_live_grants_is_rejected_and_changes_nothing(
    change: dict[str, Any], why: str
) -> None:
    table = Table(spec_of()).begin()
    before = table.state.live()
    *missed, rejected = table.propose(**change)
    assert (rejected.kind, rejected.why) == ("rejected", why)
    assert table.state.live() == before
    # Its host knows of a grant that the journal has not.
    names = ["vanished"] * (change in ({"epoch": 99}, {"grant": "f" * 64}))
    assert [event.name for event in missed] == names


def test_the_same_input_sent_twice_is_taken_once() -> None:
    table = Table(spec_of()).begin()
    body = table.proposal()
    table.say(body)
    (again,) = table.say(body)
    assert again.why == "duplicate"
    assert table.speakers() == ["ada"]


def test_the_same_input_twice_in_one_commit_is_taken_once() -> None:
    table = Table(spec_of()).begin()
    body = table.proposal()
    events = table.say(body, body)
    assert [event.why for event in events if event.kind == "rejected"] == ["duplicate"]
    assert table.speakers() == ["ada"]


@pytest.mark.parametrize(
    "raw", ["", "[]", "not json", '{"kind": "prophecy"}', "7", '{"kind": "left"}', "\ud800"]
)
def test_garbage_on_the_floor_is_rejected_with_its_reason(raw: str) -> None:
    table = Table(spec_of()).begin()
    (rejected,) = table.say(raw)
    assert rejected.why == "garbage"
    assert rejected.detail


def test_a_revoked_turn_is_granted_to_the_next_and_then_given_up() -> None:
    table = Table(spec_of(floor=FloorSpec(tries=3))).begin()
    asked = []
    for _ in range(3):
        asked.append(table.grant.event)
        table.notice(DeadlinePassed(epoch=table.grant.event.epoch))
    assert [(grant.bot, grant.turn, grant.tries) for grant in asked] == [
        ("ada", 1, 0),
        ("bo", 1, 1),
        ("cy", 1, 2),
    ]
    assert table.events("turn_closed")[0].outcome == "given_up"
    assert table.grant.event.turn == 2
    assert table.speakers() == []


def test_a_failed_mind_costs_a_try_and_names_its_reason() -> None:
    table = Table(spec_of()).begin()
    events = table.fail(reason="overloaded")
    assert (events[0].kind, events[0].reason) == ("revoked", "failed")
    assert events[0].detail.startswith("overloaded")
    assert table.grant.event.tries == 1


def test_a_lost_seat_keeps_its_grant_and_the_host_that_comes_answers_it() -> None:
    table = Table(spec_of()).begin()
    before = table.grant
    table.notice(HostLost(host="host-ada"))
    assert table.state.seats["ada"].host is None
    assert table.grant == before
    table.join("ada", host="host-new")
    assert table.grant == before
    events = table.propose()
    assert events[0].kind == "acted"


def test_the_old_seat_cannot_answer_once_another_host_has_the_bot() -> None:
    table = Table(spec_of()).begin()
    old = table.proposal()
    table.join("ada", host="host-new")
    (rejected,) = table.say(old)
    assert rejected.why == "old_seat"


def test_a_bot_that_no_host_serves_is_passed_over_until_it_is_seated_again() -> None:
    table = Table(spec_of()).begin()
    table.notice(HostLost(host="host-ada"))
    (revoked, _) = table.notice(DeadlinePassed(epoch=table.grant.event.epoch))
    assert revoked.reason == "lost"
    table.talk(5)
    assert "ada" not in table.speakers()
    table.join("ada")
    table.talk(4)
    assert "ada" in table.speakers()


def test_nobody_is_granted_anything_when_nobody_is_there_and_the_next_to_come_goes_on() -> None:
    table = Table(spec_of(bots=("ada",))).begin()
    table.notice(HostLost(host="host-ada"))
    table.notice(DeadlinePassed(epoch=table.grant.event.epoch))
    assert table.state.live() == []
    table.join("ada")
    assert table.grant.event.bot == "ada"


def test_a_pass_closes_the_turn_and_nothing_is_heard() -> None:
    table = Table(spec_of()).begin()
    events = table.propose(action={"kind": "pass", "why": "nothing to add"})
    assert kinds(events) == ["passed", "turn_closed", "granted"]
    assert events[1].outcome == "passed"


def test_a_command_ends_the_run_and_closes_what_is_live() -> None:
    table = Table(spec_of()).begin()
    events = table.say({"kind": "stop", "author": "person-1", "nonce": "x", "why": "tea"})
    assert kinds(events) == ["intervened", "revoked", "ended"]
    assert events[-1].reason == "stopped"
    (rejected,) = table.say({"kind": "stop", "author": "person-1", "nonce": "y"})
    assert rejected.why == "ended"


@pytest.mark.parametrize(
    ("end", "timer"),
    [(EndSpec(minutes=1), "minutes"), (EndSpec(turns=9, silence_minutes=1), "silence")],
)
def test_a_run_ends_by_its_own_timers(end: EndSpec, timer: str) -> None:
    table = Table(spec_of(end=end)).begin()
    due_ms = min(
        at
        for at, notice in recovery.timers(table.rules, table.state)
        if isinstance(notice, TimerRang) and notice.timer == timer
    )
    assert due_ms == table.now_ms + 60_000
    table.now_ms = due_ms
    (notice,) = recovery.due(table.rules, table.state, by_ms=due_ms)
    table.notice(notice)
    assert table.events("ended")[0].reason == timer


def test_a_simultaneous_turn_is_heard_in_seat_order_whatever_order_answers_come_in() -> None:
    table = Table(spec_of(policy="simultaneous")).begin()
    ada, bo, cy = table.state.live()
    table.propose(cy, text="third")
    table.propose(ada, text="first")
    assert table.speakers() == []
    table.propose(bo, text="second")
    assert table.speakers() == ["ada", "bo", "cy"]
    assert len(table.state.live()) == 3


def test_a_simultaneous_turn_asks_again_those_who_failed_and_goes_on_without_them() -> None:
    table = Table(spec_of(policy="simultaneous", floor=FloorSpec(tries=2))).begin()
    ada, bo, cy = table.state.live()
    table.propose(ada)
    table.propose(bo)
    table.fail(cy)
    assert table.grant.event.bot == "cy"
    assert table.grant.event.tries == 1
    table.fail()
    assert table.speakers() == ["ada", "bo"]
    closed = table.events("turn_closed")[0]
    assert (closed.outcome, closed.answered, closed.asked) == ("acted", 2, 3)


def test_a_bot_in_two_channels_holds_one_grant_at_a_time() -> None:
    channels = [
        ChannelSpec(name="kitchen", members=("ada", "bo")),
        ChannelSpec(name="garden", members=("ada", "cy")),
    ]
    table = Table(spec_of(channels=channels)).begin()
    assert [grant.event.channel for grant in table.state.live()] == ["kitchen"]
    table.propose()
    assert {grant.event.bot for grant in table.state.live()} == {"ada", "bo"}


def test_a_channel_with_turns_of_its_own_stops_at_them_and_the_run_ends_with_the_last() -> None:
    channels = [
        ChannelSpec(name="kitchen", members=("ada", "bo"), turns=2),
        ChannelSpec(name="garden", members=("cy",), turns=3),
    ]
    table = Table(spec_of(channels=channels, turns=None)).begin()
    while table.state.phase == "running":
        table.propose(table.state.live()[0])
    assert [event.channel for event in table.events("turn_closed")].count("kitchen") == 2
    assert [event.channel for event in table.events("turn_closed")].count("garden") == 3


def test_two_channels_together_do_not_overshoot_the_runs_turns() -> None:
    channels = [
        ChannelSpec(name="kitchen", members=("ada", "bo")),
        ChannelSpec(name="garden", members=("cy",)),
    ]
    table = Table(spec_of(channels=channels, turns=5)).begin()
    while table.state.phase == "running":
        table.propose(table.state.live()[-1])
    assert table.state.turns == 5
    assert not table.events("revoked")


def test_every_input_leads_to_at_least_one_event() -> None:
    table = Table(spec_of()).begin()
    table.talk(3)
    table.say("garbage")
    table.leave("cy")
    assert all(sealed.commit.events for sealed in table.journal)


def test_folding_the_journal_gives_the_leaders_state_and_deciding_again_the_same_bytes() -> None:
    table = Table(spec_of(policy="random")).begin()
    table.talk(4)
    table.notice(HostLost(host="host-bo"))
    table.say("garbage", json.dumps(table.proposal()))
    table.join("bo", host="elsewhere")
    table.talk(5)
    state = engine.initial(table.rules)
    for sealed in table.journal:
        commit = sealed.commit
        causes = engine.Causes(inputs=commit.inputs, noticed=commit.noticed)
        again = engine.compose(table.rules, state, causes, at_ms=commit.at_ms, cursor=commit.cursor)
        assert again is not None
        assert again.body == sealed.body
        state = engine.evolve(table.rules, state, sealed)
    assert state == table.state
    folded = fold(
        lambda at, sealed: engine.evolve(table.rules, at, sealed),
        table.journal,
        engine.initial(table.rules),
    )
    assert folded == table.state
