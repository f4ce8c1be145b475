"""What chaos runs at length, row by row: a block is a seed, or some."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tests.chaos import test_deadlocks as zoo
from tests.chaos import (
    test_failover,
    test_file,
    test_garbage,
    test_network,
    test_resume,
    test_short,
    test_storm,
)
from tests.chaos.beside import trimmed
from tests.chaos.blocks import Block, quantile
from tests.chaos.promises import broken
from tests.chaos.scene import LEASE_MS
from tests.chaos.simulation import play
from tests.chaos.soak import soak
from tests.chaos.storm import LEASE_MS as STORM_LEASE_MS
from tests.chaos.storm import Storm, weather
from tests.orchestrator import test_oracle
from utils.errors import ParleyError
from utils.server import Fsync

SEEDS_A_BLOCK = 100


class Row(NamedTuple):
    """One row: what a block does, and how many there are."""

    title: str
    run: Callable[[int], Block]
    blocks: int
    is_parallel: bool = True


def simulate(number: int) -> Block:
    """Play seeds in virtual time, each in weather of its own."""
    wrong, met, ended = [], Counter[str](), 0
    for seed in range(number * SEEDS_A_BLOCK, (number + 1) * SEEDS_A_BLOCK):
        played = play(seed)
        found = broken(played)
        met.update(fault.fault for fault in played.faults)
        taken = trimmed(played)
        met += Counter({"talks that were trimmed": taken > 0, "entries trimmed": taken})
        ended += 1
        if found:
            wrong.append(f"seed {seed}: {found[0]}")
    return Block(number, ended, wrong, met)


def resume(number: int) -> Block:
    """Kill every process at every tenth turn of 200, by each policy in turn."""
    policy = ("round_robin", "random", "addressed")[number % 3]
    played, killer = test_resume.resumed(policy, seed=number)
    wrong = [f"seed {number}: {what}" for what in broken(played)]
    return Block(number, 1, wrong, {"whole swarms killed": killer.kills})


def fail_over(number: int) -> Block:
    return taken_over(number, lambda: test_failover.gaps_ms(10, seed=number), LEASE_MS)


def taken_over(number: int, kill: Callable[[], list[int]], lease_ms: int) -> Block:
    """Kill leaders: the next grant comes within a lease and a second, 99 times of a hundred."""
    try:
        gaps_ms = kill()
    except (AssertionError, ParleyError) as error:
        return Block(number, 1, [f"seed {number}: {error}"], {})
    late_ms = quantile(gaps_ms, 0.99)
    wrong = late_ms > lease_ms + 1_000
    said = f"seed {number}: the next grant came after {late_ms} ms (p99)"
    return Block(number, 1, [said] * wrong, {"leaders killed": len(gaps_ms)}, {"gap_ms": gaps_ms})


def spoil(number: int) -> Block:
    """Write garbage all through a run, at one place."""
    place = list(test_garbage.PLACES)[number % len(test_garbage.PLACES)]
    most = 500 if place == "the floor" else 100
    played, vandal = test_garbage.played_with(place, most, number)
    wrong = [f"seed {number}: {what}" for what in test_garbage.wrong(played, vandal)]
    return Block(number, 1, wrong, {place: most - vandal.pieces})


def stand_still(number: int) -> Block:
    """Keep one seed of everything in the zoo."""
    wrong, counts = [], Counter[str]()
    for name, test in vars(zoo).items():
        if name.startswith("test_") and "is_found" not in name:
            counts[name.removeprefix("test_").replace("_", " ")] += 1
            try:
                test(number)
            except AssertionError as error:
                wrong.append(f"seed {number}: {name}: {error}")
    return Block(number, counts.total(), wrong, counts)


def break_connections(number: int) -> Block:
    """Break 250 connections between everyone and a real server."""
    logging.disable(logging.CRITICAL)
    with TemporaryDirectory(prefix="chaos-") as folder:
        try:
            met = test_network.broken_talks(Path(folder), faults=250, seed=number + 2)
        except AssertionError as error:
            return Block(number, 1, [f"seed {number}: {error}"], {})
    return Block(number, 1, [], met)


def spoil_the_file(number: int) -> Block:
    """Cut a server's file short at ten places, and change one bit at ten."""
    with TemporaryDirectory(prefix="chaos-") as folder:
        file = test_file.File(Path(folder))
        cuts = test_file.cut(file, times=10, seed=number)
        flips = test_file.flip(file, times=10, seed=number)
    counts = {
        **{f"cut: {became}": times for became, times in cuts.items()},
        **{f"one bit: {became}": times for became, times in flips.items()},
    }
    wrong = [what for what in counts if what not in FINE]
    return Block(number, 20, [f"seed {number}: {what}" for what in wrong], counts)


KILLS = Storm(turns=1_000, faults={"kill bots": 54, "kill orchestrator": 54})
SERVER = Storm(turns=150, faults={"kill bots": 8, "kill orchestrator": 7, "kill server": 5})
STOPS = Storm(
    turns=300,
    faults={"stop bots": 18, "stop orchestrator": 18, "stop server": 14},
    fsync="everysec",
)


def kill(number: int) -> Block:
    return brave(KILLS, number)


def kill_the_server(number: int) -> Block:
    """Kill it too, as strict as can be and as lax as is offered by turns."""
    fsync: Fsync = "everysec" if number % 2 else "always"
    block = brave(SERVER._replace(fsync=fsync), number)
    counts = {f"{fsync}: {fault}": times for fault, times in block.counts.items()}
    return block._replace(counts=counts)


def stop(number: int) -> Block:
    return brave(STOPS, number)


def brave(storm: Storm, number: int) -> Block:
    """Talk through a storm of real processes."""
    with TemporaryDirectory(prefix="chaos-") as folder:
        try:
            weathered = weather(Path(folder), storm, seed=number)
        except AssertionError as error:
            return Block(number, 1, [f"seed {number}: {error}"], {})
    wrong = [f"seed {number}: {what}" for what in weathered.wrong[:3]]
    counts = {"turns": weathered.talks * storm.turns, **weathered.met}
    return Block(number, weathered.talks, wrong, counts)


def run_short(number: int) -> Block:
    """Run short of the disk and of file descriptors, each once."""
    wrong: list[str] = []
    met = Counter[str]()
    for what in test_short.KINDS:
        with TemporaryDirectory(prefix="chaos-") as folder:
            try:
                found, seen = test_short.short_of(what, Path(folder), number)
            except AssertionError as error:
                found, seen = [str(error)], Counter()
        wrong += [f"seed {number}, {what}: {one}" for one in found]
        met += seen
    return Block(number, len(test_short.KINDS), wrong, met)


def fail_over_for_real(number: int) -> Block:
    with TemporaryDirectory(prefix="chaos-") as folder:
        kill = partial(test_storm.gaps_ms, Path(folder), 20, seed=number)
        return taken_over(number, kill, STORM_LEASE_MS)


ASKED = 100


def ask(number: int) -> Block:
    """Ask an oracle what must follow: the engine alone, and a leader over each server."""
    logging.disable(logging.CRITICAL)
    fresh: dict[str, Any] = {"derandomize": False, "database": None}
    counts, wrong = {}, []
    for what in ("the engine", *test_oracle.SERVERS):
        try:
            if what == "the engine":
                counts[what] = test_oracle.ask(test_oracle.Asked, ASKED, 50, **fresh)
            else:
                counts[what] = test_oracle.ask_on(what, ASKED, 50, **fresh)
        except (AssertionError, ParleyError) as error:
            notes = " ".join(getattr(error, "__notes__", []))
            wrong.append(f"block {number}, {what}: {error} {notes}")
    return Block(number, sum(counts.values()), wrong, counts)


FINE = {"cut: a prefix", "one bit: a prefix", "one bit: found", "one bit: refused"}

ROWS = {
    "simulation": Row("deterministic simulation", simulate, 500),
    "resume": Row("every process killed at every tenth turn", resume, 60),
    "failover": Row("the leader killed", fail_over, 20),
    "garbage": Row("garbage in the streams", spoil, 600),
    "deadlocks": Row("the deadlock zoo", stand_still, 100),
    "file": Row("the server's file cut short or altered", spoil_the_file, 100),
    "oracle": Row("a plain oracle, the engine and each server", ask, 20),
    "kills": Row("a storm of SIGKILLs", kill, 10, is_parallel=False),
    "server": Row("the server killed in it", kill_the_server, 20, is_parallel=False),
    "stops": Row("SIGSTOP for 0.1 to 3 leases", stop, 20, is_parallel=False),
    "takeover": Row("the leader killed", fail_over_for_real, 10, is_parallel=False),
    "short": Row("a full disk, no descriptors left", run_short, 20, is_parallel=False),
    "network": Row("a proxy that breaks connections", break_connections, 20, is_parallel=False),
    "soak": Row("twenty bots for an hour", soak, 1, is_parallel=False),
}
