"""`parley verify`, as it is typed: no server is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analytics.export import export_run
from parley.commands.verify import command
from tests.analytics.recorded import Recorded
from tests.scenes import spec_of
from utils.errors import BadInput, ParleyError


@pytest.fixture
def datasets(tmp_path: Path) -> Path:
    for run in ("tea-1", "tea-2"):
        recorded = Recorded(spec_of(turns=2), run=run).begin().talk(2).close().write()
        export_run(recorded.streams, run, tmp_path / "all" / run)
    return tmp_path / "all"


def verify(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(one) for one in arguments])


def spoil(folder: Path) -> None:
    path = folder / "tables" / "messages.csv"
    path.write_bytes(path.read_bytes().replace(b"Line 1.", b"Lime 1."))


def test_it_says_that_a_dataset_holds_and_by_which_seal(datasets: Path) -> None:
    told = verify(datasets / "tea-1")
    seal = json.loads((datasets / "tea-1" / "manifest.json").read_text())["seal"]
    assert told.exit_code == 0
    assert told.stdout.splitlines() == [
        f"{datasets / 'tea-1'}  (run tea-1): grade A holds",
        "  17 files, 7 commits, 2 calls",
        f"  seal {seal}",
        "  note: No digest of model llama3.2:1b is known.",
    ]


def test_what_differs_is_one_line_each_and_the_exit_code_is_1(datasets: Path) -> None:
    spoil(datasets / "tea-1")
    told = verify(datasets / "tea-1")
    assert told.stdout.splitlines()[0].endswith("(run tea-1): 1 difference")
    assert (
        "  tables/messages.csv:4: commit 6, turn 2: not the bytes that were sealed" in told.stdout
    )
    assert isinstance(told.exception, ParleyError)
    assert told.exception.exit_code == 1
    assert str(told.exception) == "the dataset is not what it says it is"


def test_a_folder_of_datasets_is_checked_one_by_one_and_side_by_side(datasets: Path) -> None:
    spoil(datasets / "tea-2")
    told = verify(datasets, "--json")
    *each, last = [json.loads(line) for line in told.stdout.splitlines()]
    assert [(one["run"], one["holds"], len(one["differences"])) for one in each] == [
        ("tea-1", True, 0),
        ("tea-2", False, 1),
    ]
    assert each[1]["differences"][0]["line"] == 4
    names = " and ".join(str(datasets / name) for name in ("tea-1", "tea-2"))
    assert last == {"note": f"{names} say the same in the same order"}
    assert str(told.exception) == "1 of 2 datasets are not what they say they are"


def test_what_cannot_be_checked_is_bad_input(datasets: Path) -> None:
    told = verify(datasets / "tea-3")
    assert isinstance(told.exception, BadInput)
    assert told.exception.exit_code == 2
