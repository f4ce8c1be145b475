"""Real processes for tests: a server, orchestrators and hosts, killed as a test likes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.launch import Launched, Launcher
from parley.starting import start
from tests.swarm import happened
from utils import keys
from utils.clock import wait_until
from utils.journal import Sealed, chain
from utils.server import Fsync, open_server
from utils.spec import Spec
from utils.streams import Streams

LEASE_MS = 1_000
LONGEST_MS = 120_000
CALLED = {"orchestrator": "orchestrator-", "bots": "host-"}
"""How a process of each kind is called where it says who it is."""


class Processes:
    """A swarm of real processes over a real server of their own."""

    def __init__(self, streams: Streams, launcher: Launcher) -> None:
        self.streams, self.launcher = streams, launcher
        self.names: dict[str, Launched] = {}
        self._started = 0

    def start(self, *arguments: str) -> Launched:
        self._started += 1
        return self.launcher.start(f"{arguments[0]}-{self._started}", arguments)

    def arrive(self, *arguments: str) -> str:
        """Start a process and wait until the server knows it; by which name."""
        before = self._connected(CALLED[arguments[0]])
        one = self.start(*arguments)
        new: set[str] = set()

        def has_come() -> bool:
            new.update(self._connected(CALLED[arguments[0]]) - before)
            return bool(new)

        assert wait_until(has_come, within_ms=LONGEST_MS), one.log.read_text()
        (name,) = new
        self.names[name] = one
        return name

    def leader(self, run: str) -> str | None:
        """Name the process that holds the lease of a run."""
        return self.streams.lease_owners([keys.leader(run)])[0]

    def _connected(self, prefix: str) -> set[str]:
        clients = self.streams._redis.client_list()
        return {one["name"] for one in clients if one["name"].startswith(prefix)}

    def kill(self, one: Launched) -> None:
        one.process.kill()
        one.process.wait()
        self.launcher.running.remove(one)

    def seed(self, spec: Spec) -> str:
        return start(self.streams, spec)

    def wait(self, run: str, *, turns: int) -> None:
        """Wait until that many turns are closed."""
        assert wait_until(lambda: self.turns(run) >= turns, within_ms=LONGEST_MS), self.turns(run)

    def turns(self, run: str) -> int:
        return len(happened(self.streams.journal(run), "turn_closed"))

    def finish(self, run: str) -> list[Sealed]:
        closed = wait_until(lambda: run not in self.streams.live_runs(), within_ms=LONGEST_MS)
        assert closed, f"{self.turns(run)} turns"
        return list(chain(self.streams.journal(run)))


@contextmanager
def processes(folder: Path, *, fsync: Fsync = "everysec", **env: str) -> Iterator[Processes]:
    """Hold a server, and stop whatever was started when the block ends."""
    server = open_server(None, folder / "server", fsync)
    streams = Streams(server.url)
    logs = folder / "logs"
    logs.mkdir()
    launcher = Launcher(
        env={"REDIS_URL": server.url, "PARLEY_LEASE_MS": str(LEASE_MS), **env}, logs=logs
    )
    try:
        yield Processes(streams, launcher)
    finally:
        launcher.stop()
        streams.close()
        server.close()


def closings(journal: list[Sealed]) -> Counter[int]:
    """Count how often each epoch was closed."""
    return Counter(event.epoch for event in happened(journal, "acted", "passed", "revoked"))


def epochs(journal: list[Sealed]) -> list[int]:
    """List the epochs that were granted."""
    return [event.epoch for event in happened(journal, "granted")]
