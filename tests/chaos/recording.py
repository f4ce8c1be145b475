"""A recorder that plays along, and trims: its folder is a real one, its disk a slow one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.recorder.beginnings import entry_of
from analytics.recorder.disk import Disk
from analytics.recorder.recording import CLOSED
from analytics.recorder.segments import Segments
from utils.streams import Entry, order_of

if TYPE_CHECKING:
    from analytics.recorder.process import Recorder
    from tests.chaos.simulation import Play
    from tests.chaos.wire import SimulatedStreams
    from utils.clock import Clock

SEGMENT = 8
"""Lines of a segment: few, so that a talk of some dozen commits fills several."""

SPARE = 6
"""Messages from outside that may come between a grant and the prompt that is built for it."""


class SlowDisk(Disk):
    """A disk that takes a while, in which its user may be killed or stand still."""

    def __init__(self, waits: Callable[[], None]) -> None:
        self._waits = waits

    def settle(self, file: int) -> None:
        self._waits()


def recorder(play: Play, streams: SimulatedStreams, clock: Clock) -> Recorder:
    """Make a recorder that trims, if anybody is to."""
    keep = play.scene.trimmed_at
    reach = max(bot.memory.amount for bot in play.scene.spec.bots) + SPARE
    return play.parts.recorder(
        streams,
        play.folder,
        clock=clock,
        trim=play.parts.trimmer(keep=keep, reach=reach) if keep else None,
        disk=SlowDisk(lambda: play.network.rest(streams.line)),
        size=SEGMENT,
    )


class Kept:
    """What is on the recorder's disk in the end, and the beginning of what it trimmed.

    Attributes:
        lines: Those of `journal` and of `calls`.
        closed: The hash of the record's last commit, once it had everything; empty before that.
    """

    def __init__(self, folder: Path) -> None:
        self.lines = {name: _lines(folder / name) for name in ("journal", "calls")}
        self.closed = closed(folder)

    def covers(self, key: str) -> bool:
        return key.rpartition(":")[2] in self.lines

    def before(self, first: Entry, *, after: str, count: int) -> list[Entry]:
        entries = [entry_of(first.key, one) for one in self.lines[first.key.rpartition(":")[2]]]
        begin, end = order_of(after), order_of(first.id)
        return [one for one in entries if begin < order_of(one.id) < end][:count]


def closed(folder: Path) -> str:
    """Read the hash of the last commit of a record that is wholly there; empty if it is not."""
    path = folder / CLOSED
    return str(json.loads(path.read_text())["sha256"]) if path.exists() else ""


def _lines(folder: Path) -> list[str]:
    segments = Segments(folder, size=SEGMENT)
    segments.look()
    return list(segments.lines())
