"""Whoever is killed, whenever: every turn is taken, every word is said once and heard once.

First with real processes and SIGKILL, at drawn moments. Then in one thread, at every write
there is. And last with a leader and a bot that do it wrong, by which the same findings show
that they would see it. What is left behind also decides again, and asks again, the same.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import NamedTuple

import fakeredis
import pytest

from bots.outbox import Outbox
from bots.runtime import Host
from orchestrator.runtime import Orchestrator
from parley.starting import start
from tests.findings import Record, found, found_again, record_of
from tests.orchestrator.naive import NaiveBot, NaiveLeader
from tests.processes import Processes, processes
from tests.scenes import spec_of
from tests.swarm import (
    Doom,
    Mortal,
    Process,
    fake_streams,
    fake_swarm,
    happened,
    rehearse,
    transcript,
)
from tests.worlds.naming_played import game
from utils import keys
from utils.clock import ManualClock
from utils.protocol import OpenEvent
from utils.seeds import Chance
from utils.settings import Settings
from utils.spec import ChannelSpec, EndSpec, FloorSpec, Spec

BOTS = ("ada", "bo", "cy", "dot")
PATIENT = FloorSpec(allow_s=60)
"""Nothing is given up because somebody took a while to be started again."""


def undisturbed(spec: Spec) -> Record:
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(len(spec.bots))
        run = swarm.seed(spec)
        swarm.finish(run)
        return record_of(swarm.streams, run)


def worldly(record: Record) -> list[OpenEvent]:
    """List what the world itself says has happened."""
    events = (event for sealed in record.journal for event in sealed.commit.events)
    return [event for event in events if isinstance(event, OpenEvent)]


# --- real processes -------------------------------------------------------------------

TURNS = 300


def talk() -> Spec:
    """Two channels of the same four bots, who are drawn."""
    channels = [
        ChannelSpec(name=name, members=BOTS, policy="random", opening="Go on.", turns=TURNS // 2)
        for name in ("kitchen", "garden")
    ]
    return spec_of(BOTS, channels=channels, turns=None, floor=PATIENT)


def naming() -> Spec:
    spec = game(8, variant="minimal")
    return spec.model_copy(update={"end": EndSpec(turns=TURNS), "floor": PATIENT})


class Kill(NamedTuple):
    at_turn: int
    kind: str


def drawn(chance: Chance) -> list[Kill]:
    """Draw when to kill whom: two of each kind, not before the talk has begun."""
    kinds = chance.shuffled(["orchestrator", "bots"] * 2, "kinds")
    moments = sorted(20 + chance.below(TURNS - 80, "moment", number) for number in range(4))
    return [Kill(*pair) for pair in zip(moments, kinds, strict=True)]


def killed_in(swarm: Processes, run: str, places: int, chance: Chance) -> list[int]:
    """Kill the leader and hosts, and start others; the turns that were closed at each kill."""
    seen = []
    for at_turn, kind in drawn(chance):
        swarm.wait(run, turns=at_turn)
        living = sorted(name for name, one in swarm.names.items() if kind in one.name)
        leading = swarm.leader(run)
        victim = leading if leading in living else chance.pick(living, "victim", at_turn)
        seen.append(swarm.turns(run))
        swarm.kill(swarm.names.pop(victim))
        begin(swarm, kind, places)
    return seen


def begin(swarm: Processes, kind: str, places: int) -> None:
    swarm.arrive(kind, *(["--seats-per-process", str(places)] if kind == "bots" else []))


@pytest.mark.parametrize("spec", [talk(), naming()], ids=["a talk", "a naming game"])
def test_two_of_each_are_killed_at_drawn_moments_and_nothing_is_lost_or_said_twice(
    spec: Spec, tmp_path: Path
) -> None:
    places = len(spec.bots) * 3 // 4  # neither host has room for all, so each serves some
    with processes(tmp_path, fsync="always") as swarm:
        for kind in ("orchestrator", "bots") * 2:
            begin(swarm, kind, places)
        run = swarm.seed(spec)
        seen = killed_in(swarm, run, places, Chance(11))
        swarm.finish(run)
        record = record_of(swarm.streams, run)
    assert all(turns < TURNS for turns in seen), "it was over before all of them were killed"
    lost = [one.host for one in happened(record.journal, "unseated") if one.reason != "left"]
    assert len(set(lost)) == 2, "the hosts that were killed served nobody"
    assert found(record, turns=TURNS) == []
    assert found_again(record) == []
    plain = undisturbed(spec)
    assert found(plain, turns=TURNS) == []
    assert not happened(record.journal, "revoked")
    assert sorted(transcript(record.journal)) == sorted(transcript(plain.journal))
    assert sorted(map(repr, worldly(record))) == sorted(map(repr, worldly(plain)))


# --- at every write there is ----------------------------------------------------------

LEASE_MS = 30_000
SHORT = spec_of(BOTS, turns=8, policy="random", floor=FloorSpec(allow_s=86_400, gather_s=86_400))


class Stage:
    """Two orchestrators and two hosts, all of them mortal, in virtual time."""

    def __init__(self, leaders: Doom, hosts: Doom) -> None:
        self.leaders, self.hosts, self.server = leaders, hosts, fakeredis.FakeServer()
        self.streams = fake_streams(self.server)
        self.clock = ManualClock(wall_ms=self.streams.time_ms())
        self.number = count(1)
        self.run = start(self.streams, SHORT)

    def play(self) -> Record:
        rehearse(
            (self.orchestrator, self.orchestrator, self.host, self.host),
            lambda: self.run not in self.streams.live_runs(),
            bury=self.bury,
            pass_time=lambda: self.clock.advance(LEASE_MS // 3),
        )
        return record_of(self.streams, self.run)

    def orchestrator(self) -> Orchestrator:
        streams = Mortal(self.server, self.leaders, self.clock)
        name = f"orchestrator-{next(self.number)}"
        return Orchestrator(streams, clock=self.clock, name=name, lease_ms=LEASE_MS)

    def host(self) -> Host:
        streams = Mortal(self.server, self.hosts, self.clock)
        return Host(
            streams,
            settings=Settings(home=Path("unused"), lease_ms=LEASE_MS),
            clock=self.clock,
            name=f"host-{next(self.number)}",
            places=3,
            outbox=Outbox(streams.another()),
        )

    def bury(self, dead: Process) -> None:
        """Let the leases lapse that a process held, which keep to the server's own time."""
        assert isinstance(dead, Orchestrator | Host)
        leases = [keys.leader(self.run), *(keys.seat(self.run, bot) for bot in BOTS)]
        for lease in leases:
            self.streams.release_lease(lease, dead.name)


def rehearsed(leaders: Doom, hosts: Doom) -> Record:
    return Stage(leaders, hosts).play()


@pytest.fixture(scope="module")
def plain() -> Record:
    return undisturbed(SHORT)


@pytest.mark.parametrize("who", ["a leader", "a host"])
def test_whoever_is_killed_after_any_of_its_writes_is_not_missed(who: str, plain: Record) -> None:
    at = 0
    while True:
        at += 1
        leaders, hosts = Doom(at if who == "a leader" else 0), Doom(at if who == "a host" else 0)
        record = rehearsed(leaders, hosts)
        assert found(record, turns=8) == [], at
        assert found_again(record) == [], at
        assert not happened(record.journal, "revoked"), at
        assert transcript(record.journal) == transcript(plain.journal), at
        if max(leaders.writes if leaders.at else 0, hosts.writes if hosts.at else 0) < at:
            break  # there are no more writes than this
    assert at > 8


@pytest.mark.parametrize("seed", range(4))
def test_a_leader_and_a_host_killed_in_the_same_talk_are_not_missed(
    seed: int, plain: Record
) -> None:
    chance = Chance(seed)
    record = rehearsed(Doom(1 + chance.below(10, "leader")), Doom(1 + chance.below(10, "host")))
    assert found(record, turns=8) == []
    assert found_again(record) == []
    assert not happened(record.journal, "revoked")
    assert transcript(record.journal) == transcript(plain.journal)


# --- the negative control -------------------------------------------------------------

PAIR = ("ada", "bo")


def played_naively(leader: Doom, ada: Doom) -> list[str]:
    """Play 10 turns with a leader and bots that make two writes of one step; what is found."""
    server = fakeredis.FakeServer()
    streams = fake_streams(server)
    run = start(streams, spec_of(PAIR))
    rehearse(
        (
            lambda: NaiveLeader(Mortal(server, leader), run, PAIR, turns=10),
            lambda: NaiveBot(Mortal(server, ada), run, "ada"),
            lambda: NaiveBot(Mortal(server, Doom()), run, "bo"),
        ),
        lambda: len(happened(streams.journal(run), "turn_closed")) == 10,
    )
    wrong = found(record_of(streams, run), turns=10)
    return [what for what in wrong if what.startswith("main")]  # they note no input and no call


def test_naive_parts_that_nobody_kills_are_found_to_do_nothing_wrong() -> None:
    assert played_naively(Doom(), Doom()) == []


def test_a_naive_leader_killed_between_its_two_writes_is_found_to_have_doubled_a_word() -> None:
    # Its first write opens the channel; then it makes two a turn, the word and the turn.
    assert played_naively(Doom(at=1 + 9), Doom()) == ["main turn 5: ada is heard 2 times"]
    assert played_naively(Doom(at=1 + 10), Doom()) == []


def test_a_naive_bot_killed_between_its_two_writes_is_found_to_have_lost_a_turn() -> None:
    # It makes two a turn of its own: that it has the grant, and what it says.
    assert played_naively(Doom(), Doom(at=7)) == ["main turn 7: nobody took it"]
    assert played_naively(Doom(), Doom(at=8)) == []


def test_both_killed_in_one_talk_are_both_found() -> None:
    assert played_naively(Doom(at=1 + 3), Doom(at=9)) == [
        "main turn 2: bo is heard 2 times",
        "main turn 9: nobody took it",
    ]
