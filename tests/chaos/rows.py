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
    test_trimmed_storm,
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
from tests.servers import SERVERS, is_here
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
    return resume_with(number, turns=test_resume.TURNS)


def resume_trimmed(number: int) -> Block:
    """Kill them at every tenth of 600, with trimming behind snapshots at 200 commits."""
    return resume_with(number, turns=600, trimmed_at=200)


def resume_with(number: int, *, turns: int, trimmed_at: int = 0) -> Block:
    policy = test_resume.POLICIES[number % len(test_resume.POLICIES)]
    with TemporaryDirectory(prefix="chaos-") as folder:
        one = test_resume.resumed(
            Path(folder), policy, seed=number, turns=turns, trimmed_at=trimmed_at
        )
        wrong = [f"seed {number}: {what}" for what in one.wrong()]
    taken = trimmed(one.played)
    return Block(number, 1, wrong, {"whole swarms killed": one.kills, "entries trimmed": taken})


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
        broken = test_network.broken_talks(Path(folder), faults=250, seed=number + 2)
    wrong = [f"seed {number}: {what}" for what in broken.wrong[:3]]
    return Block(number, 1, wrong, broken.met + broken.trimmed)


def spoil_the_file(number: int) -> Block:
    """Cut a server's file short ten times, change one bit ten times, and two of the last commit."""
    with TemporaryDirectory(prefix="chaos-") as folder:
        file = test_file.File(Path(folder))
        became = {
            "cut": test_file.cut(file, times=10, seed=number),
            "one bit": test_file.flip(file, times=10, seed=number),
            "one bit of the last commit": test_file.last(file, times=2, seed=number),
        }
    counts = {
        f"{how}: {what}": times for how, these in became.items() for what, times in these.items()
    }
    wrong = [what for what in counts if what.startswith("cut: ") and what not in CLEAN]
    wrong += [what for what in counts if what.endswith(": altered")]
    return Block(number, 22, [f"seed {number}: {what}" for what in wrong], counts)


CLEAN = {"cut: shorter", "cut: whole"}


KILLS = Storm(turns=1_000, faults={"kill bots": 54, "kill orchestrator": 54})
SERVER = Storm(turns=150, faults={"kill bots": 8, "kill orchestrator": 7, "kill server": 5})
STOPS = Storm(
    turns=300,
    faults={"stop bots": 18, "stop orchestrator": 18, "stop server": 14},
    fsync="everysec",
)
TRIMMED_KILLS = Storm(
    turns=1_500,
    faults={"kill bots": 45, "kill orchestrator": 45, "kill recorder": 20},
    trimmed_at=test_trimmed_storm.AT,
)
TRIMMED_SERVER = Storm(
    turns=900,
    faults={"kill bots": 8, "kill orchestrator": 7, "kill recorder": 4, "kill server": 5},
    trimmed_at=test_trimmed_storm.AT,
)


def kill(number: int) -> Block:
    return brave(KILLS, number)


def kill_while_trimmed(number: int) -> Block:
    return brave(TRIMMED_KILLS, number)


def kill_the_server(number: int, storm: Storm = SERVER) -> Block:
    """Kill it too, as strict as can be and as lax as is offered by turns."""
    fsync: Fsync = "everysec" if number % 2 else "always"
    block = brave(storm._replace(fsync=fsync), number)
    counts = {f"{fsync}: {fault}": times for fault, times in block.counts.items()}
    return block._replace(counts=counts)


def stop(number: int) -> Block:
    return brave(STOPS, number)


def brave(storm: Storm, number: int) -> Block:
    """Talk through a storm of real processes."""
    with TemporaryDirectory(prefix="chaos-") as folder:
        try:
            weathered = weather(Path(folder), storm, seed=number)
        except (AssertionError, ParleyError) as error:
            return Block(number, 1, [f"seed {number}: {error}"], {})
    wrong = [f"seed {number}: {what}" for what in weathered.wrong[:3]]
    counts = {
        "turns": weathered.talks * storm.turns,
        **weathered.met,
        **weathered.trimmed,
    }
    return Block(number, weathered.talks, wrong, counts)


def run_short(number: int) -> Block:
    """Run short of everything there is to run short of, each once."""
    wrong: list[str] = []
    talks: dict[str, Callable[[Path], list[str]]] = {
        what: partial(test_short.wrong_when_short, what, seed=number) for what in test_short.SHORT
    }
    for what, found_in in {**talks, **test_short.REFUSED}.items():
        with TemporaryDirectory(prefix="chaos-") as folder:
            try:
                found = found_in(Path(folder))
            except AssertionError as error:
                found = [str(error)]
        wrong += [f"seed {number}, {what}: {one}" for one in found]
    counts = dict.fromkeys([*test_short.SHORT, *test_short.REFUSED], 1)
    return Block(number, len(counts), wrong, counts)


def fail_over_for_real(number: int) -> Block:
    with TemporaryDirectory(prefix="chaos-") as folder:
        kill = partial(test_storm.gaps_ms, Path(folder), 20, seed=number)
        return taken_over(number, kill, STORM_LEASE_MS)


def fail_over_while_trimmed(number: int) -> Block:
    with TemporaryDirectory(prefix="chaos-") as folder:
        try:
            one = test_trimmed_storm.trimmed_takeovers(Path(folder), 20, seed=number)
        except (AssertionError, ParleyError) as error:
            return Block(number, 1, [f"seed {number}: {error}"], {})
    wrong = [f"seed {number}: {what}" for what in one.wrong[:3]]
    counts = {"leaders killed": len(one.gaps_ms), **one.trimmed}
    return Block(number, 1, wrong, counts, {"gap_ms": one.gaps_ms})


ASKED = 100


def ask(number: int) -> Block:
    """Ask an oracle what must follow: the engine alone, and a leader over each server."""
    logging.disable(logging.CRITICAL)
    fresh: dict[str, Any] = {"derandomize": False, "database": None}
    counts, wrong = {}, []
    here = [server for server in SERVERS if is_here(server)]
    for what in ("the engine", *here):
        try:
            if what == "the engine":
                counts[what] = test_oracle.ask(test_oracle.Asked, ASKED, 50, **fresh)
            else:
                counts[what] = test_oracle.ask_on(what, ASKED, 50, **fresh)
        except (AssertionError, ParleyError) as error:
            notes = " ".join(getattr(error, "__notes__", []))
            wrong.append(f"block {number}, {what}: {error} {notes}")
    gone = {f"no {server} here": 1 for server in SERVERS if server not in here}
    return Block(number, sum(counts.values()), wrong, {**counts, **gone})


ROWS = {
    "simulation": Row("deterministic simulation", simulate, 500),
    "resume": Row("every process killed at every tenth turn", resume, 20),
    "trimmed-resume": Row("the same, trimmed", resume_trimmed, 20),
    "failover": Row("the leader killed", fail_over, 20),
    "garbage": Row("garbage in the streams", spoil, 600),
    "deadlocks": Row("the deadlock zoo", stand_still, 100),
    "file": Row("the server's file cut short or altered", spoil_the_file, 100),
    "oracle": Row("a plain oracle, the engine and each server", ask, 20),
    "kills": Row("a storm of SIGKILLs", kill, 10, is_parallel=False),
    "server": Row("the server killed in it", kill_the_server, 20, is_parallel=False),
    "stops": Row("SIGSTOP for 0.1 to 3 leases", stop, 20, is_parallel=False),
    "takeover": Row("the leader killed", fail_over_for_real, 10, is_parallel=False),
    "trimmed-kills": Row(
        "a storm of SIGKILLs, a recorder trims", kill_while_trimmed, 10, is_parallel=False
    ),
    "trimmed-server": Row(
        "the server killed in it, a recorder trims",
        partial(kill_the_server, storm=TRIMMED_SERVER),
        20,
        is_parallel=False,
    ),
    "trimmed-takeover": Row(
        "the leader killed, a recorder trims", fail_over_while_trimmed, 10, is_parallel=False
    ),
    "short": Row("memory, disk, descriptors run out", run_short, 20, is_parallel=False),
    "network": Row("a proxy that breaks connections", break_connections, 20, is_parallel=False),
    "soak": Row("twenty bots for an hour", soak, 1, is_parallel=False),
}
