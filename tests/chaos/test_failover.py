"""The leader dies: how long until the next grant. In virtual time, which no machine slows."""

from __future__ import annotations

from tests.chaos.promises import broken
from tests.chaos.scene import LEASE_MS, RUN, scene_of
from tests.chaos.scheduler import Process
from tests.chaos.simulation import Parts, Play, play
from tests.scenes import spec_of
from tests.swarm import happened
from utils import keys
from utils.spec import ChannelSpec, FloorSpec, Spec

FAILOVERS = 5
BOTS = ("ada", "bo", "cy")


class Assassin:
    """Kills the leader again and again, and not before the last one's successor has granted."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.killed_ms: list[int] = []

    def __call__(self, on: Play, process: Process) -> None:
        server = on.network.server
        while len(self.killed_ms) < self.most:
            on.scheduler.wait(2 * LEASE_MS + on.chance.randrange(LEASE_MS))
            leading = server.execute(["GET", keys.leader(RUN)])
            for one in on.living():
                if one.name == leading:
                    self.killed_ms.append(on.scheduler.now_ms)
                    on.kill(one)
        on.scheduler.wait(10**9)


def talk(turns: int, seed: int) -> Spec:
    main = ChannelSpec(name="main", members=BOTS, policy="random", opening="Well?", turns=turns)
    floor = FloorSpec(allow_s=3_600, gather_s=600)
    return spec_of(BOTS, channels=[main], turns=None, floor=floor, seed=seed)


def gaps_ms(failovers: int, *, seed: int, orchestrators: int = 2) -> list[int]:
    """Kill the leader so often; how long each time until the next grant, milliseconds."""
    assassin = Assassin(failovers)
    calm = scene_of(0).weather._replace(rates={}, most=0)
    scene = scene_of(0)._replace(
        spec=talk(10 * failovers, seed),
        is_patient=True,
        longest_ms=1_000,
        orchestrators=orchestrators,
        hosts=2,
        weather=calm,
    )
    parts = Parts(also=(assassin,), longest_ms=failovers * 20 * LEASE_MS)
    played = play(seed, scene=scene, parts=parts)
    assert broken(played) == []
    granted_ms = [
        sealed.commit.at_ms
        for sealed in played.streams.journal(RUN)
        if happened([sealed], "granted")
    ]
    assert len(assassin.killed_ms) == failovers
    return [min(at for at in granted_ms if at > killed) - killed for killed in assassin.killed_ms]


def test_the_next_grant_comes_within_a_lease_and_the_time_an_answer_takes() -> None:
    assert max(gaps_ms(FAILOVERS, seed=1)) <= LEASE_MS + LEASE_MS // 3 + 1_000


def test_a_lease_that_nobody_takes_over_is_found() -> None:
    """With no standby, the next leader is whoever is started again: later than a lease."""
    assert max(gaps_ms(FAILOVERS, seed=1, orchestrators=1)) > LEASE_MS
