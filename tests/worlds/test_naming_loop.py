"""The naming game equals, encounter by encounter, a plain loop with the same draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import networkx as nx
import pytest

from tests.swarm import fake_swarm, happened
from tests.worlds.naming_played import GRAPHS, Came, came_of, drawn_ms, game, played
from utils.seeds import Chance, model_seed, seed_for
from utils.spec import Spec

BOTS, ENCOUNTERS = 12, 150
SYLLABLES = [one + other for one in "bdfgklmnprstvz" for other in "aeiou"]


# --- the two loops ---------------------------------------------------------------------


def pairs(
    names: list[str], graph: str, seed: int, encounters: int
) -> Iterator[tuple[int, str, str]]:
    """Who meets: a speaker, and one of its neighbours in a graph."""
    drawn = seed_for(seed, "naming.graph", 0)
    network = {
        "complete": lambda: nx.complete_graph(len(names)),
        "ring": lambda: nx.cycle_graph(len(names)),
        "regular": lambda: nx.random_regular_graph(4, len(names), seed=drawn),
        "small world": lambda: nx.watts_strogatz_graph(len(names), 4, 0.3, seed=drawn),
    }[graph]()
    assert nx.is_connected(network)
    for number in range(1, encounters + 1):
        speaker = Chance(seed).below(len(names), "naming.speaker", number)
        beside = sorted(network.neighbors(speaker))
        hearer = Chance(seed).pick(beside, "naming.hearer", number)
        yield number, names[speaker], names[hearer]


def minimal(names: list[str], graph: str, seed: int, encounters: int) -> list[Came]:
    """The minimal naming game, as one writes it down."""
    held: dict[str, list[str]] = {name: [] for name in names}
    came = []
    for number, speaker, hearer in pairs(names, graph, seed, encounters):
        granted = model_seed(seed, f"met-{number}", 1, speaker, 0)
        if held[speaker]:
            word = Chance(granted).pick(held[speaker], "naming.word")
        else:
            made = seed_for(granted, "naming.invent", speaker)
            word = "".join(SYLLABLES[made // 70**place % 70] for place in range(6))
            held[speaker] = [word]
        success = word in held[hearer]
        if success:
            held[speaker], held[hearer] = [word], [word]
        else:
            held[hearer].append(word)
        hold = (tuple(held[speaker]), tuple(held[hearer]))
        came.append(Came(number, (speaker, hearer), (word,), success, hold))
    return came


def coordination(names: list[str], graph: str, seed: int, encounters: int) -> list[Came]:
    """The coordination game of those who answer best to what they remember."""
    past: dict[str, list[tuple[str, str, int]]] = {name: [] for name in names}
    points = dict.fromkeys(names, 0)
    came = []
    for number, *pair in pairs(names, graph, seed, encounters):
        named = []
        for bot in pair:
            often = Counter(other for _, other, _ in past[bot])
            best = [word for word in "FJ" if often[word] == max(often["F"], often["J"])]
            granted = model_seed(seed, f"met-{number}", 1, bot, 0)
            named.append(Chance(granted).pick(best, "naming.word"))
        paid = 100 if named[0] == named[1] else -50
        for bot, own, other in zip(pair, named, reversed(named), strict=True):
            past[bot] = [*past[bot], (own, other, paid)][-5:]
            points[bot] += paid
        hold = [(tuple(past[bot]), points[bot]) for bot in pair]
        came.append(Came(number, (pair[0], pair[1]), tuple(named), paid == 100, (hold[0], hold[1])))
    return came


LOOPS = {"minimal": minimal, "coordination": coordination}


def names_of(spec: Spec) -> list[str]:
    return [bot.name for bot in spec.bots]


# --- the game --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("variant", LOOPS)
def test_with_rule_minds_the_game_equals_a_plain_loop_with_the_same_draws(
    variant: str, graph: str, seed: int
) -> None:
    spec = game(BOTS, seed=seed, variant=variant, graph=GRAPHS[graph], encounters=ENCOUNTERS)
    loop = LOOPS[variant](names_of(spec), graph, seed, ENCOUNTERS)
    assert came_of(spec, played(spec).journal) == loop
    assert {came.success for came in loop} == {True, False}


@pytest.mark.parametrize("variant", LOOPS)
def test_two_hosts_and_an_orchestrator_play_the_same_game_as_the_loop(variant: str) -> None:
    spec = game(BOTS, seed=5, variant=variant, graph=GRAPHS["regular"], encounters=60)
    with fake_swarm() as swarm:
        swarm.orchestrator()
        for _ in range(2):
            swarm.host(BOTS // 2)
        journal = swarm.finish(swarm.seed(spec))
    assert came_of(spec, journal) == LOOPS[variant](names_of(spec), "regular", 5, 60)
    assert happened(journal, "ended")[0].detail == "after 60 encounters"


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("graph", ["complete", "small world"])
@pytest.mark.parametrize("variant", LOOPS)
def test_encounters_at_once_end_as_they_do_one_after_the_other(
    variant: str, graph: str, seed: int
) -> None:
    own: dict[str, Any] = {"variant": variant, "graph": GRAPHS[graph], "encounters": ENCOUNTERS}
    until = {"success_last_10": 2.0}  # never; but it is measured
    one = game(BOTS, seed=seed, until=until, **own)
    many = game(BOTS, seed=seed, until=until, at_once=4, **own)
    slowly = played(one)
    quickly = played(many, latency_ms=drawn_ms)
    ended = came_of(many, quickly.journal)
    assert [came.number for came in ended] != sorted(came.number for came in ended)
    assert sorted(ended) == came_of(one, slowly.journal)
    assert quickly.events("measured") == slowly.events("measured")
    assert len(quickly.events("measured")) == ENCOUNTERS - 9 + ENCOUNTERS // BOTS


@pytest.mark.parametrize("variant", LOOPS)
def test_encounters_at_once_end_a_run_at_the_same_measure(variant: str) -> None:
    until = {"success_last_24": 1.0}
    one, many = (game(8, variant=variant, until=until, at_once=k) for k in (1, 4))
    slowly, quickly = played(one), played(many, latency_ms=drawn_ms)
    assert slowly.events("ended") == quickly.events("ended")
    assert slowly.events("ended")[0].reason == "measure"
    assert quickly.events("measured") == slowly.events("measured")
    first = came_of(one, slowly.journal)
    assert sorted(came_of(many, quickly.journal))[: len(first)] == first


def test_several_encounters_are_open_at_once_and_nobody_is_in_two_of_them() -> None:
    table = played(game(20, at_once=5, encounters=200), latency_ms=drawn_ms)
    open_now: dict[str, set[str]] = {}
    most = 0
    for event in table.events():
        if event.kind == "channel_opened":
            assert all(members.isdisjoint(event.members) for members in open_now.values())
            open_now[event.channel] = set(event.members)
            most = max(most, len(open_now))
        elif event.kind == "channel_closed":
            del open_now[event.channel]
    assert most == 5


def test_success_rises_in_an_s_on_the_complete_graph() -> None:
    """Slowly while words are made up and spread, then steeply, then slowly to the end."""
    names = [f"bot-{number}" for number in range(200)]
    runs = [minimal(names, "complete", seed, 9_000) for seed in range(6)]
    stretches = [[run[start : start + 1_000] for run in runs] for start in range(0, 9_000, 1_000)]
    rate = [
        sum(came.success for some in stretch for came in some) / (1_000 * len(runs))
        for stretch in stretches
    ]
    rises = [later - earlier for earlier, later in pairwise(rate)]
    steepest = max(rises)
    assert rate[0] < 0.1
    assert rate[-1] > 0.95
    assert steepest > 2 * rises[0]
    assert steepest > 4 * rises[-1]
    assert steepest in rises[1:-2]
