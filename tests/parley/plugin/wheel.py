"""A folder made into a wheel, installed in a folder of its own, and put on the path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


def install(source: Path, place: Path) -> Path:
    """Build a wheel of a folder, offline, and install it in a folder beside all others.

    Args:
        source: Has a pyproject.toml. Nothing is written there.
        place: An empty folder.

    Returns:
        The folder to put on the path.
    """
    copied, wheels, target = place / "source", place / "wheels", place / "site"
    shutil.copytree(source, copied, ignore=shutil.ignore_patterns("__pycache__"))
    offline = ("--no-deps", "--no-index")
    _run(*PIP, "wheel", *offline, "--no-build-isolation", "--wheel-dir", str(wheels), str(copied))
    (wheel,) = wheels.glob("*.whl")
    _run(*PIP, "install", *offline, "--target", str(target), str(wheel))
    return target


@contextmanager
def on_path(target: Path) -> Iterator[None]:
    """Have what is installed there found in this process, for as long as the block runs."""
    known = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(target))
        try:
            yield
        finally:
            for name in set(sys.modules) - known:
                origin = getattr(sys.modules[name], "__file__", None) or ""
                if origin.startswith(str(target)):
                    del sys.modules[name]


def parley(
    arguments: Sequence[str], *, home: Path, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `parley` and everything it starts, with or without what is installed at a path."""
    env = {**os.environ, "PARLEY_HOME": str(home), "COLUMNS": "200"}
    if path is not None:
        known = [env["PYTHONPATH"]] if env.get("PYTHONPATH") else []
        env["PYTHONPATH"] = os.pathsep.join([str(path), *known])
    command = [sys.executable, "-m", "parley", *arguments]
    return subprocess.run(
        command, cwd=home.parent, env=env, capture_output=True, text=True, timeout=120, check=False
    )


def _run(*command: str) -> None:
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 0, told.stderr
