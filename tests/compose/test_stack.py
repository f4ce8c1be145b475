"""The stack of the compose file: brought up, looked at, knocked about, taken down.

This file is over 300 lines because bringing the stack up takes a minute: all share one.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compose.stack import (
    ASKER,
    IMAGE,
    Stack,
    docker,
    eventually,
    inspect,
    left_of,
    up,
)
from tests.processes import closings, epochs
from utils.journal import chain, unseal

pytestmark = pytest.mark.engine

LASTING = ("redis", "ollama", "orchestrator", "bots", "recorder")
MIB = 2**20

WRITE = """
import os, sys, redis
password = open(os.environ["REDIS_PASSWORD_FILE"]).read().strip()
url = os.environ["REDIS_URL"].replace("@", f":{password}@")
try:
    print(redis.Redis.from_url(url).execute_command(*sys.argv[1:]))
except redis.RedisError as error:
    print(type(error).__name__, error)
"""
KNOCK = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], 6379), timeout=4) as line:
        line.sendall(b"PING\\r\\n")
        print(line.recv(100).decode().strip())
except OSError as error:
    print(type(error).__name__)
"""


@pytest.fixture(scope="module")
def stack(cloned: Path) -> Iterator[Stack]:
    wanted = Stack(
        cloned, "docker-compose.offline.yml", PARLEY_OFFLINE_PACE="60", PARLEY_KEEP="500"
    )
    with up(wanted) as there:
        assert eventually(lambda: "watch it:" in there.compose("logs", "ready").stdout)
        yield there
    assert left_of(there.project) == []


# What is up


def test_the_log_ends_with_the_lines_to_copy(stack: Stack) -> None:
    said = stack.compose("logs", "--no-color", "ready").stdout.strip().splitlines()
    typed = [line.partition(" | ")[2].split(":", 1)[1].strip() for line in said[-2:]]
    both = "docker-compose -f docker-compose.yml -f docker-compose.offline.yml run --rm parley"
    assert typed == [f"{both} seed", f"{both} watch"]


def test_no_container_publishes_a_port(stack: Stack) -> None:
    for service in LASTING:
        for container in stack.containers(service):
            assert not inspect(container)["HostConfig"]["PortBindings"]


@pytest.mark.parametrize("service", LASTING)
def test_a_container_has_a_user_limits_and_no_rights(service: str, stack: Stack) -> None:
    (container, *_) = stack.containers(service)
    found = inspect(container)
    host = found["HostConfig"]
    assert found["Config"]["User"] == "10001:10001"
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["ReadonlyRootfs"]
    assert 0 < host["Memory"] <= 1024 * MIB
    assert 0 < host["PidsLimit"] <= 512
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert found["State"]["Health"]["Status"] == "healthy"
    running = docker("top", container, "-eo", "pid,uid").splitlines()[1:]
    assert {line.split()[1] for line in running} == {"10001"}


def test_two_orchestrators_and_two_hosts_are_there(stack: Stack) -> None:
    assert len(stack.containers("orchestrator")) == 2
    assert len(stack.containers("bots")) == 2


def test_no_password_is_in_a_log_or_in_what_the_engine_tells(stack: Stack) -> None:
    roles = {
        "orchestrator": "orchestrator",
        "bots": "host",
        "recorder": "recorder",
        "redis": "reader",
    }
    told = stack.logs() + "".join(
        json.dumps(inspect(one)) for service in LASTING for one in stack.containers(service)
    )
    for service in roles:
        (container, *_) = stack.containers(service)
        password = docker("exec", container, "cat", "/run/secrets/password")
        assert re.fullmatch(r"[0-9a-f]{48}", password)
        assert password not in told


def test_a_role_sees_no_password_but_its_own(stack: Stack) -> None:
    mounted = {
        service: {mount["Name"] for mount in inspect(one)["Mounts"] if mount["Type"] == "volume"}
        for service in ("orchestrator", "bots")
        for one in stack.containers(service)
    }
    assert mounted["orchestrator"] == {f"{stack.project}_password-orchestrator"}
    assert mounted["bots"] == {f"{stack.project}_password-host"}


# Who is refused


def knock(network: str, address: str) -> str:
    """Say PING to port 6379 of an address from a new container on a network."""
    return docker(
        "run", "--rm", "--network", network, "--entrypoint", "python", IMAGE, "-c", KNOCK, address
    )


def test_a_container_on_another_network_is_refused(stack: Stack) -> None:
    (redis,) = stack.containers("redis")
    address = inspect(redis)["NetworkSettings"]["Networks"][stack.network]["IPAddress"]
    other = f"{stack.project}-other"
    docker("network", "create", other)
    try:
        assert knock(other, address) in ("TimeoutError", "ConnectionRefusedError", "OSError")
        assert knock(other, "redis") == "gaierror"
        assert knock(stack.network, address).startswith("-NOAUTH")  # else it proves nothing
    finally:
        docker("network", "rm", other)


def test_a_client_without_a_password_is_refused(stack: Stack) -> None:
    assert knock(stack.network, "redis").startswith("-NOAUTH")


def as_a_bot(stack: Stack, *command: str) -> str:
    """Say something to Redis with what a bot host's container has."""
    (container, *_) = stack.containers("bots")
    return docker("exec", container, "python", "-c", WRITE, *command)


@pytest.mark.parametrize(
    "command",
    [
        "XADD parley:{tea}:journal 1-0 b x h x",
        "XADD parley:{tea}:channel:main 1-0 b x",
        "XADD parley:{tea}:inbox:host-1 1-0 b x",
        "XADD parley:runs * b x",
        "SET parley:{tea}:leader me",
        "SET parley:{tea}:spec x",
        "DEL parley:{tea}:journal",
        "XRANGE parley:{tea}:journal - +",
        "CONFIG GET dir",
        "FLUSHALL",
        "KEYS *",
    ],
)
def test_a_bots_credentials_cannot_write_what_is_not_a_hosts(command: str, stack: Stack) -> None:
    assert as_a_bot(stack, *command.split()).startswith("NoPermissionError")


def test_a_bots_credentials_can_write_what_is_a_hosts(stack: Stack) -> None:
    assert as_a_bot(stack, "XADD", "parley:{nobody}:floor", "*", "b", "x").endswith("-0'")


def test_a_bots_script_cannot_write_a_journal_either(stack: Stack) -> None:
    script = "return redis.call('XADD', KEYS[1], '1-0', 'b', 'x')"
    for key in ("parley:{tea}:journal", "parley:{tea}:channel:main"):
        assert as_a_bot(stack, "EVAL", script, "1", key).startswith("NoPermissionError")
        undeclared = script.replace("KEYS[1]", f"'{key}'")
        assert "NOPERM" in as_a_bot(stack, "EVAL", undeclared, "0").upper() or "can't access" in (
            as_a_bot(stack, "EVAL", undeclared, "0")
        )


# A run


def test_a_run_outlives_its_leader_a_host_and_the_server(stack: Stack) -> None:
    run = stack.parley("seed", "--turns", "60").stdout.split()[-1]

    def reaches(turns: int) -> bool:
        return eventually(lambda: stack.turns(run) >= turns, every_s=0.2)

    assert reaches(4)
    docker("kill", stack.that_said("orchestrator", f"run {run}: leading"))
    assert reaches(stack.turns(run) + 3)
    docker("kill", stack.that_said("bots", f"run {run}: "))
    assert reaches(stack.turns(run) + 3)
    stack.compose("restart", "redis")
    assert reaches(stack.turns(run) + 3)
    stack.compose("up", "-d", "--no-recreate", "--scale", "bots=4", "bots")
    assert len(stack.containers("bots")) == 4
    assert stack.status(run)["phase"] == "running", "all of it happened in the middle of the run"
    assert eventually(lambda: stack.status(run)["phase"] == "closed")
    check_dataset(stack, run)


def first_commit(stack: Stack, run: str) -> int:
    """Ask Redis for the first commit it still holds of a run."""
    (redis,) = stack.containers("redis")
    ask = 'REDISCLI_AUTH="$(cat /run/secrets/password)" redis-cli --user reader "$@"'
    words = ["XRANGE", f"parley:{{{run}}}:journal", "-", "+", "COUNT", "1"]
    return int(docker("exec", redis, "sh", "-c", ask, "redis-cli", *words).split("-")[0])


def test_a_long_run_loses_its_beginning_in_redis_and_nowhere_else(stack: Stack) -> None:
    run = stack.parley("seed", "--mind", "rule", "--turns", "3300").stdout.split()[-1]
    assert eventually(lambda: stack.turns(run) >= 500, every_s=0.2)
    (recorder,) = stack.containers("recorder")
    docker("kill", recorder)
    before = stack.turns(run)
    assert eventually(lambda: stack.turns(run) > before)
    docker("start", recorder)
    assert eventually(lambda: stack.status(run)["phase"] == "closed")
    assert eventually(lambda: first_commit(stack, run) > 1)
    stack.parley("export", run, "--out", f"datasets/{run}")
    lines = (stack.folder / "datasets" / run / "raw" / "journal.jsonl").read_text("utf-8")
    journal = list(chain(unseal(**sealed(line)) for line in lines.splitlines()))
    assert journal[0].seq == 1
    spoken = [row for row in table(stack.folder / "datasets" / run, "messages") if row["speaker"]]
    assert len(spoken) == 3300


def check_dataset(stack: Stack, run: str) -> None:
    """Read the exported dataset back: whole, in order, and the asker's."""
    stack.parley("export", run, "--out", f"datasets/{run}")
    folder = stack.folder / "datasets" / run
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in folder.rglob("*")}
    assert owners == {(ASKER, ASKER)}
    spoken = [row for row in table(folder, "messages") if row["speaker"]]
    assert len(spoken) == 60
    lines = (folder / "raw" / "journal.jsonl").read_text("utf-8").splitlines()
    journal = list(chain(unseal(**sealed(line)) for line in lines))
    granted, closed = epochs(journal), closings(journal)
    assert len(granted) >= 60
    assert {epoch: closed[epoch] for epoch in granted} == dict.fromkeys(granted, 1)
    assert sum(closed.values()) == len(granted)


def sealed(line: str) -> dict[str, Any]:
    """Read a line of the raw journal as the arguments of `unseal`."""
    read = json.loads(line)
    return {"seq": read["seq"], "body": read["b"], "sha256": read["h"]}


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_leader_that_is_stopped_lets_go_at_once(stack: Stack) -> None:
    run = stack.parley("seed", "--turns", "200").stdout.split()[-1]
    assert eventually(lambda: stack.turns(run) >= 1)
    leader = stack.that_said("orchestrator", f"run {run}: leading")
    docker("stop", leader)
    assert inspect(leader)["State"]["ExitCode"] == 0
    docker("start", leader)
    assert eventually(lambda: bool(stack.status(run)["leader"]), within_s=5)


def test_the_stack_goes_on_where_it_stood_after_down_and_up(stack: Stack) -> None:
    run = stack.parley("seed", "--turns", "40").stdout.split()[-1]
    assert eventually(lambda: stack.turns(run) >= 5, every_s=0.2)
    stack.compose("down")
    assert stack.containers("redis", also_ended=True) == []
    stack.compose("up", "-d")
    assert stack.turns(run) < 40
    assert eventually(lambda: stack.status(run)["phase"] == "closed")
    assert stack.turns(run) == 40


def test_a_model_that_does_not_exist_is_refused_in_one_line(stack: Stack) -> None:
    refused = stack.parley("seed", "--model", "nobody:1b", check=False)
    assert refused.returncode == 3
    (line,) = [line for line in refused.stderr.splitlines() if line.startswith("parley:")]
    assert line.endswith("run --rm parley pull nobody:1b")
    pulled = stack.parley("pull", "nobody:1b", check=False)
    assert pulled.returncode == 3
    assert "parley: cannot pull the model 'nobody:1b'" in pulled.stderr


def test_a_command_without_a_stack_says_how_to_bring_it_up(cloned: Path) -> None:
    nothing = Stack(cloned)
    try:
        refused = nothing.parley("seed", "--mind", "rule", check=False)
    finally:
        nothing.compose("down", "--volumes")
    assert refused.returncode == 3
    assert "; is the stack up? docker-compose up -d\n" in refused.stderr
    assert left_of(nothing.project) == []
