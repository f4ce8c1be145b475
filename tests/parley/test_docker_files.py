"""The files that make the stack agree with each other, with the settings and with the code."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from parley import __version__
from utils.settings import VARIABLES, Settings

ROOT = Path(__file__).parents[2]
COMPOSE = sorted(ROOT.glob("docker-compose*.yml"))
STACKS = sorted(ROOT.glob("docker-stack*.yml"))
SET_BY_THE_STACK = {
    "REDIS_URL",
    "REDIS_PASSWORD_FILE",
    "PARLEY_HOME",
    "PARLEY_RECORDINGS",
    "OLLAMA_HOST",
}
"""Settings that the compose file gives its containers itself."""

ONLY_IN_COMPOSE = {"parley"}
"""A run-only service: Swarm has none, and `docker/swarm-run` is in its place."""


def defaults_in(path: Path) -> dict[str, set[str]]:
    """Read every `${NAME:-default}` of a file."""
    found: dict[str, set[str]] = {}
    for name, default in re.findall(r"\$\{(\w+):-([^}]*)\}", path.read_text("utf-8")):
        found.setdefault(name, set()).add(default)
    return found


def examples() -> dict[str, str]:
    """Read `.env.example`: each setting, and the default it gives."""
    text = (ROOT / ".env.example").read_text("utf-8")
    return dict(re.findall(r"^#([A-Z_]+)=(.*)$", text, re.MULTILINE))


# .env.example


def test_every_setting_has_its_line_and_every_line_is_a_setting() -> None:
    in_files = {name for path in COMPOSE for name in defaults_in(path)}
    assert set(VARIABLES) == set(Settings.model_fields)
    assert set(examples()) == in_files | set(VARIABLES.values())


def test_no_line_sets_anything_and_each_stands_below_words() -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    assert [line for line in text.splitlines() if line and not line.startswith("#")] == []
    blocks = [
        block for block in text.split("\n\n") if re.search(r"^#[A-Z_]+=", block, re.MULTILINE)
    ]
    assert [block for block in blocks if not re.match(r"# \S", block)] == []


@pytest.mark.parametrize("path", [*COMPOSE, *STACKS], ids=lambda path: path.name)
def test_the_defaults_are_those_of_the_files(path: Path) -> None:
    other = {
        "docker-compose.host.yml": {"PARLEY_MODEL_SERVER", "PARLEY_TYPED"},
        "docker-compose.offline.yml": {"PARLEY_TYPED"},  # what is typed names the overlay
        "docker-stack.yml": {"PARLEY_TYPED"},  # a swarm has a command of its own
    }
    for name, defaults in defaults_in(path).items():
        if name not in other.get(path.name, ()):
            assert defaults == {examples()[name]}, name


def test_the_defaults_are_those_of_the_settings() -> None:
    written = examples()
    bare = Settings.from_env({})
    for field, name in VARIABLES.items():
        if name in ("PARLEY_HOME", "PARLEY_TYPED"):  # no constant; and the stack's own
            continue
        value = getattr(bare, field)
        assert written[name] == ("" if value in (None, ()) else str(value)), name
    again = Settings.from_env({name: written[name] for name in SET_BY_THE_STACK})
    assert again == bare


def test_no_file_of_the_stack_holds_a_password() -> None:
    for path in [*COMPOSE, *STACKS, ROOT / "Dockerfile", ROOT / ".env.example"]:
        assert not re.search(r"requirepass|://\w*:\w+@|PASSWORD=\w", path.read_text("utf-8"))


# The image


def test_the_images_version_is_parleys() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert re.findall(r"^ARG PARLEY_VERSION=(.*)$", dockerfile, re.MULTILINE) == [__version__]
    assert examples()["PARLEY_IMAGE"] == f"parley:{__version__}"


def pinned(root: str) -> set[str]:
    """List what the image installs for the sake of one package."""
    script, lock = ROOT / "docker" / "pins.py", ROOT / "requirements.lock"
    command = [sys.executable, str(script), str(lock), root]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told.count("--hash=sha256:") >= told.count("==")
    return set(re.findall(r"^([a-z0-9-]+)==", told, re.MULTILINE))


def needed(name: str) -> set[str]:
    """List what an installed distribution needs to run here, and all those need."""
    found: set[str] = set()
    wanted = [Requirement(text) for text in requires(name) or ()]
    while wanted:
        one = wanted.pop()
        this = canonicalize_name(one.name)
        if this not in found and (one.marker is None or one.marker.evaluate({"extra": ""})):
            found.add(this)
            wanted += [Requirement(text) for text in requires(this) or ()]
    return found


def test_the_image_gets_what_parley_needs_and_no_tool_for_working_on_it() -> None:
    pins = pinned("parley (pyproject.toml)")
    assert needed("parley") <= pins
    assert {"pytest", "ruff", "mypy", "hypothesis"}.isdisjoint(pins)
    assert needed("hatchling") | {"hatchling"} <= pinned("hatchling")


def test_what_the_image_is_made_of_is_let_in() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile, re.MULTILINE)
        for source in line.split()
    }
    let_in = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    }
    assert copied == let_in
    assert [name for name in copied if not (ROOT / name).exists()] == []


# The swarm


def services(name: str) -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load((ROOT / name).read_text("utf-8"))["services"])


def common(service: dict[str, Any], *, is_stack: bool) -> dict[str, Any]:
    """Read what a service is to have in either file, in one form."""
    kept = "image command entrypoint user environment init read_only cap_drop stop_grace_period "
    kept += "healthcheck extra_hosts logging"
    found = {key: service[key] for key in kept.split() if key in service}
    deploy = service.get("deploy", {})
    limits = deploy.get("resources", {}).get("limits", {})
    found["memory"] = limits["memory"] if is_stack else service["mem_limit"]
    found["pids"] = limits["pids"] if is_stack else service["pids_limit"]
    found["replicas"] = deploy.get("replicas", 1)
    condition = deploy.get("restart_policy", {}).get("condition")
    found["lasts"] = condition == "any" if is_stack else service["restart"] == "unless-stopped"
    return found


@pytest.mark.parametrize("name", services("docker-stack.yml"))
def test_the_swarms_services_are_those_of_the_compose_file(name: str) -> None:
    in_compose = common(services("docker-compose.yml")[name], is_stack=False)
    in_stack = common(services("docker-stack.yml")[name], is_stack=True)
    if name == "prepare":  # a swarm has its passwords from elsewhere: only folders are made
        in_compose["command"] = in_stack["command"] = []
    if name == "ready":
        for one in (in_compose, in_stack):
            one["environment"] = {**one["environment"], "PARLEY_TYPED": "another"}
    assert in_stack == in_compose


def test_no_service_is_missing_in_the_swarm() -> None:
    both = set(services("docker-stack.yml")) | ONLY_IN_COMPOSE
    assert both == set(services("docker-compose.yml"))
    for overlay, other in (("docker-stack.offline.yml", "docker-compose.offline.yml"),):
        assert set(services(overlay)) | ONLY_IN_COMPOSE == set(services(other))
        ours, theirs = services(overlay)["ollama"], services(other)["ollama"]
        assert (ours["image"], ours["command"]) == (theirs["image"], theirs["command"])


def test_a_service_that_is_out_of_step_would_be_found() -> None:
    one = services("docker-compose.yml")["bots"]
    assert common(one, is_stack=False) != common({**one, "mem_limit": "1g"}, is_stack=False)


@pytest.mark.parametrize("path", [*COMPOSE, *STACKS], ids=lambda path: path.name)
def test_no_service_publishes_a_port(path: Path) -> None:
    assert [name for name, one in services(path.name).items() if "ports" in one] == []
