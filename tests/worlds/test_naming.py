"""The naming game: what it makes of answers that are none, when it ends, what it keeps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from pydantic import TypeAdapter

from orchestrator.snapshot import freeze, thaw
from orchestrator.state import Grant
from parley.library import find_scenario
from parley.resolve import resolve_file
from tests.scenes import Table
from tests.swarm import Swarm, fake_swarm
from tests.worlds.naming_played import GRAPHS, by_rule, came_of, drawn_ms, game, mets, played
from utils import keys
from utils.calls import CallRecord
from utils.protocol import EVENT, Act, Action, OpenEvent, Pass
from worlds.naming.rules import Naming
from worlds.naming.state import NamingState

STATE = TypeAdapter(NamingState)


def say(args: Any) -> Callable[[Grant], Action]:
    """A bot that answers the same whatever it is asked."""
    return lambda grant: Act(name=getattr(grant.event.ask, "name", ""), args=args)


# --- answers that are none -------------------------------------------------------------


@pytest.mark.parametrize("args", ["", "two words", "x" * 25, "é", 7, None, {"word": "tarbu"}, True])
def test_what_is_no_word_leaves_everything_as_it_was(args: Any) -> None:
    table = played(game(3, variant="minimal", encounters=5), act=say(args))
    assert [met["words"] for met in mets(table)] == [[]] * 5
    assert not any(met["success"] for met in mets(table))
    assert set(table.state.world.inventories.values()) == {()}
    assert {one.text for one in table.events("heard")} == {"No word was said."}


def test_a_word_that_is_not_the_speakers_own_is_no_word() -> None:
    words = count()

    def invents_always(grant: Grant) -> Action:
        if grant.event.turn == 1:
            return say("w" * (1 + next(words) % 20))(grant)
        return say(False)(grant)

    table = played(game(2, variant="minimal", encounters=6), act=invents_always)
    assert [len(met["words"]) for met in mets(table)].count(0) >= 3


@pytest.mark.parametrize("answer", [Pass(), Act(name="know", args="yes"), Act(name="know")])
def test_a_hearer_that_does_not_answer_learns_nothing(answer: Action) -> None:
    table = played(
        game(2, variant="minimal", encounters=1),
        act=lambda grant: by_rule(grant) if grant.event.turn == 1 else answer,
    )
    (met,) = mets(table)
    held = table.state.world.inventories
    assert (held[met["speaker"]], held[met["hearer"]]) == (tuple(met["words"]), ())
    assert (met["success"], met.get("answer"), met["knew"]) == (False, None, False)


def test_it_is_what_the_hearer_says_that_counts_and_what_it_knew_is_recorded() -> None:
    table = played(
        game(2, variant="minimal", encounters=1),
        act=lambda grant: by_rule(grant) if grant.event.turn == 1 else say(True)(grant),
    )
    (met,) = mets(table)
    assert (met["success"], met["answer"], met["knew"]) == (True, True, False)
    assert set(table.state.world.inventories.values()) == {tuple(met["words"])}


@pytest.mark.parametrize("args", ["Q", "", 7, None, ["F"], "FJ"])
def test_who_names_none_of_the_words_has_not_agreed_and_both_are_paid_so(args: Any) -> None:
    table = played(game(2, encounters=2), act=say(args))
    assert [(met["words"], met["points"]) for met in mets(table)] == [
        ([None, None], [-50, -50])
    ] * 2
    assert table.state.world.points == {"bot-001": -100, "bot-002": -100}
    assert "You named nothing, the other player named nothing." in table.events("heard")[0].text


@pytest.mark.parametrize(("args", "word"), [("f", "F"), (" J\n", "J"), ("F", "F")])
def test_case_and_space_do_not_make_another_word(args: str, word: str) -> None:
    table = played(game(2, encounters=1), act=say(args))
    assert mets(table)[0]["words"] == [word, word]
    assert mets(table)[0]["success"]


@pytest.mark.parametrize("variant", ["minimal", "coordination"])
def test_bots_that_never_answer_stall_nothing(variant: str) -> None:
    table = played(game(3, variant=variant, encounters=4), latency_ms=lambda grant: 60_000)
    assert [met["encounter"] for met in mets(table)] == [1, 2, 3, 4]
    assert not any(met["success"] for met in mets(table))
    assert table.events("ended")[0].detail == "after 4 encounters"


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("variant", ["minimal", "coordination"])
def test_an_encounter_that_somebody_is_taken_out_of_fails_and_the_next_one_comes(
    variant: str, place: int
) -> None:
    table = Table(game(6, variant=variant, encounters=5)).begin()
    gone = table.state.world.open[0].pair[place]
    command = {"kind": "kick", "author": "me", "nonce": "k", "channel": "met-1", "bot": gone}
    table.say(command)
    table.play(by_rule)
    assert [met["encounter"] for met in mets(table)] == [1, 2, 3, 4, 5]
    assert not mets(table)[0]["success"]


def test_an_encounter_into_which_somebody_is_put_waits_for_its_pair_alone() -> None:
    table = Table(game(6, encounters=5)).begin()
    pair = table.state.world.open[0].pair
    other = next(bot for bot in table.state.world.bots if bot not in pair)
    command = {"kind": "add", "author": "me", "nonce": "a", "channel": "met-1", "bot": other}
    table.say(command)
    table.play(by_rule)
    granted = [event.bot for event in table.events("granted") if event.channel == "met-1"]
    assert set(granted) == set(pair)
    assert len(mets(table)) == 5


# --- ends and measures -----------------------------------------------------------------


def test_the_coordination_game_ends_when_the_last_encounters_all_agreed() -> None:
    table = played(game(8, until={"success_last_24": 1.0}))
    agreed = [met["success"] for met in mets(table)]
    (ended,) = table.events("ended")
    assert (ended.reason, ended.detail) == ("measure", "success_last_24 is 1")
    assert all(agreed[-24:])
    assert not any(all(agreed[end - 24 : end]) for end in range(24, len(agreed)))
    values = [one.value for one in table.events("measured") if one.name == "success_last_24"]
    assert values == [sum(agreed[end - 24 : end]) / 24 for end in range(24, len(agreed) + 1)]


def test_a_game_ends_after_its_turns_if_that_comes_first() -> None:
    spec = game(8, until={"success_last_24": 1.0})
    end = spec.end.model_copy(update={"turns": 9})
    table = played(spec.model_copy(update={"end": end}))
    assert table.events("ended")[0].reason == "turns"
    assert len(mets(table)) == 9


def test_the_words_in_use_are_counted_every_so_many_encounters_as_there_are_bots() -> None:
    spec = game(6, variant="minimal", encounters=120)
    table = played(spec)
    values = [one.value for one in table.events("measured") if one.name == "words"]
    assert len(values) == 20
    assert values[-1] == 1
    last = {word for came in came_of(spec, table.journal) for word in came.held[0]}
    assert max(values) <= len(last)


@pytest.mark.parametrize("name", ["words", "success_last_1", "success_last_99999"])
def test_what_is_measured_may_be_named_as_an_end(name: str) -> None:
    assert Naming().measures(name)


@pytest.mark.parametrize("name", ["success", "success_last_0", "success_last_", "success_last_07"])
def test_what_is_not_measured_may_not(name: str) -> None:
    assert not Naming().measures(name)


# --- state -----------------------------------------------------------------------------


@pytest.mark.parametrize("graph", ["complete", "small world"])
@pytest.mark.parametrize("variant", ["minimal", "coordination"])
def test_the_state_can_be_written_down_and_read_back_in_the_middle_of_a_game(
    variant: str, graph: str
) -> None:
    spec = game(10, variant=variant, graph=GRAPHS[graph], at_once=3, until={"success_last_30": 1.0})
    table = Table(spec).begin()
    while len(table.state.world.open) < 2 or not table.state.world.ahead:
        grants = sorted(table.state.live(), key=drawn_ms)
        table.propose(grants[0], action=by_rule(grants[0]).model_dump())
    state = table.state.world
    assert STATE.validate_json(STATE.dump_json(state)) == state
    body = freeze(table.state, spec_sha256="0" * 64)
    assert thaw(table.rules, body, spec_sha256="0" * 64) == table.state


def test_a_graph_is_drawn_once_and_read_from_the_journal_after_that() -> None:
    spec = game(12, graph={"regular": {"degree": 4}}, encounters=5)
    table = played(spec)
    (drawn,) = table.events("naming.graph")
    assert len(drawn.model_extra["edges"]) == 24
    world = Naming()
    edges = [[place, place + 1] for place in range(11)]
    other = OpenEvent.model_validate({"kind": "naming.graph", "edges": edges})
    state = world.evolve(world.initial(spec), other)
    for number in range(1, 100):
        speaker, hearer = (spec.bots.index(spec.bot(bot)) for bot in state.pair(number))
        assert abs(speaker - hearer) == 1


def test_events_as_they_were_made_and_as_they_are_read_back_lead_to_the_same_state() -> None:
    for variant in ("minimal", "coordination"):
        spec = game(6, variant=variant, graph="ring", encounters=40)
        world, made, read = Naming(), Naming().initial(spec), Naming().initial(spec)
        for event in played(spec).events():
            made = world.evolve(made, event)
            read = world.evolve(read, EVENT.validate_json(event.model_dump_json()))
            assert made == read


def test_an_observer_sees_the_words_in_use_and_a_bot_what_it_holds() -> None:
    table = played(game(4, variant="minimal", encounters=60))
    world, state = Naming(), table.state.world
    (word,) = {word for words in state.inventories.values() for word in words}
    assert world.view(state, None) == {"encounters": 60, "open": [], "words": [word]}
    assert world.view(state, "bot-001") == {"inventory": [word]}


# --- memory ----------------------------------------------------------------------------


def prompts(swarm: Swarm, run: str) -> dict[tuple[str, str], str]:
    """What each bot was shown in each encounter."""
    entries = swarm.streams.all(keys.calls(run))
    calls = [CallRecord.model_validate_json(entry.body) for entry in entries]
    return {
        (call.channel, call.bot): "\n".join(one.content for one in call.messages) for call in calls
    }


def shown(*, is_disturbed: bool) -> dict[tuple[str, str], str]:
    """What was shown in a game whose one host, if it is disturbed, leaves in the middle."""
    with fake_swarm() as swarm:
        swarm.orchestrator()
        first = swarm.host(6)
        run = swarm.seed(game(6, encounters=40))
        led = swarm.orchestrators[0].led
        swarm.until(lambda: run in led and led[run].state.turns >= 25)
        if is_disturbed:
            swarm.hosts.remove(first)
            first.leave()
            swarm.host(6)
        swarm.finish(run)
        return prompts(swarm, run)


def test_a_bot_seated_anew_recalls_the_same_past_encounters() -> None:
    undisturbed = shown(is_disturbed=False)
    assert shown(is_disturbed=True) == undisturbed
    last = next(text for (channel, _), text in undisturbed.items() if channel == "met-40")
    assert last.count("(announcement) You named") == 5


@pytest.mark.parametrize("name", ["naming", "convention"])
def test_the_games_that_come_along_end_as_they_say(name: str) -> None:
    spec = resolve_file(find_scenario(name))
    table = played(spec)
    assert table.events("ended")[0].reason == "measure"
    assert len(mets(table)) < 1_000
