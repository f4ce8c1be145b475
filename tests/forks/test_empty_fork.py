"""An empty fork says what its parent said, wherever it is forked."""

from __future__ import annotations

import pytest

from tests.forked import Played, finished, grid, naming
from tests.scenes import spec_of
from tests.swarm import happened
from utils.protocol import Action, Forked
from utils.seeds import Chance
from utils.spec import ChannelSpec, Spec

TURNS = 100


@pytest.fixture(scope="module")
def parent() -> Played:
    return finished(spec_of(turns=TURNS, policy="random"))


@pytest.mark.parametrize("turn", range(10, TURNS, 10))
def test_an_empty_fork_at_every_tenth_turn_gives_the_same_remaining_words(
    parent: Played, turn: int
) -> None:
    fork = parent.forked(f"turn:{turn}")
    assert fork.words == parent.words
    assert fork.places() == parent.places()


def test_its_beginning_is_its_parents_byte_for_byte_and_its_first_own_commit_says_so(
    parent: Played,
) -> None:
    fork = parent.forked("turn:40")
    (forked,) = happened(fork.journal, "forked")
    assert isinstance(forked, Forked)
    seq = forked.parent_seq
    assert [(one.body, one.sha256) for one in fork.journal[:seq]] == [
        (one.body, one.sha256) for one in parent.journal[:seq]
    ]
    assert (forked.parent, forked.parent_sha256) == (parent.run, parent.journal[seq - 1].sha256)
    assert (forked.run, forked.changes, forked.seed) == (fork.run, [], parent.spec.seed)
    assert fork.journal[seq].commit.events[0] is forked
    assert fork.journal[seq].commit.prev == parent.journal[seq - 1].sha256
    assert fork.journal[seq].commit.cursor == "0-0"
    (began,) = happened(fork.journal, "began")
    assert began.run == parent.run


def test_it_takes_back_what_was_granted_and_unseats_the_parents_hosts(parent: Played) -> None:
    fork = parent.forked("turn:40")
    revoked = happened(fork.own[:1], "revoked")
    assert [(one.reason, one.turn) for one in revoked] == [("forked", 41)]
    unseated = happened(fork.own[:1], "unseated")
    assert {(one.bot, one.reason) for one in unseated} == {
        (bot.name, "forked") for bot in parent.spec.bots
    }
    assert len(happened(fork.own, "seated")) == 3
    assert len(happened(fork.own, "gathered")) == 1


def test_its_channels_hold_the_same_entries_under_the_same_ids(parent: Played) -> None:
    fork = parent.forked("turn:40")
    theirs = parent.streams.range(f"parley:{{{parent.run}}}:channel:main")
    ours = fork.streams.range(f"parley:{{{fork.run}}}:channel:main")
    upto = sum(int(one.id.partition("-")[0]) <= fork.own[0].seq - 1 for one in theirs)
    assert upto > 40
    assert [(one.id, one.body) for one in ours[:upto]] == [
        (one.id, one.body) for one in theirs[:upto]
    ]


@pytest.mark.parametrize("seq", [1, 2, 4, 5])
def test_a_run_can_be_forked_before_anybody_spoke(parent: Played, seq: int) -> None:
    assert parent.forked(str(seq)).words == parent.words


def test_a_replicate_draws_by_a_seed_of_its_own(parent: Played) -> None:
    first, second = (parent.forked("turn:90", replicate=one, reseed=True) for one in (1, 2))
    seeds = [
        happened(one.journal, "forked")[0].seed for one in (parent.forked("turn:90"), first, second)
    ]
    assert len(set(seeds)) == 3
    assert first.places()[-1] != second.places()[-1]


# --- rounds, several channels, worlds -----------------------------------------------------


def test_a_round_of_which_some_have_answered_goes_on_with_those_that_have_not() -> None:
    parent = finished(spec_of(policy="simultaneous", turns=9), shuffle=Chance(3))
    partly = [
        one.seq
        for one in parent.journal
        if happened([one], "acted") and not happened([one], "turn_closed")
    ]
    assert len(partly) > 3
    for seq in partly:
        fork = parent.forked(str(seq))
        assert fork.words == parent.words
        assert set(fork.places()) == set(parent.places())
        assert len(happened(fork.own[:1], "revoked")) in (1, 2)


def test_channels_that_share_a_bot_go_on_as_they_would_have() -> None:
    channels = [
        ChannelSpec(name="one", members=("ada", "bo"), opening="One?"),
        ChannelSpec(name="two", members=("bo", "cy"), opening="Two?"),
        ChannelSpec(name="three", members=("dee", "cy"), opening="Three?"),
    ]
    parent = finished(spec_of(("ada", "bo", "cy", "dee"), channels=channels, turns=30))
    for turn in (3, 11, 20):
        fork = parent.forked(f"turn:{turn}")
        assert sorted(fork.words, key=str) == sorted(parent.words, key=str)


@pytest.mark.parametrize("spec", [naming(), grid()], ids=["naming", "grid"])
def test_other_worlds_go_on_as_they_would_have(spec: Spec) -> None:
    parent = finished(spec)
    assert len(did(parent)) > 20
    for turn in (7, 20, 33):
        fork = parent.forked(f"turn:{turn}")
        assert did(fork) == did(parent)
        assert fork.words == parent.words


def did(run: Played) -> list[tuple[str, int, str, Action]]:
    return [(one.channel, one.turn, one.bot, one.action) for one in happened(run.journal, "acted")]
