"""`parley bots --docker N`: hosts as containers beside a stack, started and stopped exactly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.docker_launch import LABEL, DockerLauncher, Limits, connect, find_stack
from orchestrator.launch import ProcessDied
from tests.compose.stack import Stack, docker, eventually, inspect, left_of, up
from utils.errors import BadInput, Missing

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def stack(cloned: Path) -> Iterator[Stack]:
    with up(Stack(cloned, "docker-compose.offline.yml"), "--scale", "bots=1") as there:
        yield there
    assert left_of(there.project) == []


@pytest.fixture
def launcher(stack: Stack) -> Iterator[DockerLauncher]:
    engine = connect()
    limits = Limits(memory="96m", cpus=0.5, pids=40)
    made = DockerLauncher(engine, find_stack(engine, stack.project), limits=limits)
    try:
        yield made
    finally:
        made.stop()
        engine.close()


def labelled(launcher_id: str = "") -> list[str]:
    """List the containers of a launcher, or of any."""
    label = f"{LABEL}={launcher_id}" if launcher_id else LABEL
    return docker("ps", "--all", f"--filter=label={label}", "--format={{.Names}}").split()


def test_a_host_in_a_container_takes_seats_within_its_limits(
    stack: Stack, launcher: DockerLauncher
) -> None:
    launcher.start("host-1", ["bots", "--seats-per-process", "3"])
    (name,) = labelled(launcher.id)
    found = inspect(name)
    host = found["HostConfig"]
    assert host["NetworkMode"] == stack.network
    assert (host["Memory"], host["NanoCpus"], host["PidsLimit"]) == (96 * 2**20, 500_000_000, 40)
    assert (host["CapDrop"], host["ReadonlyRootfs"]) == (["ALL"], True)
    assert found["Config"]["User"] == "10001:10001"
    (bots,) = stack.containers("bots")
    docker("stop", bots)
    try:
        run = stack.parley("seed", "--turns", "6").stdout.split()[-1]
        assert eventually(lambda: stack.status(run)["phase"] == "closed")
        assert sum(stack.status(run)["spoken"].values()) == 6
        assert f"run {run}: ada has seat" in docker("logs", name)
    finally:
        docker("start", bots)


def test_stopping_stops_exactly_those_that_were_started(
    stack: Stack, launcher: DockerLauncher
) -> None:
    engine = connect()
    other = DockerLauncher(engine, find_stack(engine, stack.project), limits=Limits())
    try:
        other.start("host-1", ["bots"])
        launcher.start("host-1", ["bots"])
        launcher.start("host-2", ["bots"])
        assert len(labelled(launcher.id)) == 2
        before = stack.containers("bots")
        launcher.stop()
        assert labelled(launcher.id) == []
        assert len(labelled(other.id)) == 1
        assert stack.containers("bots") == before
    finally:
        other.stop()
        engine.close()


def test_one_that_dies_is_found_with_its_last_words(launcher: DockerLauncher) -> None:
    launched = launcher.start("host-1", ["bots", "--run", "Tea"])
    assert eventually(launched.has_ended)
    assert launched.last_lines()[-1].startswith("parley: --run:")
    with pytest.raises(ProcessDied, match=r"host-1 ended with exit code 2: parley: --run"):
        launcher.check()


def test_one_that_somebody_removed_is_found_too(launcher: DockerLauncher) -> None:
    launcher.start("host-1", ["bots"])
    docker("rm", "--force", *labelled(launcher.id))
    with pytest.raises(ProcessDied, match="host-1 ended"):
        launcher.check()
    launcher.stop()


def test_no_stack_is_refused_with_the_line_that_brings_one_up() -> None:
    engine = connect()
    with pytest.raises(Missing, match="no stack 'nowhere' is up here; try: docker-compose up -d"):
        find_stack(engine, "nowhere")
    engine.close()


def test_of_two_stacks_one_must_be_named(stack: Stack, cloned: Path) -> None:
    second = Stack(cloned, "docker-compose.offline.yml")
    engine = connect()
    with up(second, "--no-deps", "bots"):
        with pytest.raises(BadInput, match=r"several stacks are up: .*; add --stack NAME"):
            find_stack(engine)
        assert find_stack(engine, stack.project).network == stack.network
    engine.close()


def parley_bots(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "parley", "bots", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
    )


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_starts_hosts_and_takes_them_along_when_it_ends(
    ending: signal.Signals, stack: Stack
) -> None:
    process = parley_bots("--docker", "2", "--stack", stack.project)
    try:
        assert eventually(lambda: len(labelled()) == 2, every_s=0.2)
        assert process.stderr is not None
        assert process.stderr.readline().startswith("2 bot hosts as containers")
        process.send_signal(ending)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
    assert labelled() == []


def test_the_command_shows_the_log_of_one_that_dies_and_stops_the_rest(stack: Stack) -> None:
    process = parley_bots("--docker", "2", "--stack", stack.project)
    try:
        assert eventually(lambda: len(labelled()) == 2, every_s=0.2)
        docker("kill", labelled()[0])
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 1
    assert said.splitlines()[-1].startswith("parley: host-")
    assert "exit code 137" in said
    assert labelled() == []


def test_what_the_engine_refuses_is_one_line(stack: Stack) -> None:
    process = parley_bots("--docker", "1", "--stack", stack.project, "--memory", "1k")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3
    (line,) = said.strip().splitlines()
    assert line.startswith("parley: --docker: the Docker engine refuses:")
    assert labelled() == []
