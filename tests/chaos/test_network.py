"""A proxy breaks connections between everyone and a real server, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from analytics.recorder.beginnings import Recorded
from analytics.recorder.process import Recorder
from analytics.recorder.recording import CLOSED
from analytics.recorder.trim import Trimmer
from bots.outbox import Outbox
from bots.runtime import Host
from orchestrator.runtime import Orchestrator
from parley.starting import start
from tests.chaos.kept import taken, wrongly_kept
from tests.chaos.proxy import KINDS, Proxy
from tests.chaos.storm import plain
from tests.findings import found, found_again, record_of
from tests.scenes import spec_of
from tests.swarm import transcript
from utils.clock import SYSTEM_CLOCK, wait_until
from utils.errors import ParleyError
from utils.protocol import Input
from utils.server import EmbeddedServer
from utils.settings import Settings
from utils.spec import ChannelSpec, FloorSpec, Spec
from utils.streams import Streams

FAULTS, RATE, TURNS, LEASE_MS = 200, 0.04, 100, 500
AT, REACH = 20, 40
"""How much of each stream the recorder leaves, and how many commits apart snapshots are; how
many messages stay in reach of a bot: a prompt has twenty, and says what it left out."""
BOTS = ("ada", "bo", "cy", "dot")
LONGEST_MS = 60_000


def talk(seed: int) -> Spec:
    channels = [
        ChannelSpec(name="main", members=BOTS[:2], policy="random", turns=TURNS // 2),
        ChannelSpec(name="side", members=BOTS[2:], policy="round_robin", turns=TURNS // 2),
    ]
    patient = FloorSpec(allow_s=60)
    return spec_of(BOTS, channels=channels, turns=None, floor=patient, seed=seed)


class Swarm:
    """Two orchestrators, two hosts and a recorder that trims, each in a thread.

    Args:
        url: The proxy's.
        out: Where the recorder writes.
        outbox: How hosts say what they say.
    """

    def __init__(self, url: str, out: Path, outbox: type[Outbox]) -> None:
        self._url = url
        self._streams: list[Streams] = []
        settings = Settings(home=Path("unused"), lease_ms=LEASE_MS)
        trim = Trimmer(keep=AT, reach=REACH)
        self.processes: list[Orchestrator | Host | Recorder] = [
            Recorder(self._connect(), out, clock=SYSTEM_CLOCK, trim=trim)
        ]
        for number in range(2):
            orchestrator = Orchestrator(
                self._connect(),
                clock=SYSTEM_CLOCK,
                name=f"orchestrator-{number}",
                lease_ms=LEASE_MS,
                hashed_every=AT,
            )
            host = Host(
                self._connect(),
                settings=settings,
                clock=SYSTEM_CLOCK,
                name=f"host-{number}",
                places=3,
                outbox=outbox(self._connect()),
            )
            self.processes += [orchestrator, host]

    def _connect(self) -> Streams:
        self._streams.append(Streams(self._url))
        return self._streams[-1]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run them, and stop them in the end."""
        threads = [Thread(target=process.run) for process in self.processes]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for process in self.processes:
                process.stop()
            for thread in threads:
                thread.join()
            for one in self._streams:
                one.close()


class Broken(NamedTuple):
    """What was done to connections, what is wrong, and what was trimmed meanwhile."""

    met: Counter[str]
    wrong: list[str]
    trimmed: Counter[str]


def broken_talks(folder: Path, *, faults: int, seed: int, outbox: type[Outbox] = Outbox) -> Broken:
    """Talk until so many faults have happened, or something is wrong."""
    met, trimmed = Counter[str](), Counter[str]()
    wrong: list[str] = []
    out = folder / "recordings"
    with (
        EmbeddedServer.open(folder / "server", fsync="everysec") as server,
        closing(Streams(server.url)) as looker,
    ):
        looker.beginnings = Recorded(out)
        number = 0
        while sum(met.values()) < faults and not wrong:
            number += 1
            spec, left = talk(seed * 1_000 + number), faults - sum(met.values())
            socket = Path(server.url.removeprefix("unix://"))
            proxy = Proxy(socket, seed=number, rate=RATE, most=left)
            with closing(proxy), Swarm(proxy.url, out, outbox).running():
                run = start(looker, spec)
                is_kept = (out / run / CLOSED).exists
                ended = wait_until(is_kept, within_ms=LONGEST_MS)
            found_here = wrong_with(looker, run, spec, out / run) if ended else ["it never ended"]
            wrong += [f"talk {number}: {what}" for what in found_here]
            met += proxy.faults
            trimmed += taken(looker, run)
    return Broken(met, wrong, trimmed)


def wrong_with(streams: Streams, run: str, spec: Spec, recording: Path) -> list[str]:
    """List what is wrong with what is left of a talk, at the server and on disk."""
    try:
        record = record_of(streams, run)
        wrong = [*found(record, turns=TURNS, is_cut=True), *found_again(record, hashed_every=AT)]
        wrong += wrongly_kept(streams, run, recording)
    except ParleyError as error:
        return [f"it cannot be read: {error}"]
    if sorted(transcript(record.journal)) != sorted(plain(spec)):
        wrong.append("the words are not those of the undisturbed run")
    return wrong


def test_whatever_the_network_does_every_word_is_said_once(tmp_path: Path) -> None:
    broken = broken_talks(tmp_path, faults=FAULTS, seed=1)
    assert broken.wrong == []
    assert sum(broken.met.values()) >= FAULTS
    assert set(broken.met) == KINDS
    assert broken.trimmed["trimmed: commits"] >= AT


class Repeating(Outbox):
    """An outbox that sends again by itself, as something new, what may have arrived."""

    def send(self, run: str, given: Input, record: str | None = None) -> None:
        super().send(run, given, record)
        if self.is_behind:
            again = given.model_copy(update={"nonce": f"{given.nonce}-again"})
            super().send(run, again, record)


def test_a_host_that_sends_again_by_itself_is_found(tmp_path: Path) -> None:
    broken = broken_talks(tmp_path, faults=FAULTS, seed=1, outbox=Repeating)
    assert any("each as something new" in wrong for wrong in broken.wrong), broken.wrong
