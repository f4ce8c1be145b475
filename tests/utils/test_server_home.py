"""The folder of an embedded server: where it may be, and who may use it."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from utils.clock import sleep_s, wait_until
from utils.errors import BadInput
from utils.server import EmbeddedServer, find_binary, open_server
from utils.server_home import command_line, is_alive


def client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True)


def test_the_folder_is_private(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with EmbeddedServer.open(home) as server:
        for path in (home, home / "data", server.home.socket):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.home.log.stat().st_mode) & 0o077 == 0


def test_a_path_too_long_for_a_socket_gets_a_short_one(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a long name"] * 12)
    with EmbeddedServer.open(deep) as server:
        assert len(os.fsencode(server.home.socket)) < 100
        assert stat.S_IMODE(server.home.socket.parent.stat().st_mode) == 0o700
        with EmbeddedServer.open(deep) as other:
            assert other.home.server_pid() == server.home.server_pid()
    server.home.socket.parent.rmdir()


def test_odd_characters_in_the_path_survive_the_url(tmp_path: Path) -> None:
    odd = tmp_path / "a b%41#?@é\"'"
    with EmbeddedServer.open(odd) as server, client(server.url) as connection:
        assert connection.ping()
        with open_server(server.url, tmp_path / "unused", "always") as same:
            assert same.url == server.url


def test_a_folder_that_is_not_ours_alone_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(BadInput, match="others may write here; `chmod 700"):
        EmbeddedServer.open(shared)
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="cannot be made"):
        EmbeddedServer.open(tmp_path / "file" / "home")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(BadInput, match="belongs to another user"):
        EmbeddedServer.open(tmp_path)


STARTER = """
import sys
from pathlib import Path
from utils.server import EmbeddedServer, ServerBinary
EmbeddedServer.open(Path(sys.argv[1]), binary=ServerBinary(Path(sys.argv[2]), "7.0.0", "redis"))
"""


def starter(home: Path, binary: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen([sys.executable, "-c", STARTER, home, binary], env=environment)


def servers_in(home: Path) -> list[int]:
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if f" --dir {home / 'data'} --" in command_line(pid)]


@pytest.mark.skipif(sys.platform != "linux", reason="finds the servers in /proc")
def test_a_starter_killed_at_any_moment_leaves_no_more_than_one_server(tmp_path: Path) -> None:
    for moment_ms in range(0, 24, 2):
        home = tmp_path / str(moment_ms)
        user = starter(home, find_binary().path)
        assert wait_until((home / "server.lock").exists, within_ms=15_000, every_ms=1)
        sleep_s(moment_ms / 1000)
        user.kill()
        EmbeddedServer.open(home).close()
        with EmbeddedServer.open(home) as server:
            assert servers_in(home) == [server.home.server_pid()]
        user.wait()


@pytest.mark.parametrize("next_one", ["opens", "closes"])
def test_a_server_still_starting_when_its_starter_was_killed_is_not_forgotten(
    next_one: str, tmp_path: Path
) -> None:
    slow = tmp_path / "slow-server"
    slow.write_text(f'#!/bin/sh\nsleep 0.5\nexec {find_binary().path} "$@"\n')
    slow.chmod(0o755)
    server = EmbeddedServer.open(tmp_path / "home")
    first_pid = server.home.server_pid()
    os.kill(first_pid, signal.SIGKILL)
    user = starter(tmp_path / "home", slow)
    assert wait_until(lambda: server.home.server_pid() not in (0, first_pid), within_ms=15_000)
    pid = server.home.server_pid()
    user.kill()
    user.wait()
    if next_one == "opens":
        with EmbeddedServer.open(tmp_path / "home"):
            assert server.home.server_pid() == pid
    server.close()
    assert wait_until(lambda: not is_alive(pid), within_ms=15_000)


def test_a_lock_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "users.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match=r"users.lock: cannot be locked"):
        EmbeddedServer.open(tmp_path)


def test_a_command_line_is_read_where_there_is_no_proc(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "61.5"]) as process:
        try:
            assert wait_until(
                lambda: command_line(process.pid).strip() == "sleep 61.5", within_ms=15_000
            )
            if shutil.which("ps"):
                assert command_line(process.pid, proc=tmp_path).strip() == "sleep 61.5"
            assert is_alive(process.pid)
        finally:
            process.kill()
        assert wait_until(lambda: not is_alive(process.pid), within_ms=15_000)  # not yet reaped
    assert not is_alive(process.pid)
    assert command_line(process.pid) == ""
