"""A thousand swarms in virtual time, each in weather of its own: what is promised holds.

A seed that fails is printed, and repeats: `python -m tests.chaos simulation --seed N`.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from analytics.recorder.process import Recorder
from analytics.recorder.recording import Recording
from analytics.recorder.trim import Trimmer
from bots.outbox import Outbox
from tests.chaos import scripts
from tests.chaos.beside import trimmed
from tests.chaos.lax import LaxAboutSeats, LaxAboutTime
from tests.chaos.promises import broken
from tests.chaos.scene import RUN, scene_of
from tests.chaos.server import Server
from tests.chaos.simulation import Parts, Played, play
from tests.chaos.weather import Fault
from tests.chaos.wire import SimulatedStreams
from utils import keys
from utils.streams import Entry, Streams

SEEDS = 1_000
BLOCK = 50
CONTROL_SEEDS = 300
"""Authors that do not say it again are found by one seed in a hundred."""


@pytest.mark.parametrize("block", range(SEEDS // BLOCK))
def test_whatever_goes_wrong_every_promise_is_kept(block: int) -> None:
    played = [play(seed) for seed in range(block * BLOCK, (block + 1) * BLOCK)]
    found = {one.seed: broken(one) for one in played}
    assert {seed: wrong for seed, wrong in found.items() if wrong} == {}
    assert sum(map(trimmed, played)) > BLOCK, "hardly anything was trimmed"


def test_a_seed_plays_the_same_again() -> None:
    for seed in (17, 60, 109):
        first, second = shape(play(seed)), shape(play(seed))
        assert first == second
        assert first[1], "nothing went wrong"


def shape(played: Played) -> tuple[int, list[object], list[tuple[str, ...]]]:
    """Tell all of a play but nonces and hashes, which are drawn anew each time."""
    commits = [
        tuple(event.kind for event in sealed.commit.events)
        for sealed in played.streams.journal(RUN)
    ]
    return played.virtual_ms, list(played.faults), commits


# --- negative controls ------------------------------------------------------------------


def is_greater_than_the_top(server: Server, keys: list[str], args: list[str]) -> list[str]:
    """Append whatever has a greater number, as XADD itself would."""
    top = scripts.top(server, keys[0])[0]
    return scripts.append(server, keys, args) if int(args[0]) > top else ["mine"]


class Blind(SimulatedStreams):
    """Never looks back after a reconnect."""

    def look_back(self, entry: Entry) -> None:
        pass


class Careless(Outbox):
    """Never says again what may not have arrived."""

    def resend(self) -> None:
        self.is_behind = False


class Hurried(Recorder):
    """Goes on after a reconnect with the calls that come from then on."""

    def _connect(self) -> None:
        super()._connect()
        for recording in self.recordings.values():
            top = self.streams.top(recording.calls.key)
            if top:
                recording.calls.position = top.id


class Greedy(Trimmer):
    """Leaves the last commit, whatever a leader needs to start from."""

    def __call__(self, streams: Streams, recording: Recording) -> None:
        journal = keys.journal(recording.run)
        top = streams.top(journal)
        if top:
            streams.trim_before(journal, top.id)


class Forgetful(Trimmer):
    """Takes from the channels what bots do remember."""

    def __init__(self, *, keep: int, reach: int) -> None:
        super().__init__(keep=keep, reach=0)


class Control(NamedTuple):
    """A broken rule, the weather it shows in, and what the judges must say of it."""

    parts: Parts
    faults: tuple[Fault, ...]
    says: str = ""


CONTROLS = {
    "the commit needs but a greater number": Control(
        Parts(commit=is_greater_than_the_top), ("freeze", "tail lost")
    ),
    "readers do not look back": Control(Parts(streams=Blind), ("tail lost",)),
    "authors do not say it again": Control(Parts(outbox=Careless), ("cut before", "partition")),
    "the recorder goes on from the end": Control(
        Parts(recorder=Hurried), ("cut before", "partition"), "are not the calls"
    ),
    "the server is trimmed beyond the snapshot": Control(Parts(trimmer=Greedy), ("kill",)),
    "channels are trimmed of what is remembered": Control(Parts(trimmer=Forgetful), ("kill",)),
    "authors say it again as something new": Control(Parts(says_anew=True), ("cut reply", "late")),
    "answers from an old seat are taken": Control(
        Parts(orchestrator=LaxAboutSeats), ("freeze", "partition"), "from an old seat"
    ),
    "deadlines pass unseen": Control(Parts(orchestrator=LaxAboutTime), ("kill",), "silent for"),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_broken_rule_is_found(name: str) -> None:
    parts, faults, says = CONTROLS[name]
    for seed in range(CONTROL_SEEDS):
        scene = scene_of(seed)
        rates = dict.fromkeys(faults, 0.02)
        weather = scene.weather._replace(rates=rates, most=20)
        found = broken(play(seed, scene=scene._replace(weather=weather), parts=parts))
        if any(says in one for one in found):
            return
    raise AssertionError("no seed showed it")
