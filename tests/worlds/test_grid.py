"""The grid's rules, one step at a time: who may do what, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pydantic import JsonValue

from tests.scenes import Table
from tests.worlds.grid_played import BODIES, Hand, grid_spec, hash_of, play
from utils.protocol import EVENT, Heard, MemberJoined, MemberLeft, OpenEvent
from worlds.grid.rules import Grid
from worlds.grid.state import Cell, GridState, spot


def placed(seed: int) -> GridState:
    grid = Table(grid_spec(seed=seed)).begin().state.world
    assert isinstance(grid, GridState)
    return grid


def test_everybody_begins_on_a_cell_of_its_own_and_berries_lie_by_the_runs_seed() -> None:
    one, again, other = placed(1), placed(1), placed(2)
    assert list(one.land.bodies) == [*BODIES]
    assert len(one.land.standing) == len(BODIES)
    assert sum(one.land.berries.values()) == one.settings.items
    assert one == again
    assert one.land.berries != other.land.berries


def test_a_land_can_be_full() -> None:
    table = Table(grid_spec(BODIES, width=2, height=2)).begin()
    assert len(table.state.world.land.standing) == 4


@pytest.mark.parametrize(
    ("way", "to"), [("n", (3, 2)), ("e", (4, 3)), ("s", (3, 4)), ("w", (2, 3))]
)
def test_a_body_walks_one_cell_a_step(way: str, to: Cell) -> None:
    hand = Hand({"ada": (3, 3)}).means("ada", "move", way=way)
    assert hand.at("ada") == (3, 3)
    hand.step()
    assert hand.at("ada") == to
    assert hand.did == {"ada": {"do": "move", "to": [*to]}}
    hand.step()
    assert (hand.at("ada"), hand.did) == (to, {})


@pytest.mark.parametrize(
    ("at", "way"), [((3, 0), "n"), ((7, 3), "e"), ((3, 5), "s"), ((0, 3), "w")]
)
def test_nobody_walks_off_the_land(at: Cell, way: str) -> None:
    hand = Hand({"ada": at}).means("ada", "move", way=way)
    hand.step()
    assert hand.at("ada") == at
    assert hand.did["ada"] == {"do": "wait", "tried": "move", "why": "the land ends there"}


def test_of_two_who_want_one_cell_a_draw_lets_one_in_and_not_always_the_same() -> None:
    winners = set()
    for seed in range(20):
        hand = Hand({"ada": (1, 1), "bo": (3, 1)}, seed=seed)
        hand.means("ada", "move", way="e").means("bo", "move", way="w").step()
        (winner,) = (bot for bot in ("ada", "bo") if hand.at(bot) == (2, 1))
        (loser,) = {"ada", "bo"} - {winner}
        assert hand.did[loser]["why"] == "another was quicker"
        winners.add(winner)
    assert winners == {"ada", "bo"}


def test_who_meant_it_first_decides_nothing() -> None:
    after = set()
    for order in (("ada", "bo", "cy"), ("cy", "bo", "ada")):
        hand = Hand({"ada": (1, 1), "bo": (3, 1), "cy": (2, 2)})
        ways = {"ada": "e", "bo": "w", "cy": "n"}
        for bot in order:
            hand.means(bot, "move", way=ways[bot])
        before = hash_of(hand.state)
        events = hand.step()
        after.add((before, hash_of(hand.state), events[0].model_dump_json()))
    assert len(after) == 1


def test_a_row_of_bodies_walks_on_together_and_stops_together() -> None:
    cells: dict[str, Cell] = {"ada": (1, 1), "bo": (2, 1), "cy": (3, 1)}
    hand = Hand(cells)
    for bot in cells:
        hand.means(bot, "move", way="e")
    hand.step()
    assert [hand.at(bot) for bot in cells] == [(2, 1), (3, 1), (4, 1)]
    for bot in ("ada", "bo"):
        hand.means(bot, "move", way="e")
    hand.step()
    assert [hand.at(bot) for bot in cells] == [(2, 1), (3, 1), (4, 1)]
    assert {deed["why"] for deed in hand.did.values()} == {"somebody stands there"}


def test_two_may_change_places() -> None:
    hand = Hand({"ada": (1, 1), "bo": (2, 1)})
    hand.means("ada", "move", way="e").means("bo", "move", way="w").step()
    assert (hand.at("ada"), hand.at("bo")) == ((2, 1), (1, 1))


@pytest.mark.parametrize("seed", range(5))
def test_no_two_ever_share_a_cell_and_no_berry_is_lost(seed: int) -> None:
    spec = grid_spec((*BODIES, "eve", "fay"), seed=seed, width=4, height=3, items=9, decay=0.3)
    grid = Grid()
    state = grid.initial(spec)
    for event in play(spec).events():
        state = grid.evolve(state, event)
        bodies, lying = state.land.bodies.values(), state.land.berries
        assert len(state.land.standing) == len(bodies)
        assert min(lying.values(), default=1) > 0
        assert not bodies or sum(lying.values()) + sum(body.carries for body in bodies) == 9


def test_a_berry_is_taken_carried_and_eaten_and_grows_again() -> None:
    hand = Hand({"ada": (2, 2)}, [(2, 2)], decay=1, full=5)
    hand.means("ada", "take").step()
    assert (hand.body("ada").carries, hand.body("ada").energy) == (1, 4)
    assert not hand.state.land.berries
    hand.means("ada", "eat").step()
    assert (hand.body("ada").carries, hand.body("ada").energy) == (0, 4)
    assert sum(hand.state.land.berries.values()) == 1


def test_of_two_berries_in_a_place_one_is_left() -> None:
    hand = Hand({"ada": (2, 2)}, [(2, 2), (2, 2)])
    hand.means("ada", "take").step()
    assert hand.state.land.berries == {spot((2, 2)): 1}


@pytest.mark.parametrize(
    ("args", "deed"),
    [
        ({"do": "take"}, {"do": "wait", "tried": "take", "why": "nothing lies here"}),
        ({"do": "eat"}, {"do": "wait", "tried": "eat", "why": "nothing in hand"}),
        ({"do": "give", "to": "bo"}, {"do": "wait", "tried": "give", "why": "nothing in hand"}),
        ({"do": "give"}, {"do": "wait", "why": "to nobody"}),
        ({"do": "move"}, {"do": "wait", "why": "no such way"}),
        ({"do": "move", "way": ["n"]}, {"do": "wait", "why": "no such way"}),
        ({"do": "say", "text": " "}, {"do": "wait", "why": "nothing said"}),
        ({"do": "say", "text": "\x00"}, {"do": "wait", "why": "nothing said"}),
        ({"do": "say", "text": "x" * 201}, {"do": "wait", "why": "too long"}),
        ({"do": ["fly"]}, {"do": "wait", "why": "no such action"}),
        ({"do": "fly"}, {"do": "wait", "why": "no such action"}),
        ("move", {"do": "wait", "why": "no such action"}),
        (None, {"do": "wait", "why": "no such action"}),
    ],
)
def test_what_cannot_be_done_is_waiting_and_the_journal_says_why(
    args: JsonValue, deed: dict[str, str]
) -> None:
    hand = Hand({"ada": (2, 2), "bo": (2, 3)}).answers("ada", args)
    before = hand.state.land
    assert len(hand.step()) == 1
    assert (hand.did, hand.state.land) == ({"ada": deed}, before)


def given(to: str, at: Cell) -> Hand:
    """Let ada, with a berry in hand at (2, 2), mean to give it to somebody."""
    hand = Hand({"ada": (2, 2), "bo": at}, [(2, 2)])
    hand.means("ada", "take").step()
    return hand.means("ada", "give", to=to)


def test_a_berry_is_given_to_who_is_within_reach() -> None:
    hand = given("Bo", (2, 4))
    _, exchanged = hand.step()
    assert hand.did == {"ada": {"do": "give", "to": "bo"}}
    assert (hand.body("ada").carries, hand.body("bo").carries) == (0, 1)
    assert (exchanged.kind, exchanged.model_extra["sort"]) == ("grid.exchanged", "gift")
    assert (exchanged.model_extra["by"], exchanged.model_extra["to"]) == ("ada", "bo")


@pytest.mark.parametrize(
    ("to", "at", "why"),
    [
        ("bo", (2, 5), "out of reach"),
        ("zoe", (2, 3), "nobody of that name"),
        ("ada", (2, 3), "nobody of that name"),
    ],
)
def test_a_berry_is_not_given_to_who_cannot_be_reached(to: str, at: Cell, why: str) -> None:
    hand = given(to, at)
    assert len(hand.step()) == 1
    assert hand.did["ada"] == {"do": "wait", "tried": "give", "why": why}
    assert hand.body("ada").carries == 1


def test_reach_is_measured_where_everybody_stands_after_walking() -> None:
    hand = given("bo", (2, 4)).means("bo", "move", way="s")
    hand.step()
    assert hand.did["ada"]["why"] == "out of reach"
    hand.means("ada", "give", to="bo").means("bo", "move", way="n").step()
    assert hand.did["ada"] == {"do": "give", "to": "bo"}


def test_what_is_given_in_a_step_is_not_given_on_in_it() -> None:
    hand = given("bo", (2, 3)).means("bo", "give", to="ada")
    hand.step()
    assert hand.did["bo"]["why"] == "nothing in hand"
    assert hand.body("bo").carries == 1


def test_without_energy_nobody_walks_until_somebody_gives_it_a_berry() -> None:
    hand = Hand({"ada": (2, 2), "bo": (2, 3)}, [(2, 2)], full=2, decay=1)
    hand.means("ada", "take").step()
    hand.means("ada", "give", to="bo").step()
    assert hand.body("bo").energy == 0
    hand.means("bo", "move", way="s").step()
    assert hand.did["bo"]["why"] == "too weak"
    hand.means("bo", "eat").step()
    hand.means("bo", "move", way="s").step()
    assert hand.did["bo"] == {"do": "move", "to": [2, 4]}


def speech(events: Sequence[object]) -> list[Heard]:
    return [event for event in events if isinstance(event, Heard)]


def test_words_are_heard_within_reach_and_no_farther() -> None:
    hand = Hand({"ada": (2, 2), "bo": (3, 3), "cy": (2, 5), "dot": (4, 2)})
    (heard,) = speech(hand.means("ada", "say", text=" Is anybody here? ").step())
    assert (heard.channel, heard.speaker, heard.text) == ("land", "ada", "Is anybody here?")
    assert set(heard.audience) == {"ada", "bo", "dot"}
    assert heard.epoch == 1
    assert "Is anybody here?" in str(hand.state.attention["bo"].heard)
    assert hand.state.attention["cy"].heard is None


def test_who_is_taken_out_of_the_channel_hears_no_more_until_it_is_added_again() -> None:
    hand = Hand({"ada": (2, 2), "bo": (3, 3)})
    audiences = []
    for event in (MemberLeft(channel="land", bot="bo"), MemberJoined(channel="land", bot="bo")):
        hand.take(event)
        (heard,) = speech(hand.means("ada", "say", text="Well?").step())
        audiences.append(heard.audience)
    assert audiences == [("ada",), ("ada", "bo")]


def test_words_that_answer_words_are_an_exchange_once() -> None:
    hand = Hand({"ada": (2, 2), "bo": (3, 3)})
    assert len(hand.means("ada", "say", text="Well?").step()) == 2
    exchanged = hand.means("bo", "say", text="Yes.").step()[-1].model_extra
    assert (exchanged["sort"], exchanged["by"], exchanged["to"]) == ("reply", "bo", "ada")
    assert (exchanged["answers"], exchanged["text"]) == ("Well?", "Yes.")
    assert len(hand.means("bo", "say", text="Indeed.").step()) == 2


def test_words_said_at_once_answer_what_was_heard_before() -> None:
    hand = Hand({"ada": (2, 2), "bo": (3, 3)})
    hand.means("ada", "say", text="a1").means("bo", "say", text="b1").step()
    events = hand.means("ada", "say", text="a2").means("bo", "say", text="b2").step()
    replies = [event.model_extra for event in events if event.kind == "grid.exchanged"]
    assert [(one["answers"], one["text"]) for one in replies] == [("b1", "a2"), ("a1", "b2")]


def test_hunger_is_computed_from_the_seed_in_the_event_and_from_nothing_else() -> None:
    bodies: dict[str, Cell] = {bot: (place, 0) for place, bot in enumerate(BODIES)}
    hand = Hand(bodies, decay=0.5)
    stepped = {"kind": "grid.stepped", "tick": 1, "did": {}}

    def after(seed: int) -> str:
        event = OpenEvent.model_validate({**stepped, "seed": seed})
        made = hash_of(hand.grid.evolve(hand.state, event))
        read_back = EVENT.validate_json(event.model_dump_json())
        assert hash_of(hand.grid.evolve(hand.state, read_back)) == made
        return made

    assert after(1) == after(1)
    assert len({after(seed) for seed in range(30)}) > 8


def test_hunger_comes_as_often_as_the_scenario_says() -> None:
    hand = Hand({"ada": (0, 0)}, decay=0.25, full=1_000, ticks=2_000)
    for _ in range(2_000):
        hand.step()
    assert 420 < 1_000 - hand.body("ada").energy < 580
