"""Each policy's rule, alone and at a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

import pytest

from orchestrator.plugins import POLICIES as GROUP
from orchestrator.policies.addressed import Addressed
from orchestrator.policies.random_order import RandomOrder
from orchestrator.policies.round_robin import RoundRobin
from orchestrator.policies.seam import FloorView, Policy
from orchestrator.policies.simultaneous import Simultaneous
from tests.scenes import POLICIES, Table, spec_of
from utils import plugins
from utils.protocol import DeadlinePassed, HostLost
from utils.seeds import Chance
from utils.spec import FloorSpec

RING = ("ada", "bo", "cy", "dee")
CHANCE = Chance(7)


def view(
    turn: int = 1,
    *,
    tries: int = 0,
    eligible: tuple[str, ...] = RING,
    last: str | None = None,
    addressee: str | None = None,
    held: Mapping[str, int] | None = None,
    channel: str = "main",
) -> FloorView:
    return FloorView(channel, turn, tries, RING, eligible, last, addressee, held or {})


def passing(table: Table, *, turns: int, silent: str) -> None:
    """Let everybody speak but one, who passes whenever asked."""
    for _ in range(turns):
        table.now_ms += 1
        if table.grant.event.bot == silent:
            table.propose(action={"kind": "pass"})
        else:
            table.propose()


def test_the_policies_at_these_tables_are_the_installed_ones() -> None:
    installed = {name: plugins.find(GROUP, name) for name in plugins.names(GROUP)}
    assert installed == {name: type(policy) for name, policy in POLICIES.items()}


@pytest.mark.parametrize("policy", POLICIES.values(), ids=list(POLICIES))
@pytest.mark.parametrize("eligible", [RING, ("cy",), ("bo", "dee")])
def test_every_policy_chooses_among_the_eligible_and_always_the_same(
    policy: Policy, eligible: tuple[str, ...]
) -> None:
    for turn in range(1, 9):
        for addressee in (None, "ada", "cy", "nobody"):
            at = view(turn, eligible=eligible, last="bo", addressee=addressee, held={"bo": 1})
            chosen = policy.choose(at, CHANCE)
            assert chosen
            assert set(chosen) <= set(eligible)
            assert policy.choose(at, CHANCE) == chosen


def test_round_robin_goes_around_the_ring() -> None:
    chosen = [RoundRobin().choose(view(turn), CHANCE)[0] for turn in range(1, 10)]
    assert chosen == [*RING, *RING, "ada"]


def test_round_robin_asks_the_next_in_the_ring_when_one_cannot() -> None:
    assert RoundRobin().choose(view(2, eligible=("ada", "dee")), CHANCE) == ("dee",)
    assert RoundRobin().choose(view(4, eligible=("bo", "cy")), CHANCE) == ("bo",)


def test_a_turn_given_up_does_not_shift_the_round() -> None:
    table = Table(spec_of(RING, floor=FloorSpec(tries=1), turns=None)).begin()
    table.talk(1)
    table.notice(DeadlinePassed(epoch=table.grant.event.epoch))
    table.talk(6)
    assert table.speakers() == ["ada", "cy", "dee", "ada", "bo", "cy", "dee"]


def test_random_never_asks_the_last_speaker_unless_it_is_alone() -> None:
    for turn in range(1, 200):
        assert RandomOrder().choose(view(turn, last="bo"), CHANCE) != ("bo",)
    assert RandomOrder().choose(view(eligible=("bo",), last="bo"), CHANCE) == ("bo",)


def test_random_asks_each_about_equally_often() -> None:
    counted = Counter(RandomOrder().choose(view(turn), CHANCE)[0] for turn in range(4_000))
    assert set(counted) == set(RING)
    assert all(900 <= count <= 1_100 for count in counted.values())


def test_a_random_draw_is_placed_by_channel_turn_and_tries_and_by_nothing_else() -> None:
    places = [view(turn, tries=tries) for turn in range(30) for tries in range(3)]
    first, again = ([RandomOrder().choose(one, CHANCE) for one in places[n::3]] for n in (0, 1))
    assert first != again
    forward = [RandomOrder().choose(place, CHANCE) for place in places]
    backward = [RandomOrder().choose(place, CHANCE) for place in reversed(places)]
    assert forward == backward[::-1]
    later = [view(one.turn, tries=one.tries, held={"cy": 9}, addressee="cy") for one in places]
    assert [RandomOrder().choose(place, CHANCE) for place in later] == forward
    elsewhere = [view(one.turn, tries=one.tries, channel="garden") for one in places]
    assert [RandomOrder().choose(place, CHANCE) for place in elsewhere] != forward
    assert [RandomOrder().choose(place, Chance(8)) for place in places] != forward


def test_a_random_run_is_the_same_whenever_the_answers_come() -> None:
    quick, slow = (Table(spec_of(RING, policy="random", turns=30)).begin() for _ in range(2))
    quick.talk(30)
    for number in range(30):
        slow.now_ms += 1_000 * (number % 7)
        slow.say("garbage")
        slow.propose()
    assert slow.speakers() == quick.speakers()
    assert all(one != other for one, other in pairwise(quick.speakers()))


def test_addressed_asks_whoever_was_spoken_to() -> None:
    assert Addressed().choose(view(addressee="dee", last="bo", held={"dee": 8}), CHANCE) == ("dee",)


@pytest.mark.parametrize(
    ("held", "last", "expected"),
    [
        ({}, None, "ada"),
        ({"ada": 1}, "ada", "bo"),
        ({"ada": 4, "bo": 3, "cy": 1, "dee": 2}, "ada", "cy"),
        ({"ada": 1, "bo": 1, "cy": 1, "dee": 1}, None, "ada"),
        ({"bo": 1, "dee": 2}, "dee", "ada"),
    ],
)
def test_addressed_falls_back_to_the_longest_silent(
    held: dict[str, int], last: str | None, expected: str
) -> None:
    assert Addressed().choose(view(held=held, last=last), CHANCE) == (expected,)


def test_addressed_falls_back_when_the_addressee_cannot_be_asked() -> None:
    at = view(eligible=("ada", "bo"), addressee="dee", last="ada", held={"bo": 5})
    assert Addressed().choose(at, CHANCE) == ("bo",)
    assert Addressed().choose(view(eligible=("ada",), last="ada"), CHANCE) == ("ada",)


def test_at_a_table_the_one_who_is_named_speaks_next() -> None:
    table = Table(spec_of(RING, policy="addressed")).begin()
    for text in ("Dee, what is it?", "Ask Bo.", "Dee again?", "Nobody in particular."):
        table.propose(text=text)
    assert table.speakers() == ["ada", "dee", "bo", "dee"]
    assert table.grant.event.bot == "cy"


def test_the_addressee_keeps_the_turn_it_was_given_only_as_long_as_it_can_answer() -> None:
    table = Table(spec_of(RING, policy="addressed")).begin()
    table.propose(text="Cy?")
    assert table.grant.event.bot == "cy"
    table.notice(DeadlinePassed(epoch=table.grant.event.epoch))
    assert table.grant.event.bot == "bo"
    table.propose(text="I will say it for him.")
    assert table.grant.event.bot == "dee"


def test_two_who_name_each_other_hold_the_floor_between_them_as_long_as_they_do() -> None:
    table = Table(spec_of(RING, policy="addressed", turns=None)).begin()
    table.talk(9, lambda grant: "Dee!" if grant.event.bot == "ada" else "Ada!")
    assert table.speakers() == ["ada", "dee"] * 4 + ["ada"]


@pytest.mark.parametrize("policy", ["round_robin", "random", "addressed"])
def test_a_bot_that_always_passes_does_not_hold_the_floor_for_ever(policy: str) -> None:
    table = Table(spec_of(RING, policy=policy, turns=None)).begin()
    passing(table, turns=60, silent="bo")
    spoke = Counter(table.speakers())
    assert set(spoke) == {"ada", "cy", "dee"}
    assert min(spoke.values()) >= 10
    asked = [event.bot for event in table.events("granted")]
    assert asked.count("bo") <= 30


def test_a_bot_that_is_named_and_passes_gives_the_floor_to_the_longest_silent() -> None:
    table = Table(spec_of(RING, policy="addressed", turns=None)).begin()
    table.propose(text="Bo?")
    table.propose(action={"kind": "pass"})
    assert table.grant.event.bot == "cy"
    table.talk(2)
    assert table.speakers() == ["ada", "cy", "dee"]


@pytest.mark.parametrize("policy", ["round_robin", "random", "addressed"])
def test_a_bot_whose_host_is_lost_is_passed_over_by_every_policy(policy: str) -> None:
    table = Table(spec_of(RING, policy=policy, turns=None)).begin()
    table.notice(HostLost(host="host-cy"))
    while "cy" not in [event.bot for event in table.events("revoked")]:
        if table.grant.event.bot == "cy":
            table.notice(DeadlinePassed(epoch=table.grant.event.epoch))
        else:
            table.talk(1)
    table.talk(20, lambda grant: "Cy, are you there?")
    assert "cy" not in table.speakers()
    assert set(table.speakers()) == {"ada", "bo", "dee"}


def test_simultaneous_asks_all_who_are_there() -> None:
    assert Simultaneous().choose(view(), CHANCE) == RING
    assert Simultaneous().choose(view(eligible=("bo", "dee"), last="bo"), CHANCE) == ("bo", "dee")
