"""Garbage on the floor and in whatever a process reads: nobody dies, and the talk goes on.

The run that is watched has garbage on its floor and beside it. Other runs are spoiled, one
key each, while they are led and served. Who leads and serves all of them must go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.chaos.promises import undisturbed, words_of
from tests.chaos.scene import RUN, scene_of
from tests.chaos.scheduler import Process
from tests.chaos.simulation import Parts, Play, Played, play
from tests.chaos.wire import SimulatedStreams
from tests.swarm import happened
from utils import keys
from utils.journal import chain
from utils.streams import Entry

PIECES = 2_000


def texts(chance: Random, live: list[str]) -> str:
    """Draw a text that is no input, or one that claims what is not so, or is said again."""
    forged: dict[str, Any] = {
        "kind": "proposed",
        "author": chance.choice(["host-2", "host-3", "nobody"]),
        "nonce": f"x{chance.random()}",
        "bot": chance.choice(["ada", "bo", "zed"]),
        "seat": chance.choice([0, 1, 2, 2**40]),
        "epoch": chance.choice([0, 1, 2, 3, 10**15]),
        "grant": chance.choice(["0" * 64, "f" * 64]),
        "action": {"kind": "say", "text": "I was never asked."},
    }
    field = chance.choice(list(forged))
    lacking = {name: value for name, value in forged.items() if name != field}
    last = live[-1] if live else "{"
    return chance.choice(
        [
            "".join(chr(chance.randrange(1, 256)) for _ in range(chance.randrange(40))),
            "\udcff\udc80" * chance.randrange(1, 9),
            "[" * chance.choice([10, 5_000]),
            json.dumps(chance.choice([None, 1, [], "x", {"kind": "riddle"}, {"kind": None}])),
            last[: chance.randrange(len(last) + 1)],
            json.dumps({**forged, field: chance.choice([None, [], {}, -1])}),
            json.dumps(lacking),
            json.dumps({**forged, "action": {"kind": "say", "text": "a\x00b"}}),
            "x" * chance.choice([1, 1, 1, 70_000, 1_000_000]),
            chance.choice(live or ["{}"]),
            json.dumps(forged),
        ]
    )


def floor(on: Play, chance: Random) -> None:
    """Put garbage on the floor of the run that is watched."""
    server, key = on.network.server, keys.floor(RUN)
    stream = server.stream(key)
    live = [fields[1] for fields in stream.fields if len(fields) == 2] if stream else []
    fields = ["b", texts(chance, live)]
    if chance.random() < 0.1:
        fields = chance.choice([["c", "x"], ["b", "{}", "h", "x"], ["", ""], ["b\udcff", "{}"]])
    server.execute(["XADD", key, "*", *fields])


def beside(on: Play, chance: Random) -> None:
    """Put garbage where processes look for runs and for each other."""
    execute = on.network.server.execute
    execute(["XADD", keys.RUNS, "*", chance.choice("bc"), texts(chance, [])])
    execute(["ZADD", keys.HOSTS, chance.choice(["inf", "-inf", "1e300", "-1"]), texts(chance, [])])
    execute(["ZADD", keys.LIVE, "1", chance.choice(["", "../x", "{a}", "\udcff", "no such run"])])


def spoiled(on: Play, chance: Random) -> None:
    """Put garbage in some key of another run, while it is led and served."""
    execute, run = on.network.server.execute, f"spoiled-{chance.randrange(10**9)}"
    execute(["SET", keys.spec(run), on.scene.spec.model_dump_json()])
    execute(["ZADD", keys.LIVE, "2", run])
    execute(["XADD", keys.RUNS, "*", "b", run])
    on.scheduler.wait(chance.randrange(300))
    names = (keys.journal, keys.floor, keys.snapshot, keys.calls, keys.leader, keys.spec)
    hosts = [process.name for process in on.living() if process.name.startswith("host")]
    key = chance.choice(
        [
            *(name(run) for name in names),
            *(keys.channel(run, channel.name) for channel in on.scene.spec.channels),
            *(keys.seat(run, bot.name) for bot in on.scene.spec.bots),
            *(keys.inbox(run, host) for host in hosts),
        ]
    )
    kind = chance.randrange(3)
    if kind == 0 and on.network.server.kind(key) in ("stream", "none"):
        execute(["XADD", key, f"{2**45}-0", "b", texts(chance, []), "h", "x"])
        return
    execute(["DEL", key])
    execute(["SET", key, texts(chance, [])] if kind == 1 else ["ZADD", key, "1", "x"])


PLACES: dict[str, tuple[Callable[[Play, Random], None], int]] = {
    "the floor": (floor, 1_600),
    "beside": (beside, 200),
    "another run": (spoiled, 200),
}


class Vandal:
    """Writes garbage all through a run."""

    def __init__(self, place: str, pieces: int, seed: int) -> None:
        self.writes, self.pieces, self.chance = PLACES[place][0], pieces, Random(seed)

    def __call__(self, on: Play, process: Process) -> None:
        while self.pieces:
            for _ in range(min(self.pieces, self.chance.randrange(1, 12))):
                self.pieces -= 1
                self.writes(on, self.chance)
            on.scheduler.wait(self.chance.randrange(30))
        on.scheduler.wait(10**9)


def played_with(
    place: str, pieces: int, seed: int, streams: type[SimulatedStreams] = SimulatedStreams
) -> tuple[Played, Vandal]:
    """Play a talk that goes on until all the garbage is written."""
    vandal = Vandal(place, pieces, seed)
    scene = scene_of(seed)
    calm = scene.weather._replace(rates={}, most=0)
    scene = scene._replace(weather=calm, is_patient=True, longest_ms=400)
    parts = Parts(streams=streams, also=(vandal,), places=100)
    return play(seed, scene=scene, parts=parts), vandal


@pytest.mark.parametrize("place", PLACES)
def test_garbage_stops_nobody(place: str) -> None:
    pieces, seed = PLACES[place][1], 0
    while pieces:
        seed += 1
        played, vandal = played_with(place, pieces, seed)
        pieces = vandal.pieces
        assert (played.stuck, played.died) == ("", []), seed
        journal = list(chain(played.streams.journal(RUN)))
        assert {one.outcome for one in happened(journal, "turn_closed")} == {"acted"}
        assert words_of(journal) == undisturbed(played.scene.spec)


class Strict(SimulatedStreams):
    """Raises at what is no text, as redis-py does by default."""

    def read(self, *args: Any, **given: Any) -> list[Entry]:
        read = super().read(*args, **given)
        for entry in read:
            entry.body.encode()
        return read


def test_who_dies_of_a_text_that_is_none_is_found() -> None:
    played, _ = played_with("the floor", 300, seed=1, streams=Strict)
    assert any("UnicodeEncodeError" in death for death in played.died)
