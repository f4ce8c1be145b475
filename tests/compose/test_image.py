"""The image, and the files that say how it is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.compose.stack import IMAGE, Stack, build, docker, inspect

pytestmark = pytest.mark.engine


def test_building_again_with_no_change_is_all_cache(cloned: Path) -> None:
    said = build(cloned)
    steps = re.findall(r"^Step \d+/\d+ : (\w+)", said, re.MULTILINE)
    made = [step for step in steps if step not in ("FROM", "ARG")]
    assert made
    assert said.count("---> Using cache") >= len(made)
    assert "Running in" not in said


def test_the_image_has_a_user_a_version_and_no_compiler() -> None:
    config = inspect(IMAGE)["Config"]
    assert config["User"] == "10001:10001"
    assert "PYTHONSAFEPATH=1" in config["Env"]
    version = docker("run", "--rm", IMAGE, "--version")
    assert config["Labels"]["org.opencontainers.image.version"] == version.split()[-1]
    found = docker("run", "--rm", "--entrypoint", "sh", IMAGE, "-c", "command -v gcc cc make || :")
    assert found == ""
    there = docker("run", "--rm", "--entrypoint", "ls", IMAGE, "/opt/parley/bin")
    assert "parley" in there
    assert {"pytest", "ruff", "mypy"}.isdisjoint(there.split())


@pytest.mark.parametrize("overlay", ["", "offline", "gpu", "host"])
def test_every_overlay_is_valid(overlay: str, cloned: Path) -> None:
    overlays = [f"docker-compose.{overlay}.yml"] if overlay else []
    assert Stack(cloned, *overlays).compose("config", "--quiet").stderr == ""
