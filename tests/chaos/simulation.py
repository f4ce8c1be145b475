"""One seed: orchestrators, hosts, a reader and a person over a server, in virtual time.

The processes are the product's own classes and their own loops. What is simulated is what
they stand on: the server, the network, clocks, the machine's scheduler, and minds that
take their time. A seed decides everything, so that it can be looked at again:

    python -m tests.chaos simulation --seed 17
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from analytics.observer.runs import Registered
from analytics.recorder.process import Recorder
from analytics.recorder.trim import Trimmer
from bots.minds.seam import Mind
from bots.outbox import Outbox
from bots.runtime import Host
from bots.seat import Seat
from bots.task import Task
from bots.work import Answering
from orchestrator.rules import HASHED_EVERY
from orchestrator.runtime import Orchestrator
from tests.chaos import scripts
from tests.chaos.fair import server_with, streams_in_fair_weather
from tests.chaos.outside import follow, inject
from tests.chaos.recording import Kept, closed, recorder
from tests.chaos.scene import BEGIN_MS, CALM_AFTER_MS, LEASE_MS, RUN, Scene, scene_of
from tests.chaos.scheduler import Process, ProcessClock, Scheduler, Stuck, TaskLock
from tests.chaos.server import Script, Write
from tests.chaos.weather import Happened, Network
from tests.chaos.wire import SimulatedStreams
from utils import keys
from utils.journal import Sealed, sha256_of
from utils.settings import Settings
from utils.streams import Streams


class Parts(NamedTuple):
    """What the scene is played with: another for each rule that is broken on purpose.

    Attributes:
        orchestrator: What leads.
        recorder, trimmer: What records, and what it trims by.
        says_anew: Whoever says something again says it as something new.
        took_ms: How long a mind takes; by default what the scene draws.
        also: What further processes do.
        longest_ms: Within what time it should be over; 0 for what fits the scene.
        places: How many seats a host takes; 0 for all of the one run.
        is_interrupted: Whether a person says something from outside.
    """

    streams: type[SimulatedStreams] = SimulatedStreams
    outbox: type[Outbox] = Outbox
    commit: Script = scripts.commit
    orchestrator: type[Orchestrator] = Orchestrator
    recorder: type[Recorder] = Recorder
    trimmer: type[Trimmer] = Trimmer
    says_anew: bool = False
    took_ms: Callable[[Random, Scene, Task], int] | None = None
    also: tuple[Callable[[Play, Process], None], ...] = ()
    longest_ms: int = 0
    places: int = 0
    is_interrupted: bool = True


class Played(NamedTuple):
    """What a seed left behind.

    Attributes:
        streams: Reads what the server holds in the end, in fair weather.
        read: What the reader holds in the end.
        injected: Nonces of the words from outside that were acknowledged.
        died: Processes that an error ended, each with the error.
        stuck: Why it did not end; empty when it did.
        log: What the server wrote, in the order it did.
        came_ms: When a commit was first at the server, true time, by its hash.
        kept: What is on the recorder's disk in the end; none when nobody recorded.
    """

    seed: int
    scene: Scene
    streams: Streams
    read: list[Sealed]
    injected: list[str]
    died: list[str]
    stuck: str
    faults: list[Happened]
    log: list[list[Write]]
    virtual_ms: int
    came_ms: dict[str, int]
    kept: Kept | None


def drawn_ms(chance: Random, scene: Scene, task: Task) -> int:
    """Draw how long a mind takes."""
    return chance.randrange(scene.longest_ms) if scene.longest_ms else 0


class SlowHost(Host):
    """A host whose minds take their time, in tasks of the same process."""

    def __init__(self, play: Play, process: Process, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._play, self._process = play, process
        self.outbox._lock = TaskLock(play.scheduler)  # type: ignore[assignment]

    def _work(self, seat: Seat, task: Task, mind: Mind, answering: Answering) -> None:
        drawn = self._play.parts.took_ms or drawn_ms
        took_ms = drawn(self._play.chance, self._play.scene, task)
        if took_ms:
            work = super()._work
            self._play.scheduler.spawn(
                self._process, lambda: work(seat, task, mind, answering), after_ms=took_ms
            )
        else:
            super()._work(seat, task, mind, answering)


class Play:
    """A seed being played."""

    def __init__(self, seed: int, scene: Scene, parts: Parts) -> None:
        self.seed, self.scene, self.parts = seed, scene, parts
        self.chance = Random(f"play {seed}")
        self.scheduler = Scheduler(self.chance, now_ms=BEGIN_MS)
        server = server_with(parts.commit, lambda: self.network.server_ms)
        self.network = Network(self.scheduler, self.chance, scene.weather, server)
        self.network.on_death = self._died
        self.died: list[str] = []
        self.injected: list[str] = []
        self.read: list[Sealed] = []
        self._bodies: dict[Process, Callable[[Process], None]] = {}
        self._begun = 0
        self._folder = TemporaryDirectory(prefix="chaos-")
        self.folder = Path(self._folder.name)

    def run(self) -> Played:
        with self._folder:
            return self._run()

    def _run(self) -> Played:
        stuck = ""
        streams = self._register()
        for _ in range(self.scene.orchestrators):
            self._begin("orchestrator", self.orchestrate)
        for _ in range(self.scene.hosts):
            self._begin("host", self.serve)
        for _ in range(self.scene.recorders):
            self._begin("recorder", self.record)
        self._begin("reader", partial(follow, self))
        if self.parts.is_interrupted:
            self._begin("person", partial(inject, self))
        for number, does in enumerate(self.parts.also):
            self._begin(f"also{number}", partial(does, self))
        rounds = sum(channel.turns or 0 for channel in self.scene.spec.channels)
        longest_ms = CALM_AFTER_MS + 40 * LEASE_MS + rounds * 2 * 7 * LEASE_MS
        longest_ms = self.parts.longest_ms or longest_ms
        try:
            self.scheduler.run(self._is_over, until_ms=BEGIN_MS + longest_ms)
        except Stuck as error:
            stuck = str(error)
        finally:
            self.scheduler.close()
        took_ms = self.scheduler.now_ms - BEGIN_MS
        kept = Kept(self.folder / RUN) if self.scene.recorders else None
        streams.beginnings = kept
        return Played(
            self.seed,
            self.scene,
            streams,
            self.read,
            self.injected,
            self.died,
            stuck,
            self.network.faults,
            self.network.server.log,
            took_ms,
            self.network.came_ms,
            kept,
        )

    def _register(self) -> Streams:
        """Put the run where the processes find it."""
        streams = streams_in_fair_weather(self.network.server)
        body = self.scene.spec.model_dump_json()
        entry = Registered(
            run=RUN, scenario="tea", spec_sha256=sha256_of(body), started_ms=BEGIN_MS
        )
        streams.register(RUN, spec=body, entry=entry.model_dump_json(), now_ms=BEGIN_MS)
        self.network.server.safe = len(self.network.server.log)
        return streams

    def _is_over(self) -> bool:
        """Tell whether the run is off the list, its journal read to the end, and recorded."""
        live = self.network.server._scores(keys.LIVE)
        if RUN in live or self.network.server.is_down:
            return False
        last, sha256 = scripts.top(self.network.server, keys.journal(RUN))
        is_read = last > 0 and len(self.read) == last
        return is_read and (not self.scene.recorders or closed(self.folder / RUN) == sha256)

    # --- processes --------------------------------------------------------------------

    def _begin(self, kind: str, body: Callable[[Process], None], *, after_ms: int = 0) -> None:
        self._begun += 1
        process = Process(f"{kind}-{self._begun}")
        self._bodies[process] = body

        def run() -> None:
            try:
                body(process)
            except Exception as error:  # noqa: BLE001 - what ends a process of the product
                self.died.append(f"{process.name}: {type(error).__name__}: {error}")
                self.kill(process)

        self.scheduler.spawn(process, run, after_ms=after_ms)

    def living(self) -> list[Process]:
        return [process for process in self._bodies if not process.is_dead]

    def kill(self, process: Process) -> None:
        """Kill a process from outside; another of its kind begins."""
        process.is_dead = True
        self._died(process)

    def _died(self, process: Process) -> None:
        after_ms = self.chance.randrange(10, 2 * LEASE_MS)
        kind = process.name.partition("-")[0]
        self._begin(kind, self._bodies[process], after_ms=after_ms)

    def clock(self) -> ProcessClock:
        """Make the clock of a process: its zero is hours from anybody else's."""
        return ProcessClock(self.scheduler, zero_ms=self.chance.randrange(BEGIN_MS))

    def orchestrate(self, process: Process) -> None:
        clock = self.clock()
        streams = self.parts.streams(self.network, process, clock)
        one = self.parts.orchestrator(
            streams,
            clock=clock,
            name=process.name,
            lease_ms=LEASE_MS,
            hashed_every=self.scene.trimmed_at or HASHED_EVERY,
        )
        while True:
            one.step()

    def record(self, process: Process) -> None:
        clock = self.clock()
        streams = self.parts.streams(self.network, process, clock)
        recorder(self, streams, clock).run()

    def serve(self, process: Process) -> None:
        host = self.host(process)
        while True:
            host.step()

    def host(self, process: Process, **given: Any) -> Host:
        clock = self.clock()
        return SlowHost(
            self,
            process,
            self.parts.streams(self.network, process, clock),
            settings=Settings(home=Path("unused"), lease_ms=LEASE_MS),
            clock=clock,
            outbox=self.parts.outbox(SimulatedStreams(self.network, process, clock)),
            **{
                "name": process.name,
                "places": self.parts.places or len(self.scene.spec.bots),
                **given,
            },
        )


def play(seed: int, *, scene: Scene | None = None, parts: Parts | None = None) -> Played:
    """Play a seed."""
    logging.disable(logging.CRITICAL)
    try:
        return Play(seed, scene or scene_of(seed), parts or Parts()).run()
    finally:
        logging.disable(logging.NOTSET)
