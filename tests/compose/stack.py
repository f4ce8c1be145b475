"""A stack of containers for tests: brought up from a clean clone, and taken down whole."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from utils.clock import fresh_id, wait_until

ROOT = Path(__file__).parents[2]
IMAGE = "parley:compose-test"
ASKER = 12_345
"""The user and group that own the clone: whoever asks for a dataset."""

LONGEST_S = 300


def call(
    command: Sequence[str],
    *,
    cwd: Path = ROOT,
    check: bool = True,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command with what the user's shell says of Docker, and nothing else of Parley."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PARLEY_", "REDIS_", "OLLAMA_", "COMPOSE_", "GIT_"))
    }
    done = subprocess.run(
        list(command),
        cwd=cwd,
        env={**clean, **(env or {})},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0 or not check, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def docker(*arguments: str, check: bool = True) -> str:
    """Ask the engine, and return what it printed."""
    done = call(["docker", *arguments], check=check)
    return (done.stdout + done.stderr).strip()


def inspect(container: str) -> dict[str, Any]:
    """Read all the engine knows of a container."""
    return dict(json.loads(docker("inspect", container))[0])


def clone(folder: Path) -> Path:
    """Clone what is committed here, as a new user would."""
    call(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder)])
    return folder


def own(folder: Path, user: int) -> None:
    """Give a folder and all in it to a user."""
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, user, user, follow_symlinks=False)


def build(folder: Path) -> str:
    """Build the image of a clone; what the builder said.

    `PIP_` settings of the shell go along: a machine may need a mirror for its packages.
    """
    mirror = [name for name in ("PIP_INDEX_URL", "PIP_TRUSTED_HOST") if name in os.environ]
    arguments = [word for name in mirror for word in ("--build-arg", name)]
    command = ["docker", "build", "--tag", IMAGE, *arguments, "."]
    done = call(command, cwd=folder, env={"DOCKER_BUILDKIT": "0"})
    return done.stdout + done.stderr


class Stack:
    """A compose project of a clone.

    Args:
        folder: The clone.
        overlays: Compose files beside the first.
        env: Settings, as a shell or `.env` would give them.
    """

    def __init__(self, folder: Path, *overlays: str, **env: str) -> None:
        self.folder, self.project = folder, f"parley-test-{fresh_id(6)}"
        self.network = f"{self.project}_default"
        self.env = {
            "PARLEY_IMAGE": IMAGE,
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_FILE": os.pathsep.join(["docker-compose.yml", *overlays]),
            **env,
        }

    def compose(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return call(["docker-compose", *arguments], cwd=self.folder, check=check, env=self.env)

    def parley(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command as users do."""
        return self.compose("run", "--rm", "-T", "parley", *arguments, check=check)

    def status(self, run: str) -> dict[str, Any]:
        return dict(json.loads(self.parley("status", run, "--json").stdout))

    def turns(self, run: str) -> int:
        return int(self.status(run)["turns"])

    def containers(self, service: str, *, also_ended: bool = False) -> list[str]:
        """List the names of a service's containers."""
        labels = {"project": self.project, "service": service, "oneoff": "False"}
        filters = [f"--filter=label=com.docker.compose.{key}={labels[key]}" for key in labels]
        every = ["--all"] if also_ended else []
        return docker("ps", *every, *filters, "--format={{.Names}}").split()

    def that_said(self, service: str, words: str) -> str:
        """Name the running container of a service that said this last."""
        said = {one: docker("logs", "-t", one) for one in self.containers(service)}
        when = {one: [x for x in log.splitlines() if words in x] for one, log in said.items()}
        return max((lines[-1], one) for one, lines in when.items() if lines)[1]

    def logs(self) -> str:
        return self.compose("logs", "--no-color").stdout


@contextmanager
def up(stack: Stack, *arguments: str) -> Iterator[Stack]:
    """Hold a stack that is up; take it down with all its volumes."""
    try:
        stack.compose("up", "-d", *arguments)
        yield stack
    finally:
        stack.compose("down", "--volumes", "--timeout", "10", check=False)


def eventually(is_so: Callable[[], bool], *, within_s: int = 120, every_s: float = 1.0) -> bool:
    """Wait for something that takes as long as it takes."""
    return wait_until(is_so, within_ms=within_s * 1000, every_ms=round(every_s * 1000))


def left_of(project: str) -> list[str]:
    """List what is still there of a project: containers, volumes, networks."""
    label = f"--filter=label=com.docker.compose.project={project}"
    return [
        *docker("ps", "--all", label, "--format={{.Names}}").split(),
        *docker("volume", "ls", label, "--format={{.Name}}").split(),
        *docker("network", "ls", label, "--format={{.Name}}").split(),
    ]
