"""`parley report`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from parley.commands.report import command
from tests.analytics.recorded import Recorded
from tests.analytics.reported import dataset_of
from tests.scenes import spec_of
from utils.errors import BadInput


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    run = Recorded(spec_of(turns=2)).begin().talk(2).close().write()
    return dataset_of(run, tmp_path / "tea")


def report(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(one) for one in arguments])


def test_it_writes_one_page_beside_the_dataset_and_says_where(dataset: Path) -> None:
    told = report(dataset)
    page = dataset.with_name("tea.html")
    assert (told.exit_code, told.stdout, told.stderr) == (0, f"{page}\n", "")
    assert page.read_text("utf-8").startswith("<!doctype html>\n")


def test_figures_are_written_where_they_are_asked_for(dataset: Path, tmp_path: Path) -> None:
    told = report(dataset, "--out", tmp_path / "x.html", "--figures", tmp_path / "f", "--json")
    said = json.loads(told.stdout)
    assert said["page"] == str(tmp_path / "x.html")
    assert said["runs"] == ["tea-1"]

    assert {Path(one).suffix for one in said["figures"]} == {".svg", ".csv"}
    assert all(Path(one).is_file() for one in said["figures"])


def test_a_folder_without_a_dataset_is_refused_in_one_line(tmp_path: Path) -> None:
    told = report(tmp_path)
    assert isinstance(told.exception, BadInput)
    assert told.exception.exit_code == 2
    assert "name a folder that parley export wrote" in str(told.exception)
