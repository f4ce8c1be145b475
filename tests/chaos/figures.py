"""The figures of chaos: row by row, each with the machine, the server and the code it is of."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis

from parley import __version__
from tests.chaos.blocks import Block
from utils.server_kind import find_binary

ROOT = Path(__file__).parents[2]
CODE = ("analytics", "bots", "orchestrator", "parley", "utils", "worlds", "tests")
WORDS = ("tests/chaos/promised.md", "tests/chaos/page.py", "tests/chaos/test_page.py")
"""What is run, and what is beside it and is not."""
PARTS = ("server", "machine", "commit")
ALTERED = " altered"

Figures = dict[str, dict[str, Any]]


def load(path: Path) -> Figures:
    """Read the rows of a file; none of one that does not say what each of them is of."""
    rows = json.loads(path.read_text()).get("rows", {}) if path.exists() else {}
    return {name: row for name, row in rows.items() if row["done"] and {*PARTS} <= row.keys()}


def keep(path: Path, figures: Figures) -> None:
    """Write the figures, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps({"rows": figures}, indent=1, sort_keys=True) + "\n")
    draft.replace(path)


def fresh(here: dict[str, str]) -> dict[str, Any]:
    """Begin a row."""
    row = {"done": [], "runs": 0, "counts": {}, "most": {}, "broken": [], "seconds": 0.0}
    return {**row, **here}


def goes_on(row: dict[str, Any], here: dict[str, str], *, root: Path = ROOT) -> bool:
    """Tell whether a row can go on here: same machine, same server, and the code is the same."""
    if any(row[part] != here[part] for part in ("server", "machine")):
        return False
    return is_same_code(row["commit"], root=root)


def add(figure: dict[str, Any], block: Block) -> None:
    """Add what a block came to."""
    figure["done"] = sorted([*figure["done"], block.number])
    figure["runs"] += block.runs
    figure["broken"] += block.broken
    for what, times in sorted(block.counts.items()):
        figure["counts"][what] = figure["counts"].get(what, 0) + times
    for what, measured in block.measured.items():
        figure["most"].setdefault(what, []).extend(measured)
    figure["date"] = datetime.now(UTC).date().isoformat()


def here() -> dict[str, str]:
    """Name the server, the machine and the code of this place."""
    binary = find_binary()
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = (
        f"{platform.system()} {platform.machine()}",
        f"{os.cpu_count()} cores",
        f"{memory_gb:.0f} GB",
        f"Python {platform.python_version()}",
        f"redis-py {redis.__version__}",
        f"Parley {__version__}",
    )
    server = f"{binary.flavour} {binary.version}"
    return {"server": server, "machine": ", ".join(parts), "commit": commit_of()}


def commit_of(root: Path = ROOT) -> str:
    """Name the code: its commit, and whether it was altered since; empty where there is no git."""
    commit = _git(root, "rev-parse", "--short=10", "HEAD").stdout.strip()
    altered = _git(root, "status", "--porcelain", "--", *_paths()).stdout.strip()
    return commit + ALTERED if altered else commit


def is_same_code(commit: str, *, root: Path = ROOT) -> bool:
    """Tell whether what is run is what it was at a commit, whatever else changed."""
    if not commit or commit.endswith(ALTERED):
        return commit == commit_of(root) == ""
    now = commit_of(root)
    same = _git(root, "diff", "--quiet", commit, "--", *_paths()).returncode == 0
    return same and not now.endswith(ALTERED)


def _paths() -> Iterable[str]:
    return (*CODE, *(f":(exclude){path}" for path in WORDS))


def _git(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True)
    except FileNotFoundError:
        return subprocess.CompletedProcess(words, 127, "", "")
