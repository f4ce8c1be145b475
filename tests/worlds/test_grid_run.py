"""Whole runs of the grid: folded again from bytes, written down, and played by a swarm."""

from __future__ import annotations

import pytest

from orchestrator.snapshot import freeze, thaw
from parley.library import find_scenario
from parley.resolve import resolve_file
from tests.scenes import Table
from tests.swarm import Swarm, fake_swarm, happened
from tests.worlds.grid_played import (
    folded,
    go,
    grid_events,
    grid_spec,
    hash_of,
    play,
    written,
)
from utils.spec import EndSpec
from worlds.grid.rules import Grid


@pytest.mark.parametrize("seed", range(50))
def test_folding_the_journal_from_its_bytes_gives_the_same_state_every_time(seed: int) -> None:
    spec = grid_spec(seed=seed, decay=0.2, sleepers=["dot"])
    table = play(spec)
    lines = written(table.journal)
    hashes = {hash_of(folded(spec, lines)) for _ in range(2)}
    assert hashes == {hash_of(table.state.world)}


def test_other_seeds_make_other_worlds() -> None:
    assert len({hash_of(play(grid_spec(seed=seed)).state.world) for seed in range(5)}) == 5


@pytest.mark.parametrize("tick", [1, 20, 60])
def test_another_seed_in_one_steps_event_leads_to_another_state(tick: int) -> None:
    spec = grid_spec(decay=0.5)
    grid = Grid()
    state = grid.initial(spec)
    for event in play(spec).events():
        if event.kind == "grid.stepped" and event.model_extra["tick"] == tick:
            seed = event.model_extra["seed"]
            others = [event.model_copy(update={"seed": seed + by}) for by in (0, 1, 2, 3)]
            same, *other = (hash_of(grid.evolve(state, one)) for one in others)
            assert same == hash_of(grid.evolve(state, event))
            assert set(other) - {same}
        state = grid.evolve(state, event)
    assert state.tick == 60


@pytest.mark.parametrize("to_ms", [0, 450, 1_999])
def test_a_run_goes_on_from_a_snapshot_as_if_nothing_had_been(to_ms: int) -> None:
    spec = grid_spec(pace="realtime", sleepers=["dot"])
    table = Table(spec).begin()
    go(table, to_ms=table.now_ms + to_ms, latency_ms=lambda grant: 60)
    body = freeze(table.state, spec_sha256="0" * 64)
    assert thaw(table.rules, body, spec_sha256="0" * 64) == table.state


def two_hosts(swarm: Swarm) -> None:
    swarm.orchestrator()
    swarm.host(places=3)
    swarm.host(places=2)


def test_a_swarm_plays_the_same_grid_as_the_table() -> None:
    spec = grid_spec(decay=0.2, sleepers=["dot"], ticks=40, allow_s=60)
    with fake_swarm() as swarm:
        two_hosts(swarm)
        journal = swarm.finish(swarm.seed(spec))
    table = play(spec)
    assert hash_of(folded(spec, written(journal))) == hash_of(table.state.world)
    events = [event for sealed in journal for event in sealed.commit.events]
    assert grid_events(events) == grid_events(table.events())
    spoken = [event for event in happened(journal, "heard") if event.speaker]
    assert all(event.call_sha256 for event in spoken)


def test_the_scenario_that_comes_with_parley_is_played_to_its_end() -> None:
    spec = resolve_file(find_scenario("grid"))
    table = play(spec)
    assert table.events("ended")[0].detail == "300 steps"
    judged = [event.model_extra["exchange"] for event in table.events("grid.judged")]
    assert judged == [event.model_extra["number"] for event in table.events("grid.exchanged")]
    called = {event.bot for event in table.events("granted")}
    assert called == {bot.name for bot in spec.bots}


def test_a_scenarios_own_end_may_come_before_the_worlds() -> None:
    table = play(grid_spec().model_copy(update={"end": EndSpec(turns=50)}))
    assert table.events("ended")[0].reason == "turns"
    assert table.state.world.tick < 60
