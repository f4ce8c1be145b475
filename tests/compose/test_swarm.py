"""The stack file: deployed on a swarm of one node, it talks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.stack import ASKER, IMAGE, call, docker, eventually
from utils.clock import fresh_id

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def swarm() -> Iterator[None]:
    """Make this engine a swarm of its own, unless it is in one already."""
    was_one = docker("info", "--format={{.Swarm.LocalNodeState}}") == "active"
    if not was_one:
        docker("swarm", "init", "--advertise-addr", "127.0.0.1")
    node = docker("node", "inspect", "self", "--format={{.ID}}")
    docker("node", "update", "--label-add", "parley=data", node)
    try:
        yield
    finally:
        if not was_one:
            docker("swarm", "leave", "--force")


@pytest.fixture
def deployed(swarm: None, cloned: Path) -> Iterator[dict[str, str]]:
    """Deploy the stack with the offline model, and remove all of it; the commands' settings."""
    name = f"parley-test-{fresh_id(6)}"
    env = {"PARLEY_IMAGE": IMAGE, "STACK": name, "PARLEY_MODEL": "parley-offline"}
    secrets = ["run", "--rm", "--user", f"{ASKER}:{ASKER}", "-v", f"{cloned}:/here", "-w", "/here"]
    docker(*secrets, IMAGE, "secrets", "--out", "secrets")
    files = ["-c", "docker-stack.yml", "-c", "docker-stack.offline.yml"]
    call(["docker", "stack", "deploy", *files, name], cwd=cloned, env=env)
    try:
        yield env
    finally:
        docker("stack", "rm", name)
        assert eventually(lambda: not left_of(name))
        docker("volume", "rm", *(f"{name}_{one}" for one in ("runs", "recordings", "models")))


def left_of(name: str) -> str:
    """List a stack's containers and networks that are still there."""
    label = f"--filter=label=com.docker.stack.namespace={name}"
    return docker("ps", "--all", "--quiet", label) + docker("network", "ls", "--quiet", label)


def test_the_stack_file_deploys_and_talks(deployed: dict[str, str], cloned: Path) -> None:
    def parley(*arguments: str) -> str:
        return call(["docker/swarm-run", *arguments], cwd=cloned, env=deployed).stdout

    ready = f"{deployed['STACK']}_ready"
    assert eventually(lambda: "watch it:" in docker("service", "logs", "--raw", ready))
    run = parley("seed", "--turns", "9").split()[-1]
    assert "the record is closed: 9 turns" in parley("watch", run, "--plain")
    assert parley("export", run, "--out", f"datasets/{run}").startswith(f"datasets/{run}")
    written = cloned / "datasets" / run / "tables" / "messages.csv"
    assert len(written.read_text("utf-8").splitlines()) == 1 + 1 + 9
    assert written.stat().st_uid == ASKER
    published = docker(
        "service", "inspect", f"{deployed['STACK']}_redis", "--format={{json .Endpoint.Ports}}"
    )
    assert published == "null"
