"""The deadlock zoo: what makes talks of this kind stand still, and this one go on.

This file is over 300 lines because every animal is in it.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from bots.task import Task
from tests.chaos.lax import LaxUnderAFlood
from tests.chaos.promises import broken
from tests.chaos.scene import BEGIN_MS, LEASE_MS, RUN, Scene, scene_of
from tests.chaos.scheduler import Process
from tests.chaos.silence import gaps_ms
from tests.chaos.simulation import Parts, Play, Played, drawn_ms, play
from tests.chaos.test_resume import Heedless
from tests.chaos.wire import SimulatedStreams
from tests.scenes import spec_of
from tests.swarm import happened
from utils import keys
from utils.journal import Sealed, chain, parse
from utils.protocol import Pause, Proposed, Resume
from utils.spec import ChannelSpec, FloorSpec, ModelSpec, Spec

BOTS = ("ada", "bo", "cy")
TURNS = 9
ALLOW_MS = 2_000
SEEDS = 3
HOUR_MS = 3_600_000


def talk(seed: int, *, mind: str = "scripted", allow_ms: int = ALLOW_MS) -> Spec:
    policy = ("round_robin", "random", "simultaneous")[seed % 3]
    main = ChannelSpec(name="main", members=BOTS, policy=policy, opening="Well?", turns=TURNS)
    floor = FloorSpec(allow_s=allow_ms / 1000, gather_s=allow_ms / 1000, tries=2)
    model = ModelSpec(mind=mind, rule="silent")
    return spec_of(BOTS, channels=[main], turns=None, floor=floor, seed=seed, model=model)


def played(seed: int, spec: Spec, parts: Parts, *, hosts: int = 2, longest_ms: int = 100) -> Played:
    """Play a talk in fair weather, within the time that its deadlines allow."""
    calm = scene_of(0).weather._replace(rates={}, most=0)
    scene = Scene(spec, False, longest_ms, 2, hosts, calm)
    limit_ms = 20 * LEASE_MS + TURNS * 2 * (2 * ALLOW_MS + LEASE_MS)
    return play(seed, scene=scene, parts=parts._replace(longest_ms=limit_ms))


def ended(one: Played) -> list[Sealed]:
    assert broken(one) == []
    journal = list(chain(one.streams.journal(RUN)))
    assert [event.reason for event in happened(journal, "ended")] == ["turns"]
    return journal


def answers_of(journal: list[Sealed], name: str) -> int:
    """Count the answers that were taken from hosts of this name."""
    rejected = {event.input_id for event in happened(journal, "rejected")}
    taken = [one for sealed in journal for one in sealed.commit.inputs if one.id not in rejected]
    said = [parse(one) for one in taken if one.author.startswith(name)]
    return sum(isinstance(one, Proposed) for one in said)


def outcomes(journal: list[Sealed]) -> set[str]:
    return {event.outcome for event in happened(journal, "turn_closed")}


def hangs(chance: Random, scene: Scene, task: Task) -> int:
    """Never let bo answer."""
    return HOUR_MS if task.sitting.bot.name == "bo" else drawn_ms(chance, scene, task)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_all_pass(seed: int) -> None:
    journal = ended(played(seed, talk(seed, mind="rule"), Parts()))
    assert outcomes(journal) == {"passed"}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_one_is_always_dead(seed: int) -> None:
    journal = ended(played(seed, talk(seed), Parts(places=2), hosts=1))
    (gathered,) = happened(journal, "gathered")
    assert len(gathered.absent) == 1


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_holder_hangs(seed: int) -> None:
    journal = ended(played(seed, talk(seed), Parts(took_ms=hangs)))
    assert {event.reason for event in happened(journal, "revoked")} == {"deadline"}


def test_a_holder_that_hangs_with_no_deadline_near_is_found() -> None:
    one = played(1, talk(1, allow_ms=HOUR_MS), Parts(took_ms=hangs))
    assert broken(one)[0].startswith("stuck")


class KillerOfLeaders:
    """Kills the leader right after each third of its commits, before it can wake anybody."""

    def __init__(self) -> None:
        self.kills = 0

    def __call__(self, on: Play, process: Process) -> None:
        server, seen = on.network.server, 0
        while True:
            stream = server.stream(keys.journal(RUN))
            if stream and len(stream.ids) >= seen + 3 and seen < 12:
                seen = len(stream.ids)
                leading = server.execute(["GET", keys.leader(RUN)])
                for one in on.living():
                    if one.name == leading:
                        self.kills += 1
                        on.kill(one)
            on.scheduler.wait(1)


def leaders_die(seed: int, parts: Parts | None = None) -> tuple[Played, KillerOfLeaders]:
    killer = KillerOfLeaders()
    parts = (parts or Parts())._replace(also=(killer,))
    return played(seed, talk(seed, allow_ms=8 * LEASE_MS), parts), killer


@pytest.mark.parametrize("seed", range(SEEDS))
def test_leaders_die_between_a_commit_and_what_follows(seed: int) -> None:
    one, killer = leaders_die(seed)
    assert outcomes(ended(one)) == {"acted"}
    assert killer.kills >= 3


def test_an_heir_that_does_not_go_on_from_the_journal_is_found() -> None:
    one, _ = leaders_die(1, Parts(streams=Heedless))
    assert broken(one)[0].startswith("stuck")


def thief_of_leases(on: Play, process: Process) -> None:
    """Take every host's hold on bo away, so that others serve him too."""
    for _ in range(12):
        on.network.server.execute(["DEL", keys.seat(RUN, "bo")])
        on.scheduler.wait(on.chance.randrange(LEASE_MS // 2))
    on.scheduler.wait(HOUR_MS)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_two_hosts_serve_one_bot(seed: int) -> None:
    parts = Parts(also=(thief_of_leases,))
    one = played(seed, talk(seed, allow_ms=20 * LEASE_MS), parts, longest_ms=900)
    journal = ended(one)
    assert sum(event.bot == "bo" for event in happened(journal, "seated")) > 1


def comes_and_goes(on: Play, process: Process) -> None:
    """Take seats, and leave them again, for ever."""
    number = 0
    while True:
        number += 1
        host = on.host(process, name=f"guest-{number}", places=2)
        until_ms = on.scheduler.now_ms + on.chance.randrange(LEASE_MS, 3 * LEASE_MS)
        while on.scheduler.now_ms < until_ms:
            host.step()
        host.leave()


def with_a_guest(seed: int, *, places: int) -> list[Sealed]:
    """Talk while one host of so many seats stays, and another comes and goes."""
    return ended(played(seed, talk(seed), Parts(places=places, also=(comes_and_goes,)), hosts=1))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_host_comes_and_goes_for_ever(seed: int) -> None:
    assert answers_of(with_a_guest(seed, places=2), "guest") > 0


def test_a_guest_for_whom_there_is_no_seat_is_found() -> None:
    assert answers_of(with_a_guest(0, places=3), "guest") == 0


def mad_clock(on: Play, process: Process) -> None:
    """Serve with a clock that jumps by an hour, forth and back."""
    host = on.host(process, name="mad", places=2)
    while True:
        host.step()
        clock = host.clock
        clock.stood_still_ms += on.chance.choice((0, 0, -HOUR_MS, HOUR_MS))  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_hosts_clock_is_off_by_an_hour(seed: int) -> None:
    journal = ended(played(seed, talk(seed), Parts(places=2, also=(mad_clock,)), hosts=1))
    assert answers_of(journal, "mad") > 0


def slow(chance: Random, scene: Scene, task: Task) -> int:
    """Answer in three leases."""
    return 3 * LEASE_MS


def clock_ahead(on: Play, process: Process) -> None:
    """Let the server's clock go on while everybody else's stood still, as over a sleep."""
    on.scheduler.wait(on.chance.randrange(10 * LEASE_MS))
    on.network.offset_ms += on.chance.choice((2, 5, 12)) * LEASE_MS
    on.scheduler.wait(HOUR_MS)


def clock_back(on: Play, process: Process) -> None:
    """Set the server's clock back, and then have other hosts."""
    on.scheduler.wait(on.chance.randrange(10 * LEASE_MS))
    on.network.offset_ms -= on.chance.choice((2, 5, 12)) * LEASE_MS
    on.scheduler.wait(2 * LEASE_MS)
    for one in on.living():
        if one.name.startswith("host"):
            on.kill(one)
    on.scheduler.wait(HOUR_MS)


def stepped(seed: int, step: Callable[[Play, Process], None], **given: Any) -> Played:
    """Play a talk of slow answers in which the server's clock steps once."""
    parts = Parts(also=(step,), took_ms=slow, **given)
    return played(seed, talk(seed, allow_ms=20 * LEASE_MS), parts)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_servers_clock_goes_ahead_while_answers_are_slow(seed: int) -> None:
    journal = ended(stepped(seed, clock_ahead))
    assert outcomes(journal) == {"acted"}
    assert sum(event.reason == "lost" for event in happened(journal, "unseated")) <= 2 * len(BOTS)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_servers_clock_goes_back_while_answers_are_slow(seed: int) -> None:
    journal = ended(stepped(seed, clock_back))
    assert outcomes(journal) == {"acted"}
    assert sum(event.reason == "lost" for event in happened(journal, "unseated")) <= 2 * len(BOTS)


def clock_far_back(on: Play, process: Process) -> None:
    """Set the server's clock back by an hour, with grants under way."""
    on.scheduler.wait(2 * LEASE_MS + on.chance.randrange(LEASE_MS))
    on.network.offset_ms -= HOUR_MS
    on.scheduler.wait(HOUR_MS)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_servers_clock_goes_back_by_an_hour_while_a_holder_hangs(seed: int) -> None:
    journal = ended(played(seed, talk(seed), Parts(also=(clock_far_back,), took_ms=hangs)))
    assert {event.reason for event in happened(journal, "revoked")} >= {"deadline"}


class AskedOnce(SimulatedStreams):
    """Learns the server's time once a connection, and goes by a clock of its own from there."""

    offset_ms: int | None = None

    def time_ms(self) -> int:
        now_ms = self._at[2].now_ms()
        if self.offset_ms is None:
            self.offset_ms = super().time_ms() - now_ms
        return now_ms + self.offset_ms


def test_who_asks_the_server_for_its_time_but_once_is_found() -> None:
    assert broken(stepped(1, clock_back, streams=AskedOnce))[0].startswith("stuck")


class Flood:
    """Write so much on the floor that a commit is never without it."""

    def __init__(self) -> None:
        self.written = 0

    def __call__(self, on: Play, process: Process) -> None:
        while on.scheduler.now_ms < BEGIN_MS + 8 * LEASE_MS:
            for _ in range(25):
                self.written += 1
                on.network.server.execute(["XADD", keys.floor(RUN), "*", "b", "{}"])
            on.scheduler.wait(40)
        on.scheduler.wait(HOUR_MS)


def flooded(seed: int, parts: Parts | None = None) -> tuple[Played, Flood]:
    flood = Flood()
    parts = (parts or Parts())._replace(also=(flood,), took_ms=hangs)
    return played(seed, talk(seed), parts), flood


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_floor_is_flooded(seed: int) -> None:
    one, flood = flooded(seed)
    journal = ended(one)
    assert flood.written > 2_000
    for granted in happened(journal, "granted"):
        closed = next(at for at, event in timed(journal) if closes(event, granted.epoch))
        assert closed <= granted.deadline_ms + LEASE_MS


def test_a_leader_that_sees_to_the_flood_first_is_found() -> None:
    one, _ = flooded(0, Parts(orchestrator=LaxUnderAFlood))
    assert any("silent for" in what for what in broken(one))


def timed(journal: list[Sealed]) -> list[tuple[int, object]]:
    return [(one.commit.at_ms, event) for one in journal for event in one.commit.events]


def closes(event: object, epoch: int) -> bool:
    kind = getattr(event, "kind", "")
    return kind in ("acted", "passed", "revoked") and getattr(event, "epoch", 0) == epoch


def pauses(on: Play, process: Process) -> None:
    """Pause the run, for longer than anybody may be silent, and let it go on."""
    for number, said in enumerate((Pause, Resume)):
        on.scheduler.wait((2, 30)[number] * LEASE_MS)
        body = said(author="person", nonce=f"p{number}").model_dump_json()
        on.network.server.execute(["XADD", keys.floor(RUN), "*", "b", body])
    on.scheduler.wait(HOUR_MS)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_pause_is_no_silence(seed: int) -> None:
    one = played(seed, talk(seed), Parts(also=(pauses,), took_ms=hangs))
    (resumed,) = happened(ended(one), "resumed")
    assert resumed.paused_ms >= 30 * LEASE_MS
    assert max(gaps_ms(one, list(one.streams.journal(RUN)), since_ms=BEGIN_MS)) <= ALLOW_MS + 100
