"""What a commit tells whom: channels and inboxes, and nobody else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import pytest

from orchestrator import engine
from orchestrator.routes import entries, targets
from tests.scenes import Table, kinds, spec_of
from utils.mail import ChannelEntry, InboxEntry
from utils.protocol import DeadlinePassed, HostLost, Observed, Seated, Started, Unseated
from utils.spec import ChannelSpec, Spec

INBOXES = ("inbox:host-ada", "inbox:host-bo", "inbox:host-cy")


def told(table: Table, step: Callable[[], object]) -> dict[str, list[str]]:
    """Take a step, and list the kinds of the events that went to each target."""
    before = table.state
    step()
    routed = targets(before, table.state, table.journal[-1].commit)
    return {target: kinds(events) for target, (events, _) in routed.items()}


def mail(table: Table) -> dict[str, list[ChannelEntry | InboxEntry]]:
    """Fold a journal again and collect everything that was ever written beside it."""
    written: dict[str, list[ChannelEntry | InboxEntry]] = defaultdict(list)
    state = engine.initial(table.rules)
    for sealed in table.journal:
        after = engine.evolve(table.rules, state, sealed)
        for target, body in entries(state, after, sealed).items():
            shape = ChannelEntry if target.startswith("channel:") else InboxEntry
            written[target].append(shape.model_validate_json(body))
        state = after
    return written


def a_varied_run(spec: Spec | None = None) -> Table:
    table = Table(spec or spec_of(policy="random", turns=None)).begin()
    table.talk(4)
    table.notice(HostLost(host="host-bo"))
    table.join("bo", host="host-ada")
    table.notice(*(DeadlinePassed(epoch=one.event.epoch) for one in table.state.live()))
    table.say("garbage")
    table.propose(epoch=99)
    table.leave("cy")
    table.join("cy")
    table.talk(5)
    table.say({"kind": "stop", "author": "person", "nonce": "x"})
    return table


def test_the_beginning_is_told_to_the_channels_and_to_no_host() -> None:
    table = Table(spec_of())
    started = Started(run="tea-1", spec_sha256="0" * 64)
    assert told(table, lambda: table.notice(started)) == {
        "channel:main": ["channel_opened", "heard"]
    }


def test_the_words_of_an_answer_are_told_to_the_channel_and_the_next_ask_to_the_next_host() -> None:
    table = Table(spec_of()).begin()
    assert told(table, table.propose) == {
        "channel:main": ["turn_closed", "heard"],
        "inbox:host-bo": ["granted"],
    }


def test_a_pass_is_told_like_an_answer_and_nothing_is_heard() -> None:
    table = Table(spec_of()).begin()
    assert told(table, lambda: table.propose(action={"kind": "pass"})) == {
        "channel:main": ["turn_closed"],
        "inbox:host-bo": ["granted"],
    }


def test_a_revoked_grant_is_told_to_the_host_that_holds_it() -> None:
    table = Table(spec_of()).begin()
    epoch = table.grant.event.epoch
    assert told(table, lambda: table.notice(DeadlinePassed(epoch=epoch))) == {
        "inbox:host-ada": ["revoked"],
        "inbox:host-bo": ["granted"],
    }


def test_a_refused_input_is_told_to_its_author_if_that_is_a_host_with_a_seat() -> None:
    table = Table(spec_of()).begin()
    assert told(table, lambda: table.propose(epoch=99)) == {"inbox:host-ada": ["rejected"]}
    assert told(table, lambda: table.propose(author="host-new")) == {}
    assert told(table, lambda: table.say("garbage")) == {}


def test_a_host_learns_the_nonces_of_its_own_inputs_and_of_no_others() -> None:
    table = Table(spec_of(policy="simultaneous")).begin()
    ada, _, cy = table.state.live()
    before = table.state
    said = [table.proposal(ada, nonce="a"), table.proposal(cy, nonce="c")]
    table.say(*said, {"kind": "stop", "author": "person", "nonce": "p"})
    routed = targets(before, table.state, table.journal[-1].commit)
    nonces = {target: nonces for target, (_, nonces) in routed.items() if nonces}
    assert nonces == {"inbox:host-ada": ["a"], "inbox:host-cy": ["c"]}


def test_a_host_that_left_learns_that_it_was_heard() -> None:
    table = Table(spec_of()).begin()
    before = table.state
    table.leave("cy")
    routed = targets(before, table.state, table.journal[-1].commit)
    events, nonces = routed["inbox:host-cy"]
    assert kinds(events) == ["unseated"]
    assert len(nonces) == 1


def test_a_bot_taken_over_is_told_to_the_old_host_and_the_new_one() -> None:
    table = Table(spec_of()).begin()
    assert told(table, lambda: table.join("ada", host="host-new")) == {
        "inbox:host-ada": ["unseated"],
        "inbox:host-new": ["seated"],
    }


def test_a_host_that_takes_a_seat_finds_the_grant_that_waits_there_with_its_fence() -> None:
    table = Table(spec_of()).begin()
    waiting = table.grant
    table.notice(HostLost(host="host-ada"))
    table.join("ada", host="host-new")
    (entry,) = mail(table)["inbox:host-new"]
    assert isinstance(entry, InboxEntry)
    (standing,) = entry.standing
    assert standing.event == waiting.event
    assert (standing.seq, standing.commit_sha256) == (waiting.seq, waiting.commit_sha256)
    assert standing.commit_sha256 == table.journal[waiting.seq - 1].sha256
    assert table.propose(author="host-new", grant=standing.commit_sha256)[0].kind == "acted"


def test_the_end_is_told_to_every_channel_and_every_host() -> None:
    channels = [
        ChannelSpec(name="kitchen", members=("ada", "bo")),
        ChannelSpec(name="garden", members=("cy",)),
    ]
    table = Table(spec_of(channels=channels)).begin()
    routed = told(table, lambda: table.say({"kind": "stop", "author": "person", "nonce": "x"}))
    assert set(routed) == {"channel:kitchen", "channel:garden", *INBOXES}
    assert all(events[-1] == "ended" for events in routed.values())


def test_an_incident_is_told_to_nobody() -> None:
    table = Table(spec_of()).begin()
    assert told(table, lambda: table.notice(Observed(name="flood"))) == {}


@pytest.mark.parametrize("policy", ["random", "addressed", "round_robin"])
def test_an_entry_names_its_commit_and_the_entry_before_it_in_the_same_stream(policy: str) -> None:
    table = a_varied_run(spec_of(policy=policy, turns=None))
    hashes = {sealed.seq: sealed.sha256 for sealed in table.journal}
    for written in mail(table).values():
        prev = ""
        for entry in written:
            assert entry.commit_sha256 == hashes[entry.seq]
            assert entry.prev == prev
            assert entry.at_ms == table.journal[entry.seq - 1].commit.at_ms
            prev = f"{entry.seq}:{entry.commit_sha256}"


def test_no_host_is_told_of_seats_that_are_not_its_own() -> None:
    table = a_varied_run()
    seats = {event.seat: event.host for event in table.events("seated")}
    for target, written in mail(table).items():
        for entry in written:
            if isinstance(entry, InboxEntry):
                named = [one.seat for one in entry.events if isinstance(one, Seated | Unseated)]
                assert {f"inbox:{seats[seat]}" for seat in named} <= {target}


def test_sealed_answers_reach_nobody_before_the_turn_is_closed() -> None:
    table = Table(spec_of(policy="simultaneous")).begin()
    ada, bo, cy = table.state.live()
    table.propose(bo, text="a secret")
    table.propose(ada, text="another secret")
    assert not any(
        "secret" in entry.model_dump_json() for one in mail(table).values() for entry in one
    )
    table.propose(cy)
    said = [entry.model_dump_json() for entry in mail(table)["channel:main"]]
    assert "a secret" in said[-1]


def test_what_is_written_beside_a_fold_is_what_the_leader_wrote() -> None:
    table = a_varied_run()
    told_of = [event for entry in mail(table)["channel:main"] for event in entry.events]
    assert [event for event in told_of if event.kind == "heard"] == table.events("heard")
    granted = {event.epoch for event in table.events("granted")}
    standing = {
        one.event.epoch
        for written in mail(table).values()
        for entry in written
        if isinstance(entry, InboxEntry)
        for one in entry.standing
    }
    assert standing == granted
