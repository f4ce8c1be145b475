"""Garbage on the floor and in whatever a process reads: nobody dies, and the talk goes on.

The run that is watched has garbage on its floor and beside it. Other runs are spoiled, one
key each, while they are led, served, recorded and watched. Who does that for all of them
must go on, and each piece on the floor is answered with one rejection.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from analytics.observer.follow import Following
from analytics.recorder.beginnings import Recorded
from tests.chaos.garbage import Vandal, beside, floor, spoiled
from tests.chaos.lax import LaxAboutGrants, LaxAboutNonces, LaxAboutSeats
from tests.chaos.promises import broken
from tests.chaos.scene import RUN, scene_of
from tests.chaos.scheduler import Process, ProcessClock
from tests.chaos.simulation import Parts, Play, Played, play
from tests.chaos.wire import SimulatedStreams
from tests.swarm import happened
from utils.errors import ParleyError
from utils.streams import Entry

PLACES = {"the floor": (floor, 1_600), "beside": (beside, 200), "another run": (spoiled, 200)}
FORGED = {"author", "nonce", "bot", "seat", "epoch", "grant"}


def watch(on: Play, process: Process) -> None:
    """Watch every run there is; one whose journal is not what it should be, no more."""
    clock = on.clock()
    streams = connected(on, process, clock)
    watched: dict[str, Following | None] = {}
    while True:
        for run in streams.live_runs():
            if run not in watched:
                watched[run] = Following(connected(on, process, clock), run, clock=clock)
        for run, following in watched.items():
            try:
                if following:
                    following.read()
            except ParleyError:
                if run == RUN:
                    raise
                watched[run] = None
        clock.sleep_s(0.1)


def connected(on: Play, process: Process, clock: ProcessClock) -> SimulatedStreams:
    """Connect, and read from the recorder's disk what it trimmed."""
    streams = SimulatedStreams(on.network, process, clock)
    streams.beginnings = Recorded(on.folder)
    return streams


def played_with(
    place: str, pieces: int, seed: int, parts: Parts | None = None
) -> tuple[Played, Vandal]:
    """Play a talk with garbage all through it."""
    vandal = Vandal(PLACES[place][0], pieces, seed)
    scene = scene_of(seed)
    calm = scene.weather._replace(rates={}, most=0)
    scene = scene._replace(weather=calm, is_patient=True, longest_ms=400)
    parts = (parts or Parts())._replace(also=(vandal, watch), places=100)
    return play(seed, scene=scene, parts=parts), vandal


def wrong(played: Played, vandal: Vandal) -> list[str]:
    """List what garbage has done: promises it broke, and pieces that were not rejected."""
    if played.stuck or played.died:
        return [*([played.stuck] if played.stuck else []), *played.died]
    journal = list(played.streams.journal(RUN))
    rejected = Counter(event.input_id for event in happened(journal, "rejected"))
    consumed = [one for sealed in journal for one in sealed.commit.inputs]
    return broken(played) + [
        f"taken in, and rejected {rejected[one.id]} times: {one.raw[:300]!r}"
        for one in consumed
        if one.id in vandal.on_floor and rejected[one.id] != 1
    ]


@pytest.mark.parametrize("place", PLACES)
def test_garbage_stops_nobody(place: str) -> None:
    pieces, seed = PLACES[place][1], 0
    forged = Counter[str]()
    while pieces:
        seed += 1
        played, vandal = played_with(place, pieces, seed)
        pieces = vandal.pieces
        forged.update(vandal.forged)
        assert wrong(played, vandal) == [], seed
    if place == "the floor":
        assert {field for field, times in forged.items() if field and times > 9} == FORGED


class Strict(SimulatedStreams):
    """Raises at what is no text, as redis-py does by default."""

    def read(self, *args: Any, **given: Any) -> list[Entry]:
        read = super().read(*args, **given)
        for entry in read:
            entry.body.encode()
        return read


def test_who_dies_of_a_text_that_is_none_is_found() -> None:
    played, _ = played_with("the floor", 300, seed=1, parts=Parts(streams=Strict))
    assert any("UnicodeEncodeError" in death for death in played.died)


@pytest.mark.parametrize("lax", [LaxAboutGrants, LaxAboutSeats, LaxAboutNonces])
def test_an_intake_that_leaves_out_a_check_is_found(lax: Any) -> None:
    found = wrong(*played_with("the floor", 500, seed=1, parts=Parts(orchestrator=lax)))
    assert any("taken in, and rejected 0 times" in one for one in found)
