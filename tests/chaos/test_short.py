"""Memory or disk full, no file descriptors left, a server told to evict: nobody gives up, and
nothing is lost. And a server that will not do is refused before anything begins."""

from __future__ import annotations

import resource
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
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
HEADROOM = 65_536
"""What a server may still take when its memory is limited, in bytes."""


def deaf(folder: Path) -> ServerBinary:
    """Make a server that a limit of file size does not kill: writes fail, as on a full disk."""
    binary = find_binary()
    script = folder / "redis-server"
    script.write_text(f"#!/bin/sh\ntrap '' XFSZ\nexec {binary.path} \"$@\"\n")
    script.chmod(0o700)
    return ServerBinary(script, binary.version, binary.flavour)


def wrong_when_short(what: str, folder: Path, seed: int) -> list[str]:
    """Talk, run short of something in the middle, and go on; what is wrong with the talk."""
    storm = Storm(TURNS, {}, fsync="everysec" if "everysec" in what else "always")
    spec = talk(storm, seed)
    binary = deaf(folder) if "disk" in what else None
    with crowd(folder, storm, seed, binary=binary) as swarm:
        run = start(swarm.streams, spec)
        swarm.wait(run, turns=5 + swarm.chance.randrange(TURNS // 2))
        SHORT[what](swarm)
        assert wait_until(lambda: swarm.is_over(run), within_ms=LONGEST_MS), swarm.told(run)
        record = swarm.ask(lambda: record_of(swarm.streams, run))
    return list(judged(record, spec, TURNS))


def fill_memory(swarm: Crowd) -> None:
    """Leave the server little memory, until it refuses to write; then as much as it wants."""
    used = swarm.ask(lambda: swarm.streams.info("memory"))["used_memory"]
    configure(swarm, "maxmemory", int(str(used)) + HEADROOM)
    assert wait_until(lambda: not is_written(swarm.streams), within_ms=LONGEST_MS)
    SYSTEM_CLOCK.sleep_s(LEASE_MS / 1000)
    configure(swarm, "maxmemory", 0)


def fill_disk(swarm: Crowd) -> None:
    """Leave the server's files no room, until it cannot write; then give it room again.

    With `always` it ends, as it says of nothing that it is written when it is not.
    """
    pid = swarm.server_pid
    files = max(path.stat().st_size for path in swarm.home.rglob("*.aof"))
    was = limit(pid, resource.RLIMIT_FSIZE, files)
    assert wait_until(lambda: not is_written(swarm.streams), within_ms=LONGEST_MS)
    SYSTEM_CLOCK.sleep_s(LEASE_MS / 1000)
    with suppress(ProcessLookupError):
        limit(pid, resource.RLIMIT_FSIZE, was[0])
    wait_until(lambda: not is_alive(pid) or is_written(swarm.streams), within_ms=LONGEST_MS)
    if not is_alive(pid):
        swarm.open_server()


def is_written(streams: Streams) -> bool:
    """Write something, and tell whether the server took it."""
    with suppress(ServerGone):
        streams.append("filling", "x" * 1_000)
        return True
    return False


def configure(swarm: Crowd, name: str, value: str | int) -> None:
    swarm.ask(lambda: swarm.streams._ask_all(("CONFIG", "SET", name, value)))


def evict(swarm: Crowd) -> None:
    """Tell the server to evict, until nobody writes for two leases; then tell it not to."""

    def has_rested() -> bool:
        before = writes(swarm)
        SYSTEM_CLOCK.sleep_s(2 * LEASE_MS / 1000)
        return writes(swarm) == before

    configure(swarm, "maxmemory-policy", "allkeys-lru")
    assert wait_until(has_rested, within_ms=LONGEST_MS), "somebody writes to it"
    configure(swarm, "maxmemory-policy", "noeviction")


def writes(swarm: Crowd) -> int:
    """Count what was written so far: leases and presences with all else."""
    told = swarm.ask(lambda: swarm.streams.info("persistence"))
    return int(str(told["rdb_changes_since_last_save"]))


def take_descriptors(swarm: Crowd, pids: list[int]) -> None:
    """Cut every connection while some processes may open no other file; then let them."""
    was = [limit(pid, resource.RLIMIT_NOFILE, 3) for pid in pids]
    with suppress(ServerGone):
        swarm.streams._redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    SYSTEM_CLOCK.sleep_s(3 * LEASE_MS / 1000)
    for pid, (most, _) in zip(pids, was, strict=True):
        limit(pid, resource.RLIMIT_NOFILE, most)
        assert is_alive(pid), "it gave up"


SHORT: Mapping[str, Callable[[Crowd], None]] = {
    "memory full": fill_memory,
    "disk full, always": fill_disk,
    "disk full, everysec": fill_disk,
    "told to evict, allkeys-lru": evict,
    "no descriptors, the server": lambda swarm: take_descriptors(swarm, [swarm.server_pid]),
    "no descriptors, everybody else": lambda swarm: take_descriptors(
        swarm, [*swarm.nursery.children.values()]
    ),
}
"""What a talk runs short of, and how."""


@pytest.mark.parametrize("what", SHORT)
def test_who_runs_short_of_something_waits_for_it(what: str, tmp_path: Path) -> None:
    assert wrong_when_short(what, tmp_path, seed=1) == []


def test_a_limit_is_felt(tmp_path: Path) -> None:
    """Without it the rest shows nothing: a server that may not write does not."""
    with EmbeddedServer.open(tmp_path, fsync="everysec", binary=deaf(tmp_path)) as server:
        limit(server.home.server_pid(), resource.RLIMIT_FSIZE, 1)
        streams = Streams(server.url)
        assert wait_until(lambda: not is_written(streams), within_ms=LONGEST_MS)
        limit(server.home.server_pid(), resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
        streams.close()


# --- servers that will not do ---------------------------------------------------------------

COMMANDS = (
    ["demo"],
    ["run", "salon"],
    ["seed", "salon", "--turns", "2"],
    ["orchestrator"],
    ["bots"],
    ["record", "--until-idle"],
    ["runs"],
    ["status", "tea-1"],
    ["watch", "tea-1"],
    ["tell", "tea-1", "pause"],
    ["export", "tea-1", "--out", "tea"],
    ["fork", "tea-1", "--at", "turn:1", "--change", "heard=delete"],
)


def wrongly_taken(
    url: str, folder: Path, why: str, commands: Sequence[list[str]] = COMMANDS
) -> list[str]:
    """Ask commands to use a server; which of them do not refuse it, and say why."""
    env = {"REDIS_URL": url, "PARLEY_HOME": str(folder), "PARLEY_RECORDINGS": str(folder)}
    asked = {one[0]: CliRunner().invoke(root, one, env=env).exception for one in commands}
    return [
        f"{command}: {error!r}"
        for command, error in asked.items()
        if not isinstance(error, Missing) or why not in str(error)
    ]


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


def evicting(folder: Path) -> list[str]:
    with EmbeddedServer.open(folder / "server", fsync="everysec") as server:
        server.home.ask("CONFIG SET maxmemory-policy allkeys-lru", within_ms=5_000)
        return wrongly_taken(server.url, folder, "CONFIG SET maxmemory-policy noeviction")


def too_old(folder: Path) -> list[str]:
    with old_server("6.2.14") as url:
        return wrongly_taken(url, folder, "the server is redis 6.2.14; use Redis or Valkey >= 7.0")


REFUSED: Mapping[str, Callable[[Path], list[str]]] = {
    "too old, refused": too_old,
    "evicts from the start, refused": evicting,
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_server_that_will_not_do_is_refused_by_every_command(what: str, tmp_path: Path) -> None:
    assert REFUSED[what](tmp_path) == []


def test_a_command_that_takes_a_server_is_found(tmp_path: Path) -> None:
    with EmbeddedServer.open(tmp_path / "server", fsync="everysec") as server:
        assert wrongly_taken(server.url, tmp_path, "evict", [["runs"]]) == ["runs: None"]
