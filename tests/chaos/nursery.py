"""A process that bears others: hosts, orchestrators, recorders by the hundred, each in 20 ms.

A fresh interpreter takes a second to import what a host needs. This one imports it once and
forks. The children are real processes with the product's own loops; they share nothing.

    {"kind": "bots", "name": "host-7", ...}    answered with a pid
    {"kill": PID}                              SIGKILL; answered when the process is gone
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from analytics.recorder.process import Recorder, claimed
from analytics.recorder.recording import Recording
from analytics.recorder.trim import Trimmer
from bots.minds import scripted  # noqa: F401 - what a host would import before its first answer
from bots.runtime import Host
from orchestrator.plugins import rules_for
from orchestrator.rules import HASHED_EVERY
from orchestrator.runtime import Orchestrator
from tests.orchestrator.naive import NaiveBot, NaiveLeader
from tests.scenes import spec_of
from tests.swarm import Doom
from utils.clock import SYSTEM_CLOCK
from utils.settings import Settings
from utils.streams import Streams

ROOT = Path(__file__).parents[2]


class Nursery:
    """The end of the line at which a test asks for processes.

    Args:
        folder: Gets `logs`, and `recordings` from whoever records.
        places: Of each host.
        trimmed_at: Commits from one snapshot to the next, and how much a recorder leaves of
            each stream; 0 for snapshots as usual.
    """

    def __init__(
        self, url: str, folder: Path, *, lease_ms: int, places: int, trimmed_at: int = 0
    ) -> None:
        (folder / "logs").mkdir()
        self.children: dict[str, int] = {}
        self._wanted = {
            "url": url,
            "folder": str(folder),
            "lease_ms": lease_ms,
            "places": places,
            "trimmed_at": trimmed_at,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )

    def bear(self, kind: str, name: str) -> int:
        """Start a process, `orchestrator`, `bots` or `recorder`; its pid."""
        self.children[name] = self._ask(kind=kind, name=name, **self._wanted)
        return self.children[name]

    def kill(self, name: str) -> None:
        """Kill a process, and wait until it is gone."""
        self._ask(kill=self.children.pop(name))

    def close(self) -> None:
        """Kill whoever is left."""
        for name in list(self.children):
            self.kill(name)
        self._process.communicate()

    def _ask(self, **wanted: object) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def main() -> None:
    rules_for(spec_of())  # plugins are looked up once, here
    for line in sys.stdin:
        wanted = json.loads(line)
        if "kill" in wanted:
            with suppress(ProcessLookupError):
                os.kill(wanted["kill"], signal.SIGKILL)
                os.waitpid(wanted["kill"], 0)
            answer = 0
        else:
            answer = os.fork()
            if answer == 0:
                be(wanted)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def be(wanted: dict[str, Any]) -> None:
    """Be what was asked for until killed, or until nobody is there to do it."""
    path = f"{wanted['folder']}/logs/{wanted['name']}.log"
    log = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for fd, to in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(fd, to)
    os.closerange(3, 64)
    logging.basicConfig(level=logging.WARNING)
    parent = os.getppid()
    status = 1
    try:
        live(wanted, lambda: os.getppid() != parent)
        status = 0
    finally:
        if status:
            sys.excepthook(*sys.exc_info())
        os._exit(status)


def live(wanted: dict[str, Any], is_abandoned: Callable[[], bool]) -> None:
    """Live as what was asked for."""
    if wanted["kind"].endswith("recorder"):
        record(wanted, is_abandoned)
    elif wanted["kind"].startswith("naive"):
        naive = naively(wanted)
        while not is_abandoned():
            naive.step(block_ms=20)
    else:
        process(wanted).run(is_abandoned=is_abandoned)


class Frail(Streams):
    """A connection for those who do it wrong; a real SIGKILL is their only doom."""

    doom = Doom()


def naively(wanted: dict[str, Any]) -> NaiveLeader | NaiveBot:
    streams: Any = Frail(wanted["url"], name=wanted["name"])
    _, run, *others = wanted["kind"].split()
    if len(others) == 1:
        return NaiveBot(streams, run, others[0])
    return NaiveLeader(streams, run, tuple(others[1:]), turns=int(others[0]))


def record(wanted: dict[str, Any], is_abandoned: Callable[[], bool]) -> None:
    """Record and trim, alone in the folder."""
    out, at = Path(wanted["folder"], "recordings"), wanted["trimmed_at"]
    is_naive = wanted["kind"].startswith("naive")
    trim = trimmed_naively if is_naive else Trimmer(keep=at, reach=at)
    with claimed(out):
        streams = Streams(wanted["url"], name=wanted["name"])
        Recorder(streams, out, clock=SYSTEM_CLOCK, trim=trim).run(is_abandoned=is_abandoned)


def trimmed_naively(streams: Streams, recording: Recording) -> None:
    """Take what is on disk, and ask for no snapshot."""
    streams.trim_before(recording.journal.key, recording.journal.position)


def process(wanted: dict[str, Any]) -> Host | Orchestrator:
    """Make what was asked for, with the product's own parts."""
    name, lease_ms = wanted["name"], wanted["lease_ms"]
    streams = Streams(wanted["url"], name=name)
    if wanted["kind"] == "orchestrator":
        every = wanted["trimmed_at"] or HASHED_EVERY
        return Orchestrator(
            streams, clock=SYSTEM_CLOCK, name=name, lease_ms=lease_ms, hashed_every=every
        )
    settings = Settings(home=Path("unused"), lease_ms=lease_ms)
    places = wanted["places"]
    return Host(streams, settings=settings, clock=SYSTEM_CLOCK, name=name, places=places)


if __name__ == "__main__":
    main()
