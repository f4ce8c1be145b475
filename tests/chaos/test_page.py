"""The page on reliability says what the figures say, and nothing else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.figures import commit_of, goes_on, here, keep, load
from tests.chaos.page import FIGURES, NOTHING, PAGE, page
from tests.chaos.rows import taken_over


def row(**other: object) -> dict[str, Any]:
    return {
        "date": "2026-01-31",
        "done": [0],
        "runs": 3,
        "seconds": 1.0,
        "broken": [],
        "counts": {"kill": 4},
        "most": {},
        "server": "redis 7.0.15",
        "machine": "Linux x86_64, 2 cores, 16 GB",
        "commit": "0123abcd",
        **other,
    }


def test_the_page_is_what_the_figures_make_of_it() -> None:
    assert PAGE.read_text() == page(load(FIGURES))


def test_a_broken_promise_is_on_the_page() -> None:
    told = page({"simulation": row(broken=["seed 2: a word is lost"])})
    assert "| simulation | 3 | 1 | seed 2: a word is lost |" in told


def test_what_is_the_same_of_every_row_is_said_once() -> None:
    told = page({"simulation": row(), "resume": row()})
    assert (
        "Of every row: date 2026-01-31; server redis 7.0.15; "
        "machine Linux x86_64, 2 cores, 16 GB; commit 0123abcd.\n" in told
    )
    assert "| row | runs | seconds | promises broken |" in told


def test_a_row_of_another_server_or_commit_says_so_itself() -> None:
    told = page({"simulation": row(), "resume": row(server="valkey 9.1.2", commit="4567")})
    assert "Of every row: date 2026-01-31; machine Linux x86_64, 2 cores, 16 GB.\n" in told
    assert "| row | server | commit | runs | seconds | promises broken |" in told
    assert "| simulation | redis 7.0.15 | 0123abcd | 3 | 1 | none |" in told
    assert "| resume | valkey 9.1.2 | 4567 | 3 | 1 | none |" in told


def test_figures_that_do_not_say_what_they_are_of_are_none(tmp_path: Path) -> None:
    old = {name: value for name, value in row().items() if name != "commit"}
    path = tmp_path / "figures.json"
    path.write_text(json.dumps({"machine": {"cores": 2}, "rows": {"resume": old}}))
    assert load(path) == {}
    assert NOTHING in page(load(path))
    keep(path, {"resume": row(), "simulation": row(done=[])})
    assert load(path) == {"resume": row()}


# --- going on -----------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository with code in it, and words."""
    for path in ("bots/host.py", "tests/chaos/storm.py", "tests/chaos/promised.md", "docs/a.md"):
        write(tmp_path, path, "before\n")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "add", "--all")
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    git(root, *who, "commit", "--quiet", "--no-verify", "-m", "Change it")


def place(root: Path) -> dict[str, str]:
    return {"server": "redis 7.0.15", "machine": "here", "commit": commit_of(root)}


def test_a_row_goes_on_where_words_alone_changed(repository: Path) -> None:
    begun = row(**place(repository))
    write(repository, "docs/a.md", "after\n")
    write(repository, "tests/chaos/promised.md", "after\n")
    commit(repository)
    assert goes_on(begun, place(repository), root=repository)


@pytest.mark.parametrize("path", ["bots/host.py", "bots/new.py", "tests/chaos/storm.py"])
@pytest.mark.parametrize("is_committed", [True, False])
def test_a_row_starts_again_where_the_code_changed(
    repository: Path, path: str, is_committed: bool
) -> None:
    begun = row(**place(repository))
    write(repository, path, "after\n")
    if is_committed:
        commit(repository)
    assert not goes_on(begun, place(repository), root=repository)
    assert place(repository)["commit"].endswith(" altered") is not is_committed


def test_a_row_of_altered_code_never_goes_on(repository: Path) -> None:
    write(repository, "bots/host.py", "after\n")
    begun = row(**place(repository))
    assert not goes_on(begun, place(repository), root=repository)
    git(repository, "checkout", "--quiet", "bots/host.py")
    assert not goes_on(begun, place(repository), root=repository)


@pytest.mark.parametrize("part", ["server", "machine"])
def test_a_row_of_another_place_starts_again(repository: Path, part: str) -> None:
    begun = row(**{**place(repository), part: "another"})
    assert not goes_on(begun, place(repository), root=repository)


def test_the_machines_size_is_told() -> None:
    assert " cores, " in here()["machine"]
    assert " GB, Python 3." in here()["machine"]


def test_a_grant_that_comes_late_breaks_the_promise() -> None:
    assert taken_over(3, lambda: [1_200, 2_000], 1_000).broken == []
    late = taken_over(3, lambda: [1_200, 2_001], 1_000)
    assert late.broken == ["seed 3: the next grant came after 2001 ms (p99)"]


def test_a_leader_that_never_comes_breaks_the_promise_and_ends_nothing() -> None:
    def waits() -> list[int]:
        raise AssertionError("nobody leads")

    assert taken_over(3, waits, 1_000).broken == ["seed 3: nobody leads"]
