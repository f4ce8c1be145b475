"""The folder of an embedded server: where it may be, and who may use it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from utils.clock import sleep_s, wait_until
from utils.errors import BadInput
from utils.server import EmbeddedServer, open_server
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


@pytest.mark.skipif(sys.platform != "linux", reason="finds the servers in /proc")
def test_a_starter_killed_at_any_moment_leaves_no_more_than_one_server(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, utils.server as s; s.EmbeddedServer.open(pathlib.Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for moment_ms in range(0, 24, 2):
        home = tmp_path / str(moment_ms)
        starter = subprocess.Popen([sys.executable, "-c", code, str(home)], env=environment)
        assert wait_until((home / "server.lock").exists, within_ms=15_000, every_ms=1)
        sleep_s(moment_ms / 1000)
        starter.kill()
        EmbeddedServer.open(home).close()
        with EmbeddedServer.open(home) as server:
            assert servers_in(home) == [server.home.server_pid()]
        starter.wait()


def servers_in(home: Path) -> list[int]:
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if f" --dir {home / 'data'} --" in command_line(pid)]


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
