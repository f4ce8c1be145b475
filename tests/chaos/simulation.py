"""One seed: orchestrators, hosts, a reader and a person over a server, in virtual time.

The processes are the product's own classes and their own loops. What is simulated is what
they stand on: the server, the network, clocks, the machine's scheduler, and minds that
take their time. A seed decides everything, so that it can be looked at again:

    python -m tests.chaos simulation --seed 17 --show
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from bots.minds.seam import Mind
from bots.outbox import Outbox
from bots.runtime import Host
from bots.seat import Seat
from bots.task import Task
from bots.work import Answering
from orchestrator.runtime import Orchestrator
from tests.chaos import scripts
from tests.chaos.fair import server_with, streams_in_fair_weather
from tests.chaos.scene import BEGIN_MS, CALM_AFTER_MS, LEASE_MS, Scene, scene_of
from tests.chaos.scheduler import Process, ProcessClock, Scheduler, Stuck, TaskLock
from tests.chaos.server import Script, Write
from tests.chaos.weather import Happened, Network
from tests.chaos.wire import SimulatedStreams
from utils import keys
from utils.errors import Forgotten, ServerGone
from utils.journal import Sealed
from utils.protocol import Inject
from utils.settings import Settings
from utils.streams import Streams, Tail, unseal_entry

RUN = "tea-1"


class Parts(NamedTuple):
    """What the scene is played with: another for each rule that is broken on purpose.

    Attributes:
        says_anew: Whoever says something again says it as something new.
        took_ms: How long a mind takes; by default what the scene draws.
        also: What further processes do.
        longest_ms: Within what time it should be over; 0 for what fits the scene.
        places: How many seats a host takes; 0 for all of the one run.
    """

    streams: type[SimulatedStreams] = SimulatedStreams
    outbox: type[Outbox] = Outbox
    commit: Script = scripts.commit
    says_anew: bool = False
    took_ms: Callable[[Random, Scene, Task], int] | None = None
    also: tuple[Callable[[Play, Process], None], ...] = ()
    longest_ms: int = 0
    places: int = 0


class Played(NamedTuple):
    """What a seed left behind.

    Attributes:
        streams: Reads what the server holds in the end, in fair weather.
        read: What the reader holds in the end.
        injected: Nonces of the words from outside that were acknowledged.
        died: Processes that an error ended, each with the error.
        stuck: Why it did not end; empty when it did.
        log: What the server wrote, in the order it did.
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

    def run(self) -> Played:
        stuck = ""
        streams = self._register()
        for _ in range(self.scene.orchestrators):
            self._begin("orchestrator", self.orchestrate)
        for _ in range(self.scene.hosts):
            self._begin("host", self.serve)
        self._begin("reader", self._follow)
        self._begin("person", self._inject)
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
        )

    def _register(self) -> Streams:
        """Put the run where the processes find it."""
        streams = streams_in_fair_weather(self.network.server)
        body = self.scene.spec.model_dump_json()
        streams.register(RUN, spec=body, entry="{}", now_ms=BEGIN_MS)
        self.network.server.safe = len(self.network.server.log)
        return streams

    def _is_over(self) -> bool:
        """Tell whether the run is off the list, and the reader has read its journal's end."""
        live = self.network.server._scores(keys.LIVE)
        if RUN in live or self.network.server.is_down:
            return False
        stream = self.network.server.stream(keys.journal(RUN))
        return stream is not None and len(self.read) == len(stream.ids)

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
        one = Orchestrator(streams, clock=clock, name=process.name, lease_ms=LEASE_MS)
        while True:
            one.step()

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

    def _follow(self, process: Process) -> None:
        """Read the journal as whoever watches does; from its start when it was rolled back."""
        clock = self.clock()
        streams = self.parts.streams(self.network, process, clock)
        self.read = []
        tail = Tail(streams)
        tail.follow(keys.journal(RUN))
        while True:
            try:
                self.read += [unseal_entry(entry) for entry in tail.read(block_ms=LEASE_MS)]
            except ServerGone:
                clock.sleep_s(0.1)
            except Forgotten:
                self.read = []
                tail = Tail(streams)
                tail.follow(keys.journal(RUN))

    def _inject(self, process: Process) -> None:
        """Say three things from outside, each again until the server has it."""
        clock = self.clock()
        streams = SimulatedStreams(self.network, process, clock)
        for number in range(3):
            clock.sleep_s(self.chance.randrange(4 * LEASE_MS) / 1000)
            word, tries = f"{process.name}.{number}", 0
            while True:
                tries += self.parts.says_anew
                nonce = f"{word}.{tries}"
                said = Inject(author="person", nonce=nonce, channel="main", text=word)
                try:
                    streams.append(keys.floor(RUN), said.model_dump_json())
                    break
                except ServerGone:
                    clock.sleep_s(0.1)
            self.injected.append(nonce)
        while True:
            clock.sleep_s(3_600)


def play(seed: int, *, scene: Scene | None = None, parts: Parts | None = None) -> Played:
    """Play a seed."""
    logging.disable(logging.CRITICAL)
    try:
        return Play(seed, scene or scene_of(seed), parts or Parts()).run()
    finally:
        logging.disable(logging.NOTSET)
