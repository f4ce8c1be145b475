"""A proxy breaks connections between everyone and a real server, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bots.outbox import Outbox
from bots.runtime import Host
from orchestrator.runtime import Orchestrator
from parley.starting import start, wait_for_close
from tests.chaos.proxy import Proxy
from tests.findings import found, record_of
from tests.scenes import spec_of
from tests.swarm import fake_swarm, transcript
from utils.clock import SYSTEM_CLOCK
from utils.server import EmbeddedServer
from utils.settings import Settings
from utils.spec import ChannelSpec, FloorSpec, Spec
from utils.streams import Streams

FAULTS, RATE, TURNS, LEASE_MS = 200, 0.04, 60, 500
BOTS = ("ada", "bo", "cy", "dot")
LONGEST_MS = 60_000


def talk(seed: int) -> Spec:
    channels = [
        ChannelSpec(name="main", members=BOTS[:2], policy="random", turns=TURNS // 2),
        ChannelSpec(name="side", members=BOTS[2:], policy="round_robin", turns=TURNS // 2),
    ]
    patient = FloorSpec(allow_s=60)
    return spec_of(BOTS, channels=channels, turns=None, floor=patient, seed=seed)


@contextmanager
def swarm_at(url: str) -> Iterator[None]:
    """Run two orchestrators and two hosts, each in a thread, and stop them in the end."""
    settings = Settings(home=Path("unused"), lease_ms=LEASE_MS)
    processes: list[Orchestrator | Host] = []
    streams: list[Streams] = []

    def connect() -> Streams:
        streams.append(Streams(url))
        return streams[-1]

    for number in range(2):
        name, clock = f"orchestrator-{number}", SYSTEM_CLOCK
        processes.append(Orchestrator(connect(), clock=clock, name=name, lease_ms=LEASE_MS))
        processes.append(
            Host(
                connect(),
                settings=settings,
                clock=clock,
                name=f"host-{number}",
                places=3,
                outbox=Outbox(connect()),
            )
        )
    threads = [Thread(target=process.run) for process in processes]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for process in processes:
            process.stop()
        for thread in threads:
            thread.join()
        for one in streams:
            one.close()


def broken_talks(folder: Path, *, faults: int, seed: int) -> Counter[str]:
    """Talk until so many faults have happened; what was wrong with any of the talks."""
    met: Counter[str] = Counter()
    with (
        EmbeddedServer.open(folder, fsync="everysec") as server,
        closing(Streams(server.url)) as looker,
    ):
        number = 0
        while sum(met.values()) < faults:
            number += 1
            left = faults - sum(met.values())
            spec = talk(seed * 1_000 + number)
            socket = Path(server.url.removeprefix("unix://"))
            proxy = Proxy(socket, seed=number, rate=RATE, most=left)
            with closing(proxy), swarm_at(proxy.url):
                run = start(looker, spec)
                ended = wait_for_close(looker, run, within_ms=LONGEST_MS, clock=SYSTEM_CLOCK)
            assert ended, (number, proxy.faults)
            record = record_of(looker, run)
            assert found(record, turns=TURNS) == [], number
            assert sorted(transcript(record.journal)) == sorted(plain(spec)), number
            met += proxy.faults
    return met


def plain(spec: Spec) -> list[tuple[str, int, str | None, str]]:
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(len(BOTS))
        return transcript(swarm.finish(swarm.seed(spec)))


def test_whatever_the_network_does_every_word_is_said_once(tmp_path: Path) -> None:
    met = broken_talks(tmp_path, faults=FAULTS, seed=1)
    assert sum(met.values()) >= FAULTS
    assert len(met) == 7


def test_a_client_that_sends_again_by_itself_is_found(tmp_path: Path) -> None:
    with EmbeddedServer.open(tmp_path, fsync="everysec") as server:
        socket = Path(server.url.removeprefix("unix://"))
        with closing(Proxy(socket, seed=1, rate=0.1, most=30)) as proxy:
            retry = Retry(NoBackoff(), 10)  # as redis-py's own default is
            with closing(redis.Redis.from_url(proxy.url, retry=retry)) as naive:
                for number in range(200):
                    naive.xadd("words", {"n": number})
        with closing(Streams(server.url)) as looker:
            assert looker.count("words") > 200
