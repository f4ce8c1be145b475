"""Real processes in a storm: hosts, orchestrators, a recorder and their server, killed and stopped.

What is drawn at random is who, when, and for how long. Whoever is killed is replaced at once, the
server by one that reads the same file.
"""

from __future__ import annotations

import os
import resource
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeVar

from analytics.recorder.beginnings import Recorded
from analytics.recorder.recording import CLOSED
from orchestrator.rules import HASHED_EVERY
from parley.starting import start
from tests.chaos.kept import taken, wrongly_kept
from tests.chaos.nursery import Nursery
from tests.findings import Record, found, found_again, record_of
from tests.scenes import spec_of
from tests.swarm import fake_swarm, happened, transcript
from utils import keys
from utils.clock import SYSTEM_CLOCK, wait_until
from utils.errors import Missing, ServerGone, StreamError
from utils.server import EmbeddedServer, Fsync, ServerBinary
from utils.server_home import is_alive
from utils.spec import ChannelSpec, FloorSpec, Spec
from utils.streams import Streams

LEASE_MS = 300
LONGEST_MS = 180_000
"""Within what the run goes on after a fault: far more than it takes on any machine."""
BOTS = ("ada", "bo", "cy", "dot")
PATIENT_S = 3_600.0

T = TypeVar("T")


class Storm(NamedTuple):
    """What is to happen in the course of a talk.

    Attributes:
        faults: Kind of fault to how often: `kill` or `stop`, and `bots`, `orchestrator`,
            `server` or `recorder`.
        trimmed_at: How much of each stream a recorder leaves, and how many commits apart
            snapshots are; 0 when nobody records.
        recorder: What kind of process records.
        longest_ms: Within what it goes on after a fault.
    """

    turns: int
    faults: Mapping[str, int]
    fsync: Fsync = "always"
    allow_s: float = PATIENT_S
    trimmed_at: int = 0
    recorder: str = "recorder"
    longest_ms: int = LONGEST_MS


def talk(storm: Storm, seed: int) -> Spec:
    """Make two channels of the same four bots, who are drawn."""
    channels = [
        ChannelSpec(name=name, members=BOTS, policy="random", opening="Go on.", turns=turns)
        for name, turns in (("kitchen", storm.turns // 2), ("garden", -(-storm.turns // 2)))
    ]
    floor = FloorSpec(allow_s=storm.allow_s, gather_s=60)
    return spec_of(BOTS, channels=channels, turns=None, floor=floor, seed=seed)


class Crowd:
    """A server, two orchestrators, two hosts, maybe a recorder, each a process of its own."""

    def __init__(
        self, folder: Path, storm: Storm, chance: Random, *, binary: ServerBinary | None = None
    ) -> None:
        self.home, self.storm, self.chance = folder / "server", storm, chance
        self.servers = [EmbeddedServer.open(self.home, fsync=storm.fsync, binary=binary)]
        url, trimmed_at = self.servers[0].url, storm.trimmed_at
        self.streams, self.recordings = Streams(url), folder / "recordings"
        if trimmed_at:
            self.streams.beginnings = Recorded(self.recordings)
        self.nursery = Nursery(url, folder, trimmed_at=trimmed_at, lease_ms=LEASE_MS, places=3)
        self.met: Counter[str] = Counter()
        self.turns = self.seen = self._born = 0

    def bear(self, kind: str) -> str:
        self._born += 1
        name = f"{kind.split()[0]}-{self._born}"
        self.nursery.bear(kind, name)
        return name

    def close(self) -> None:
        self.nursery.close()
        self.streams.close()
        for server in self.servers:
            server.close()

    # --- looking ------------------------------------------------------------------------

    def ask(self, question: Callable[[], T]) -> T:
        """Ask the server, as often as its line breaks."""
        answers: list[T] = []

        def is_answered() -> bool:
            with suppress(ServerGone):
                answers.append(question())
            return bool(answers)

        assert wait_until(is_answered, within_ms=self.storm.longest_ms)
        return answers[-1]

    def wait(self, run: str, *, turns: int) -> None:
        """Wait until so many turns are closed, or the run is."""

        def has_come() -> bool:
            journal = keys.journal(run)
            for entry in self.ask(lambda: self.streams.range(journal, after=f"{self.seen}-0")):
                self.seen = int(entry.id.partition("-")[0])
                self.turns += entry.body.count('"kind":"turn_closed"')
            return self.turns >= turns or self.is_over(run)

        assert wait_until(has_come, within_ms=self.storm.longest_ms, every_ms=2), self.told(run)

    def is_over(self, run: str) -> bool:
        return run not in self.ask(self.streams.live_runs)

    def is_kept(self, run: str) -> bool:
        """Tell whether a run is over, and on disk if somebody records."""
        is_kept = not self.storm.trimmed_at or (self.recordings / run / CLOSED).exists()
        return is_kept and self.is_over(run)

    def told(self, run: str) -> str:
        logs = sorted(self.home.parent.glob("logs/*.log"), key=lambda log: log.stat().st_mtime)
        tails = [path.read_text()[-300:] for path in logs[-4:]]
        return f"{run}: {self.turns} turns, {dict(self.met)}, {' '.join(tails)}"

    @property
    def server_pid(self) -> int:
        return self.servers[-1].home.server_pid()

    # --- doing --------------------------------------------------------------------------

    def do(self, fault: str, run: str) -> None:
        """Kill somebody, or stop them for a while."""
        deed, kind = fault.split()
        self.met[fault] += 1
        if kind == "server":
            self.kill_server() if deed == "kill" else self.stop(self.server_pid)
            return
        name = self.victim(kind, run)
        if deed == "kill":
            self.nursery.kill(name)
            self.bear(kind)
        else:
            self.stop(self.nursery.children[name])

    def victim(self, kind: str, run: str) -> str:
        """Draw who it is to be; of orchestrators more often the one that leads."""
        living = [name for name in self.nursery.children if name.startswith(kind)]
        (leading,) = self.ask(lambda: self.streams.lease_owners([keys.leader(run)]))
        is_leaders_turn = leading in living and self.chance.random() < 0.7
        return str(leading) if is_leaders_turn else self.chance.choice(living)

    def stop(self, pid: int) -> None:
        """Stop a process for 0.1 to 3 leases."""
        os.kill(pid, signal.SIGSTOP)
        SYSTEM_CLOCK.sleep_s(self.chance.uniform(0.1, 3) * LEASE_MS / 1000)
        os.kill(pid, signal.SIGCONT)

    def kill_server(self) -> None:
        pid = self.server_pid
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: not is_alive(pid), within_ms=LONGEST_MS)
        self.open_server()

    def open_server(self) -> None:
        """Start the server again, on what is in its file."""
        self.servers.append(EmbeddedServer.open(self.home, fsync=self.storm.fsync))


@contextmanager
def crowd(
    folder: Path, storm: Storm, seed: int, *, binary: ServerBinary | None = None
) -> Iterator[Crowd]:
    """Hold two orchestrators and two hosts, none with room for all, and who records."""
    one = Crowd(folder, storm, Random(seed), binary=binary)
    try:
        for kind in ("orchestrator", "bots") * 2:
            one.bear(kind)
        if storm.trimmed_at:
            one.bear(storm.recorder)
        yield one
    finally:
        one.close()


class Weathered(NamedTuple):
    """What a storm left behind.

    Attributes:
        met: What was done.
        wrong: What is wrong with records, recordings and words.
        trimmed: What was taken from the server, stream by stream.
    """

    met: Counter[str]
    wrong: list[str]
    talks: int
    trimmed: Counter[str]


def weather(folder: Path, storm: Storm, seed: int) -> Weathered:
    """Talk through a storm, its faults spread over the turns; once more while there are any."""
    drawn = [fault for fault, times in storm.faults.items() for _ in range(times)]
    Random(seed).shuffle(drawn)
    wrong: list[str] = []
    trimmed: Counter[str] = Counter()
    talks, every = 0, storm.turns / (len(drawn) + 2)
    with crowd(folder, storm, seed) as swarm:
        while drawn:
            talks += 1
            spec = talk(storm, 1_000 * seed + talks)
            run = _talked(swarm, spec, drawn, every)
            looked = partial(wrong_with, swarm.streams, run, spec, storm, swarm.recordings / run)
            wrong += swarm.ask(looked)
            trimmed += swarm.ask(partial(taken, swarm.streams, run))
    return Weathered(swarm.met, wrong, talks, trimmed)


def wrong_with(streams: Streams, run: str, spec: Spec, storm: Storm, recording: Path) -> list[str]:
    """List what is wrong with what is left of a talk, at the server and on disk."""
    try:
        record = record_of(streams, run)
        wrong = [*judged(record, spec, storm.turns, is_cut="kill server" in storm.faults)]
        wrong += found_again(record, hashed_every=storm.trimmed_at or HASHED_EVERY)
        if storm.trimmed_at:
            wrong += wrongly_kept(streams, run, recording)
            wrong += [] if taken(streams, run)["trimmed: commits"] else ["nothing was trimmed"]
    except (Missing, StreamError) as error:
        return [f"it cannot be read: {error}"]
    return wrong


def _talked(swarm: Crowd, spec: Spec, drawn: list[str], every: float) -> str:
    """Talk, and do what was drawn, one fault after another, until the talk is over."""
    run = start(swarm.streams, spec)
    swarm.turns = swarm.seen = 0
    for number in range(1, len(drawn) + 1):
        swarm.wait(run, turns=round(number * every))
        if swarm.is_over(run):
            break
        swarm.do(drawn.pop(), run)
    is_kept = wait_until(lambda: swarm.is_kept(run), within_ms=swarm.storm.longest_ms)
    assert is_kept, swarm.told(run)
    return run


def judged(record: Record, spec: Spec, turns: int, *, is_cut: bool = True) -> Iterator[str]:
    """List what is wrong with a record, and with what was said."""
    yield from found(record, turns=turns, is_cut=is_cut)
    for revoked in happened(record.journal, "revoked"):
        yield f"{revoked.channel} turn {revoked.turn}: {revoked.bot} lost it, {revoked.reason}"
    if sorted(transcript(record.journal)) != sorted(plain(spec)):
        yield "the words are not those of the undisturbed run"


def plain(spec: Spec) -> list[tuple[str, int, str | None, str]]:
    """Tell the words of a run in which nothing goes wrong."""
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(len(spec.bots))
        return transcript(swarm.finish(swarm.seed(spec)))


def limit(pid: int, what: int, most: int) -> tuple[int, int]:
    """Set a limit of a process that runs; what it was."""
    was = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (most, was[1]))
    return was
