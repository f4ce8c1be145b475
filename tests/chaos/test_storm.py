"""Real processes are killed and stopped at random, and so is their server: nothing is lost."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from parley.starting import start
from tests.chaos.storm import LONGEST_MS, Crowd, Storm, crowd, talk, weather
from tests.findings import found, record_of
from tests.scenes import spec_of
from tests.swarm import happened
from utils import keys
from utils.clock import wait_until
from utils.server import EmbeddedServer
from utils.streams import Streams

KILLS = Storm(
    turns=300,
    faults={"kill bots": 31, "kill orchestrator": 30, "kill server": 3},
)
LAX = Storm(
    turns=60, faults={"kill bots": 4, "kill orchestrator": 3, "kill server": 3}, fsync="everysec"
)
STOPS = Storm(
    turns=120,
    faults={"stop bots": 7, "stop orchestrator": 7, "stop server": 6},
    fsync="everysec",
)


@pytest.mark.parametrize("storm", [KILLS, LAX, STOPS], ids=["kills", "everysec", "stops"])
def test_a_talk_in_a_storm_is_the_talk_of_a_quiet_day(storm: Storm, tmp_path: Path) -> None:
    weathered = weather(tmp_path, storm, seed=1)
    assert weathered.wrong == []
    assert weathered.met == storm.faults


def test_a_talk_that_waits_for_nobody_is_found_to_lose_turns(tmp_path: Path) -> None:
    hasty = STOPS._replace(faults={"stop bots": 4}, turns=40, allow_s=0.05)
    assert any("lost it" in wrong for wrong in weather(tmp_path, hasty, seed=1).wrong)


# --- who does it wrong --------------------------------------------------------------------

PAIR = ("ada", "bo")


def test_naive_processes_are_found_to_lose_or_double_words(tmp_path: Path) -> None:
    """The bot notes its grant before it answers, the leader writes a turn in two writes."""
    for seed in range(5):
        folder = tmp_path / str(seed)
        folder.mkdir()
        if killed_naively(folder, seed):
            return
    raise AssertionError("150 kills did not show it")


def killed_naively(folder: Path, seed: int, *, kills: int = 30) -> list[str]:
    """Kill a naive leader and naive bots as they talk; what is found."""
    turns = kills * 4
    with closing(Crowd(folder, Storm(turns, {}), Random(seed))) as swarm:
        run = start(swarm.streams, spec_of(PAIR))
        roles = [f"naive-leader {run} {turns} {' '.join(PAIR)}"]
        roles += [f"naive-{bot} {run} {bot}" for bot in PAIR]
        names = {role: swarm.bear(role) for role in roles}
        for number in range(kills):
            swarm.wait(run, turns=number * 3)
            role = swarm.chance.choice(roles)
            swarm.nursery.kill(names[role])
            names[role] = swarm.bear(role)
        swarm.wait(run, turns=turns)
        swarm.nursery.kill(names[roles[0]])
        wrong = found(record_of(swarm.streams, run), turns=turns)
        return [what for what in wrong if "heard" in what or "nobody took it" in what]


def test_a_server_that_keeps_nothing_is_found(tmp_path: Path) -> None:
    assert kept(tmp_path / "kept", "CONFIG SET appendfsync always") == 200
    assert kept(tmp_path / "lost", "CONFIG SET appendonly no") < 200


def kept(home: Path, setting: str) -> int:
    """Write 200 entries, kill the server, and count what the next one has."""
    with EmbeddedServer.open(home, fsync="everysec") as server, closing(Streams(server.url)) as one:
        server.home.ask(setting, within_ms=5_000)
        for _ in range(200):
            one.append("words", "x")
        pid = server.home.server_pid()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: server.home.server_pid() != pid, within_ms=LONGEST_MS)
        with EmbeddedServer.open(home, fsync="everysec"), closing(Streams(server.url)) as other:
            return other.count("words")


# --- the next grant -----------------------------------------------------------------------


def gaps_ms(folder: Path, failovers: int, *, seed: int) -> list[int]:
    """Kill the leader so often; how long each time until the next grant, milliseconds."""
    with crowd(folder, Storm(10**6, {}, fsync="everysec"), seed) as swarm:
        return taken_over(swarm, start(swarm.streams, talk(swarm.storm, seed)), failovers)


def taken_over(swarm: Crowd, run: str, failovers: int) -> list[int]:
    """Kill a run's leader so often; how long each time until the next grant."""
    gaps = []
    for _ in range(failovers):
        swarm.wait(run, turns=swarm.turns + 10)
        wait_for_two(swarm)
        (leading,) = swarm.streams.lease_owners([keys.leader(run)])
        if leading not in swarm.nursery.children:
            continue
        killed_ms = swarm.streams.time_ms()
        swarm.nursery.kill(leading)
        gaps.append(next_grant_ms(swarm, run) - killed_ms)
        swarm.bear("orchestrator")
    return gaps


def wait_for_two(swarm: Crowd) -> None:
    """Wait until one leads and another stands by."""

    def are_there() -> bool:
        clients = swarm.ask(swarm.streams._redis.client_list)
        there = {str(one["name"]) for one in clients} & set(swarm.nursery.children)
        return len([name for name in there if name.startswith("orchestrator")]) == 2

    assert wait_until(are_there, within_ms=LONGEST_MS)


def next_grant_ms(swarm: Crowd, run: str) -> int:
    """Wait for the first grant after the journal's last commit; its time."""
    top = swarm.streams.top(keys.journal(run))
    last = int(top.id.partition("-")[0]) if top else 0
    granted: list[int] = []

    def has_come() -> bool:
        granted.extend(
            sealed.commit.at_ms
            for sealed in swarm.streams.journal(run, after=last)
            if happened([sealed], "granted")
        )
        return bool(granted)

    assert wait_until(has_come, within_ms=LONGEST_MS, every_ms=2)
    return granted[0]


def test_the_next_grant_comes_whenever_the_leader_is_killed(tmp_path: Path) -> None:
    """How soon is in the figures: here nothing is timed."""
    assert len(gaps_ms(tmp_path, 5, seed=1)) == 5
