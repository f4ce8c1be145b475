"""The disk is full, or there are no file descriptors left: nobody gives up, and nothing is lost.

And a server that will not do is refused before anything begins.
"""

from __future__ import annotations

import resource
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from parley.cli import root
from parley.starting import start
from tests.chaos.storm import LEASE_MS, LONGEST_MS, Crowd, Storm, crowd, judged, limit, talk
from tests.findings import record_of
from utils.clock import SYSTEM_CLOCK, wait_until
from utils.errors import Missing, ServerGone
from utils.server import EmbeddedServer, ServerBinary
from utils.server_home import is_alive
from utils.server_kind import find_binary
from utils.streams import Streams

TURNS = 40
KINDS = ("disk, always", "disk, everysec", "descriptors")


def deaf(folder: Path) -> ServerBinary:
    """Make a server that a limit of file size does not kill: writes fail, as on a full disk."""
    binary = find_binary()
    script = folder / "redis-server"
    script.write_text(f"#!/bin/sh\ntrap '' XFSZ\nexec {binary.path} \"$@\"\n")
    script.chmod(0o700)
    return ServerBinary(script, binary.version, binary.flavour)


def short_of(what: str, folder: Path, seed: int) -> tuple[list[str], Counter[str]]:
    """Talk, run short of something in the middle, and go on; what is wrong, and what was seen."""
    fsync = "everysec" if "everysec" in what else "always"
    storm = Storm(TURNS, {}, fsync=fsync)  # type: ignore[arg-type]
    spec = talk(storm, seed)
    binary = deaf(folder) if "disk" in what else None
    with crowd(folder, storm, seed, binary=binary) as swarm:
        run = start(swarm.streams, spec)
        swarm.wait(run, turns=5 + swarm.chance.randrange(TURNS // 2))
        seen = fill(swarm) if "disk" in what else take_descriptors(swarm)
        assert wait_until(lambda: swarm.is_over(run), within_ms=LONGEST_MS), swarm.told(run)
        record = swarm.ask(lambda: record_of(swarm.streams, run))
    return list(judged(record, spec, TURNS)), Counter([f"{what}: {seen}"])


def fill(swarm: Crowd) -> str:
    """Leave the server's files no room, until it cannot write; then give it room again."""
    pid = swarm.server_pid
    files = max(path.stat().st_size for path in swarm.home.rglob("*.aof"))
    was = limit(pid, resource.RLIMIT_FSIZE, files)
    said: list[str] = []

    def cannot_write() -> bool:
        if not is_alive(pid):
            said.append("the server ended")
        elif is_written(swarm.streams):
            return False
        else:
            said.append("writes were refused")
        return True

    assert wait_until(cannot_write, within_ms=LONGEST_MS)
    SYSTEM_CLOCK.sleep_s(LEASE_MS / 1000)
    if is_alive(pid):
        with suppress(ProcessLookupError):
            limit(pid, resource.RLIMIT_FSIZE, was[0])
    wait_until(lambda: not is_alive(pid) or is_written(swarm.streams), within_ms=LONGEST_MS)
    if not is_alive(pid):
        swarm.open_server()
    return said[-1]


def is_written(streams: Streams) -> bool:
    """Write something, and tell whether the server took it."""
    with suppress(ServerGone):
        streams.append("filling", "x" * 1_000)
        return True
    return False


def take_descriptors(swarm: Crowd) -> str:
    """Cut every connection while no process may open another file; then let them."""
    pids = [*swarm.nursery.children.values()]
    if swarm.chance.random() < 0.5:
        pids = [swarm.server_pid]
    was = [limit(pid, resource.RLIMIT_NOFILE, 3) for pid in pids]
    with suppress(ServerGone):
        swarm.streams._redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    SYSTEM_CLOCK.sleep_s(3 * LEASE_MS / 1000)
    for pid, (most, _) in zip(pids, was, strict=True):
        limit(pid, resource.RLIMIT_NOFILE, most)
        assert is_alive(pid), "it gave up"
    return "of the server" if len(pids) == 1 else "of everybody else"


@pytest.mark.parametrize("what", KINDS)
def test_who_runs_short_of_something_waits_for_it(what: str, tmp_path: Path) -> None:
    wrong, _ = short_of(what, tmp_path, seed=1)
    assert wrong == []


def test_a_limit_is_felt(tmp_path: Path) -> None:
    """Without it the rest shows nothing: a server that may not write does not."""
    with EmbeddedServer.open(tmp_path, fsync="everysec", binary=deaf(tmp_path)) as server:
        limit(server.home.server_pid(), resource.RLIMIT_FSIZE, 1)
        streams = Streams(server.url)
        assert wait_until(lambda: not is_written(streams), within_ms=LONGEST_MS)
        limit(server.home.server_pid(), resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
        streams.close()


# --- servers that will not do ---------------------------------------------------------------

COMMANDS = (["orchestrator"], ["bots"], ["runs"], ["seed", "--turns", "2"])


def refused(url: str) -> list[str]:
    """Ask each command to use a server; what they say."""
    asked = [CliRunner().invoke(root, one, env={"REDIS_URL": url}) for one in COMMANDS]
    assert all(isinstance(done.exception, Missing) for done in asked)
    return [str(done.exception) for done in asked]


@contextmanager
def old_server(version: str) -> Iterator[str]:
    """Listen as a server that says it is of this version."""
    info = f"# Server\r\nredis_version:{version}\r\nrun_id:x\r\nmaxmemory_policy:noeviction\r\n"

    def answer(command: bytes) -> bytes:
        if b"INFO" in command.upper():
            return b"$%d\r\n%b\r\n" % (len(info), info.encode())
        if b"HELLO" in command.upper():
            return b"%1\r\n+proto\r\n:3\r\n"
        return b"+PONG\r\n" if b"PING" in command.upper() else b"+OK\r\n"

    def serve() -> None:
        with suppress(OSError):
            while True:
                line, _ = listening.accept()
                with line:
                    while said := line.recv(65_536):
                        line.sendall(answer(said) * max(1, said.upper().count(b"SETINFO")))

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_server_that_evicts_is_refused_by_every_command(tmp_path: Path) -> None:
    with EmbeddedServer.open(tmp_path, fsync="everysec") as server:
        server.home.ask("CONFIG SET maxmemory-policy allkeys-lru", within_ms=5_000)
        assert all("noeviction" in said for said in refused(server.url))


def test_a_server_that_is_too_old_is_refused_by_every_command() -> None:
    with old_server("6.2.14") as url:
        assert all("6.2.14" in said for said in refused(url))
