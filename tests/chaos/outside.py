"""Who is no part of the swarm: a reader of its journal, and a person who says something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.recorder.beginnings import Recorded
from tests.chaos.scene import LEASE_MS, RUN
from tests.chaos.wire import SimulatedStreams
from utils import keys
from utils.errors import Forgotten, ServerGone
from utils.protocol import Inject
from utils.streams import Tail, unseal_entry

if TYPE_CHECKING:
    from tests.chaos.scheduler import Process
    from tests.chaos.simulation import Play


def follow(play: Play, process: Process) -> None:
    """Read the journal as whoever watches does; from its start when it was rolled back."""
    clock = play.clock()
    streams = play.parts.streams(play.network, process, clock)
    streams.beginnings = Recorded(play.folder)
    play.read = []
    tail = Tail(streams)
    tail.follow(keys.journal(RUN))
    while True:
        try:
            play.read += [unseal_entry(entry) for entry in tail.read(block_ms=LEASE_MS)]
        except ServerGone:
            clock.sleep_s(0.1)
        except Forgotten:
            play.read = []
            tail = Tail(streams)
            tail.follow(keys.journal(RUN))


def inject(play: Play, process: Process) -> None:
    """Say three things from outside, each again until the server has it."""
    clock = play.clock()
    streams = SimulatedStreams(play.network, process, clock)
    for number in range(3):
        clock.sleep_s(play.chance.randrange(4 * LEASE_MS) / 1000)
        word, tries = f"{process.name}.{number}", 0
        while True:
            tries += play.parts.says_anew
            nonce = f"{word}.{tries}"
            said = Inject(author="person", nonce=nonce, channel="main", text=word)
            try:
                streams.append(keys.floor(RUN), said.model_dump_json())
                break
            except ServerGone:
                clock.sleep_s(0.1)
        play.injected.append(nonce)
    while True:
        clock.sleep_s(3_600)
