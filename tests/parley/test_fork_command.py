"""`parley fork` and `parley compare`, as a person types them."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from analytics.export import export_run
from tests.forked import Played, finished
from tests.scenes import spec_of
from utils.dataset import Dataset

TURNS = 8


@pytest.fixture(scope="module")
def parent() -> Played:
    return finished(spec_of(turns=TURNS))


@pytest.fixture
def tea(parent: Played, tmp_path: Path) -> Path:
    """A dataset to fork, in an empty folder."""
    export_run(parent.streams, parent.run, tmp_path / "tea")
    return tmp_path


def parley(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PARLEY_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "parley", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)


def test_a_dataset_is_forked_with_its_control_and_the_two_are_compared(tea: Path) -> None:
    change = 'model.m.lines=["Well?"]'
    done = parley(
        tea, "fork", "./tea", "--at", "turn:4", "--change", change, "--out", "forks", "--json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    control, treated = (json.loads(line) for line in done.stdout.splitlines())
    assert [(one["arm"], one["replicate"], one["dataset"]) for one in (control, treated)] == [
        ("control", 1, "forks/control-1"),
        ("treated", 1, "forks/treated-1"),
    ]
    assert control["seed"] == treated["seed"] == 7
    original = (tea / "tea" / "raw" / "journal.jsonl").read_bytes().splitlines()
    for arm in ("control-1", "treated-1"):
        ours = (tea / "forks" / arm / "raw" / "journal.jsonl").read_bytes().splitlines()
        assert ours[: control["seq"]] == original[: control["seq"]]

    same = parley(tea, "compare", "tea", "forks/control-1")
    assert f"do not part: {TURNS + 1} messages, the same" in same.stdout
    found = parley(tea, "compare", "forks", "--json", "--out", "curves.csv")
    told = json.loads(found.stdout)
    (met,) = told["partings"]
    assert (met["at_a"]["turn"], met["at_b"]["text"]) == (5, "Well?")
    assert met["at_b"]["seq"] > control["seq"]
    assert told["effects"]["words"]["within"] is None
    with (tea / "curves.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["turn"]) for row in rows] == [5, 6, 7, 8]
    assert all(float(row["words"]) > 0.5 for row in rows)


def test_a_manifest_has_the_versions_where_the_run_was_started(tea: Path) -> None:
    forked = parley(tea, "fork", "./tea", "--at", "4", "--no-control", "--out", "f", "--json",
                    "--change", 'model.m.lines=["Well?"]')  # fmt: skip
    (told,) = (json.loads(line) for line in forked.stdout.splitlines())
    dataset = Dataset.open(tea / told["dataset"])
    started = dict(dataset.manifest.started_with)
    assert dataset.spec().started_with == started
    assert re.fullmatch(r"(redis|valkey) \d+\.\d+.*", started.pop("server"))
    assert started == dataset.manifest.made_with  # one and the same installation here
    assert Dataset.open(tea / "tea").manifest.started_with == {}  # nothing said so: not made up
    assert parley(tea, "verify", told["dataset"], "--grade", "B").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("fork", "./tea", "--at", "0"), "--at: '0' is before the run began"),
        (("fork", "./tea", "--at", "turn:99"), "is past the end: the run ends with commit 10"),
        (("fork", "./tee", "--at", "4"), "no dataset at tee"),
        (("fork", "nobody", "--at", "4"), "there is no folder and no run 'nobody'"),
        (("fork", "./tea", "--at", "4", "--change", "bot.adda.model=m"), "did you mean 'ada'?"),
        (("fork", "./tea", "--at", "4", "--out", "tea"), "there is something already"),
        (("compare", "tea"), "no runs of both arms in tea"),
        (("compare", "tea", "tee"), "no dataset at tee"),
    ],
)  # fmt: skip
def test_what_cannot_be_forked_or_compared_is_one_line_and_nothing_is_run(
    tea: Path, arguments: tuple[str, ...], line: str
) -> None:
    done = parley(tea, *arguments)
    assert done.returncode == 2
    assert line in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert not (tea / "datasets").exists()
