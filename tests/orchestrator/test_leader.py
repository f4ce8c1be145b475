"""One run, led: what a leader writes, in which order, and what it does when things break."""

from __future__ import annotations

import json

import pytest

from orchestrator.leader import Leader
from tests.court import ALLOW_MS, T0, Court
from tests.scenes import spec_of
from utils import keys
from utils.errors import BadEntry, Conflict, ServerGone
from utils.journal import MAX_INPUTS
from utils.streams import Entry


def test_a_leader_begins_a_run_once() -> None:
    court = Court()
    court.leader.begin(T0)
    court.leader.begin(T0 + 1)
    assert [sealed.seq for sealed in court.journal] == [1]
    assert Leader.open(court.streams, court.run).state == court.leader.state


def test_an_input_becomes_a_commit_and_is_heard_in_its_channel() -> None:
    court = Court().begin()
    court.talk(2)
    heard = [one.text for one in court.events("heard")]
    assert heard == ["What is a town for?", "ada speaks.", "bo speaks."]
    channel = [json.loads(one.body) for one in court.streams.all(keys.channel(court.run, "main"))]
    events = [event for entry in channel for event in entry["events"] if event["kind"] == "heard"]
    assert [event["text"] for event in events] == heard


def test_an_answer_at_the_deadline_counts_and_one_a_moment_later_does_not() -> None:
    for late_ms, outcome in ((0, ["acted"]), (1, ["revoked", "rejected"])):
        court = Court().begin()
        court.arrive(court.answer(), at_ms=T0 + ALLOW_MS + late_ms)
        court.consume(now_ms=T0 + ALLOW_MS + 5_000)
        after = [one.kind for sealed in court.journal[2:] for one in sealed.commit.events]
        assert [kind for kind in after if kind in ("acted", "revoked", "rejected")] == outcome


def test_a_flood_delays_no_deadline() -> None:
    court = Court().begin()
    due_ms = T0 + ALLOW_MS
    flood = [court.arrive("garbage", at_ms=due_ms - 500 + number) for number in range(1_000)]
    court.consume(now_ms=due_ms + 60_000)
    seen: list[str] = []
    for sealed in court.journal[2:]:
        seen += [notice.kind for notice in sealed.commit.noticed]
        seen += [one.id for one in sealed.commit.inputs]
        assert len(sealed.commit.inputs) <= MAX_INPUTS
    assert seen == [*flood[:501], "deadline_passed", *flood[501:]]
    assert [one.input_id for one in court.events("rejected")] == flood


def test_what_is_due_happens_without_any_input() -> None:
    court = Court().begin()
    assert court.leader.ms_to_next(T0 + 20_000) == ALLOW_MS - 20_000
    court.leader.fire_due(T0 + ALLOW_MS - 1)
    assert not court.events("revoked")
    court.leader.fire_due(T0 + ALLOW_MS)
    assert court.events("revoked")[0].reason == "deadline"
    assert court.leader.state.at_ms == T0 + ALLOW_MS


def test_journal_time_never_goes_back() -> None:
    court = Court().begin()
    court.arrive(court.answer())
    court.consume(now_ms=T0 - 5_000)
    assert [sealed.commit.at_ms for sealed in court.journal] == [T0] * len(court.journal)


def test_lost_hosts_lose_their_seats_and_no_others() -> None:
    court = Court().begin()
    court.leader.lose_hosts({"host-bo", "host-stranger"}, T0)
    assert [(one.host, one.reason) for one in court.events("unseated")] == [
        ("host-ada", "lost"),
        ("host-cy", "lost"),
    ]


def test_a_record_is_closed_when_the_hosts_have_left_or_after_a_wait() -> None:
    court = Court().begin()
    court.streams.append(keys.calls(court.run), "{}")
    court.arrive({"kind": "stop", "author": "person"})
    court.consume()
    assert not court.leader.close_record(T0 + 4_999, wait_ms=5_000)
    assert court.leader.close_record(T0 + 5_000, wait_ms=5_000)
    (closed,) = court.events("closed")
    assert (closed.calls, closed.last_call_id) == court.streams.tally(keys.calls(court.run))
    court.arrive("too late")
    court.consume()
    assert court.events("closed") == [closed]


def test_a_leader_that_opens_the_run_again_knows_the_same_and_goes_on() -> None:
    court = Court(spec_of(policy="random")).begin()
    court.talk(3)
    court.arrive("garbage")
    court.consume(now_ms=T0 + ALLOW_MS + 1)
    court.leader.fire_due(T0 + ALLOW_MS * 3)
    before = court.leader
    court.leader = Leader.open(court.streams, court.run)
    assert court.leader.state == before.state
    court.talk(3)
    assert Leader.open(court.streams, court.run).state == court.leader.state


def test_a_leader_that_was_overtaken_learns_it_and_writes_nothing() -> None:
    court = Court().begin()
    old, court.leader = court.leader, Leader.open(court.streams, court.run)
    court.talk(1)
    journal = court.journal
    with pytest.raises(Conflict):
        old.fire_due(T0 + ALLOW_MS)
    with pytest.raises(Conflict):
        old.recover(T0)
    assert court.journal == journal


@pytest.mark.parametrize("breaks", ["before the commit", "after the commit"])
def test_an_input_whose_commit_was_cut_off_is_consumed_once(breaks: str) -> None:
    court = Court().begin()
    court.arrive(court.answer())
    court.streams.breaks = breaks
    with pytest.raises(ServerGone):
        court.consume()
    court.leader.recover(T0)
    court.consume()
    court.talk(1)
    assert [one.bot for one in court.events("acted")] == ["ada", "bo"]
    assert not court.events("rejected")
    assert Leader.open(court.streams, court.run).state == court.leader.state


def test_a_commit_cut_off_and_built_upon_by_another_leader_is_a_conflict() -> None:
    court = Court().begin()
    old = court.leader
    court.arrive(court.answer())
    court.streams.breaks = "after the commit"
    with pytest.raises(ServerGone):
        court.consume()
    court.leader = Leader.open(court.streams, court.run)
    court.talk(1)
    with pytest.raises(Conflict):
        old.recover(T0)


@pytest.mark.parametrize("after", [0, 1, 3, 5])
@pytest.mark.parametrize("is_unsure", [False, True])
def test_what_the_server_forgot_is_appended_again(after: int, is_unsure: bool) -> None:
    court = Court().begin()
    court.talk(4)
    if is_unsure:
        court.arrive(court.answer())
        court.streams.breaks = "after the commit"
        with pytest.raises(ServerGone):
            court.consume()
    known = court.journal[: court.leader.state.seq]
    was = court.forget(after=after)
    court.leader.recover(T0)
    assert court.journal[:-1] == known
    assert court.events("incident")[0].name == "mended"
    assert f"forgot commits {after + 1} to {known[-1].seq}" in court.events("incident")[0].detail
    for key, entries in was.items():
        kept = [one for one in entries if int(one[0].split(b"-")[0]) <= known[-1].seq]
        assert court.raw.xrange(key)[: len(kept)] == kept
    court.consume()
    court.talk(1)
    assert Leader.open(court.streams, court.run).state == court.leader.state


def test_another_history_in_the_journals_place_is_another_leaders() -> None:
    court, other = Court().begin(), Court(spec_of(seed=8)).begin()
    court.talk(4)
    court.forget(after=0)
    for entry in other.raw.xrange(keys.journal(other.run)):
        court.raw.xadd(keys.journal(court.run), entry[1], id=entry[0])
    with pytest.raises(Conflict):
        court.leader.recover(T0)


@pytest.mark.parametrize(
    ("spec", "why"),
    [(None, "it has no spec"), ("", "no spec"), ('{"parley": 2}', "no spec: field")],
)
def test_a_run_whose_spec_cannot_be_read_is_not_led(spec: str | None, why: str) -> None:
    court = Court()
    court.raw.delete(keys.spec(court.run))
    if spec is not None:
        court.raw.set(keys.spec(court.run), spec)
    with pytest.raises(BadEntry, match=why):
        Leader.open(court.streams, court.run)


def test_a_run_whose_spec_was_changed_is_not_led() -> None:
    court = Court().begin()
    body = court.raw.get(keys.spec(court.run)).replace(b'"seed":7', b'"seed":8')
    court.raw.set(keys.spec(court.run), body)
    with pytest.raises(BadEntry, match="it names another spec than the one that is stored"):
        Leader.open(court.streams, court.run)


def test_a_journal_that_does_not_hold_together_is_not_led() -> None:
    court = Court().begin()
    court.talk(2)
    court.raw.xdel(keys.journal(court.run), "2-0")
    with pytest.raises(BadEntry, match="journal 3: it does not follow commit 1"):
        Leader.open(court.streams, court.run)


def test_a_server_whose_clock_is_ahead_costs_a_try_at_most_and_not_the_run() -> None:
    court = Court()
    court.begin()
    entry = Entry(court.leader.floor_key, f"{court.now_ms + 200_000}-0", {"b": "no input"})
    court.leader.consume([entry], court.now_ms)
    assert court.leader.state.phase == "running"
    assert len(court.events("revoked")) <= 2
    assert not court.events("turn_closed")
