"""A simulated server on whose way nothing happens: for looking at one, and for comparing it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from tests.chaos import scripts
from tests.chaos.scheduler import Process, ProcessClock, Scheduler
from tests.chaos.server import Script, Server
from tests.chaos.weather import Network, Weather
from tests.chaos.wire import Line, SimulatedStreams
from utils.streams import _KEEP_SNAPSHOT, _RELEASE, _RENEW, _TRIM, Streams


@cache
def commit_script() -> str:
    return files("utils").joinpath("commit.lua").read_text("utf-8")


def server_with(commit: Script, now_ms: Callable[[], int]) -> Server:
    """Make a server that knows the scripts there are, with this one for the commits."""
    known = {
        commit_script(): commit,
        _KEEP_SNAPSHOT: scripts.keep_snapshot,
        _TRIM: scripts.trim,
        _RENEW: scripts.renew,
        _RELEASE: scripts.release,
    }
    return Server(now_ms, known)


class Calm(Network):
    """Connections on which nobody waits and nothing breaks."""

    def exchange(self, line: Line, commands: list[list[str]]) -> list[Any]:
        return self._perform(line, commands)


def streams_in_fair_weather(server: Server) -> Streams:
    """Connect to a simulated server."""
    chance = Random(0)
    scheduler = Scheduler(chance, now_ms=0)
    on_entry = server.on_entry
    network = Calm(scheduler, chance, Weather({}, 0, 0, 1), server)
    server.on_entry = on_entry
    return SimulatedStreams(network, Process("looker"), ProcessClock(scheduler, zero_ms=0))


def fair_streams(commit: Script = scripts.commit) -> Streams:
    """Connect to a simulated server of one's own, whose clock stands still."""
    return streams_in_fair_weather(server_with(commit, lambda: 1_700_000_000_000))
