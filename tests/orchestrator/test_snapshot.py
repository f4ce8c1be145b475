"""Snapshots: the state as text, and a leader that starts from it or does without."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from orchestrator import engine
from orchestrator.leader import Leader
from orchestrator.rules import HASHED_EVERY
from orchestrator.snapshot import freeze, state_sha256, thaw
from orchestrator.snapshot_store import LAG
from tests.court import Court
from tests.scenes import Table, spec_of
from utils import keys
from utils.errors import BadEntry
from utils.spec import ChannelSpec

SPEC = "0" * 64
EVERY = 10


def a_table() -> Table:
    channels = [
        ChannelSpec(name="main", members=("ada", "bo", "cy"), policy="simultaneous"),
        ChannelSpec(name="side", members=("dee", "eve"), hears="neighbours", opening="Well?"),
    ]
    table = Table(spec_of(("ada", "bo", "cy", "dee", "eve"), channels=channels)).begin()
    first, side = table.state.live()[0], table.state.live()[-1]
    table.propose(first)
    table.propose(side, text="Bo?")
    table.say({"kind": "pause", "author": "console", "nonce": "p"})
    table.say({"kind": "mute", "author": "console", "nonce": "m", "bot": "cy"})
    table.fail(table.state.live()[0])
    return table


def a_court(commits: int) -> Court:
    """A run led by a leader that makes snapshots often."""
    court = Court(spec_of(turns=None))
    court.leader = Leader.open(court.streams, court.run, hashed_every=EVERY)
    court.begin()
    court.talk(commits - court.leader.state.seq)
    return court


def test_a_state_with_everything_in_it_is_read_back_the_same() -> None:
    table = a_table()
    assert thaw(table.rules, freeze(table.state, spec_sha256=SPEC), spec_sha256=SPEC) == table.state


def test_a_state_read_back_goes_on_as_if_nothing_had_been() -> None:
    table, other = a_table(), a_table()
    other.state = thaw(other.rules, freeze(other.state, spec_sha256=SPEC), spec_sha256=SPEC)
    for each in (table, other):
        each.say({"kind": "resume", "author": "console", "nonce": "r"})
        each.propose(each.state.live()[0])
    assert other.state == table.state
    assert [one.body for one in other.journal] == [one.body for one in table.journal]


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body[: len(body) // 2],
        lambda body: body.replace('"fields":["world"', '"fields":["planet"'),
        lambda body: body.replace("host-ada", "host-bob"),
        lambda body: body.replace(f'"spec_sha256":"{SPEC}"', f'"spec_sha256":"{"1" * 64}"'),
        lambda body: json.dumps({**json.loads(body), "seq": 3}),
        lambda body: json.dumps({**json.loads(body), "world": "{}"}),
    ],
    ids=["cut", "other fields", "another host", "another spec", "another commit", "no world"],
)
def test_a_snapshot_that_is_not_what_it_says_is_refused(change: Callable[[str], str]) -> None:
    table = a_table()
    body = freeze(table.state, spec_sha256=SPEC)
    assert change(body) != body
    with pytest.raises(BadEntry, match="snapshot"):
        thaw(table.rules, change(body), spec_sha256=SPEC)


def test_a_leader_starts_from_a_snapshot_with_the_state_the_whole_journal_gives() -> None:
    court = a_court(commits=57)
    body = json.loads(court.streams.read_snapshot(court.run) or "")
    assert body["seq"] == 50 - LAG * EVERY
    found = Leader.open(court.streams, court.run)
    court.raw.delete(keys.snapshot(court.run))
    without = Leader.open(court.streams, court.run)
    assert found.state == without.state == court.leader.state
    assert [one.seq for one in found._kept.after(0)] == list(range(31, 58))
    assert [one.seq for one in without._kept.after(0)] == list(range(1, 58))


def test_who_started_from_a_snapshot_leads_on() -> None:
    court = a_court(commits=57)
    court.leader = Leader.open(court.streams, court.run)
    court.talk(3)
    assert court.leader.state.seq == 60
    assert [sealed.seq for sealed in court.journal] == list(range(1, 61))


@pytest.mark.parametrize("body", ["", "no json", "{}"])
def test_a_snapshot_that_cannot_be_read_costs_time_and_nothing_else(body: str) -> None:
    court = a_court(commits=57)
    assert court.streams.write_snapshot(court.run, body, seq=30)
    assert Leader.open(court.streams, court.run).state == court.leader.state


def test_a_snapshot_of_commits_that_the_server_forgot_is_ignored() -> None:
    court = a_court(commits=57)
    court.raw.xtrim(keys.journal(court.run), maxlen=0)
    assert Leader.open(court.streams, court.run).state.seq == 0


def test_every_so_many_commits_the_hash_of_the_state_before_is_journalled() -> None:
    table = Table(spec_of(turns=None)).begin()
    while len(table.journal) < HASHED_EVERY:
        table.talk(1)
    before = table.state
    assert not table.events("state_hashed")
    table.talk(1)
    (hashed,) = table.events("state_hashed")
    assert hashed.state_sha256 == state_sha256(before)
    state = engine.initial(table.rules)
    for sealed in table.journal[:HASHED_EVERY]:
        state = engine.evolve(table.rules, state, sealed)
    assert state_sha256(state) == hashed.state_sha256
