"""`parley export`, as it is typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from parley.commands.export import command
from tests.analytics.recorded import Recorded, every_file, read_table
from tests.fixtures_server import real_server
from tests.scenes import spec_of
from utils.dataset import Dataset
from utils.errors import BadInput, ParleyError
from utils.streams import Streams

__all__ = ["real_server"]


@pytest.fixture
def streams(real_server: str) -> Streams:
    """Open an empty server."""
    connection = Streams(real_server)
    connection._redis.flushdb()
    return connection


def export(streams: Streams, *arguments: str | Path) -> Result:
    typed = [str(one) for one in arguments]
    return CliRunner().invoke(command, typed, env={"REDIS_URL": streams.url})


def closed_run(streams: Streams, run: str) -> Recorded:
    recorded = Recorded(spec_of(turns=2), run=run, streams=streams)
    return recorded.begin().talk(2).close().write()


def test_it_prints_the_folder_and_how_many_rows_each_table_has(
    streams: Streams, tmp_path: Path
) -> None:
    closed_run(streams, "tea-1")
    told = export(streams, "tea-1", "--out", tmp_path / "tea")
    assert told.exit_code == 0
    first, *rest = told.stdout.splitlines()
    assert first == f"{tmp_path / 'tea'}  (run tea-1)"
    assert rest[0].split() == ["tables/messages.csv", "3", "rows"]
    assert len(rest) == 12
    assert len(read_table(tmp_path / "tea", "messages")) == 3


def test_it_says_that_a_run_still_goes_on(streams: Streams, tmp_path: Path) -> None:
    Recorded(run="tea-1", streams=streams).begin().write()
    told = export(streams, "tea-1", "--out", tmp_path / "tea")
    assert told.stdout.splitlines()[0].endswith("(run tea-1; cut while running)")


def test_json_is_one_object_a_line(streams: Streams, tmp_path: Path) -> None:
    for run in ("tea-1", "tea-2"):
        closed_run(streams, run)
    told = export(streams, "--all", "--out", tmp_path / "all", "--json")
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert [line["run"] for line in lines] == ["tea-1", "tea-2"]
    assert lines[0]["folder"] == str(tmp_path / "all" / "tea-1")
    assert (lines[0]["phase"], lines[0]["rows"]["messages"]) == ("closed", 3)
    assert told.stderr == "note: tea-1 and tea-2 say the same in the same order\n"


def test_a_run_that_is_left_out_is_named_and_the_exit_code_is_1(
    streams: Streams, tmp_path: Path
) -> None:
    closed_run(streams, "tea-1")
    entry = {"run": "bad", "scenario": "tea", "spec_sha256": "", "labels": {}, "started_ms": 1}
    streams.register("bad", spec="{}", entry=json.dumps(entry), now_ms=1)
    told = export(streams, "--all", "--out", tmp_path / "all")
    assert "run bad is left out: spec: no scenario" in told.stderr
    assert isinstance(told.exception, ParleyError)
    assert told.exception.exit_code == 1
    assert (tmp_path / "all" / "tea-1").is_dir()


def test_two_processes_that_hash_in_other_ways_write_the_same_bytes(
    streams: Streams, tmp_path: Path
) -> None:
    closed_run(streams, "tea-1")
    arguments = ["-m", "parley", "export", "tea-1", "--parquet", "--out"]
    for seed in ("1", "2"):
        env = os.environ | {"PYTHONHASHSEED": seed, "REDIS_URL": streams.url}
        subprocess.run(
            [sys.executable, *arguments, str(tmp_path / seed)], env=env, check=True, text=True
        )
    assert every_file(tmp_path / "1") == every_file(tmp_path / "2")
    assert "manifest.json" in every_file(tmp_path / "1")


def test_a_folder_is_replaced_when_that_is_asked_for(streams: Streams, tmp_path: Path) -> None:
    closed_run(streams, "tea-1")
    assert export(streams, "tea-1", "--out", tmp_path / "tea").exit_code == 0
    told = export(streams, "tea-1", "--out", tmp_path / "tea")
    assert isinstance(told.exception, BadInput)
    assert "--replace" in str(told.exception)
    arguments = ("--out", tmp_path / "tea", "--replace", "--withhold", "texts", "--raw-text")
    assert export(streams, "tea-1", *arguments).exit_code == 0
    manifest = Dataset.open(tmp_path / "tea").manifest
    assert (manifest.withheld, manifest.text) == (("texts",), "raw")


def test_a_run_that_is_not_there_is_bad_input(streams: Streams, tmp_path: Path) -> None:
    closed_run(streams, "tea-1")
    told = export(streams, "tea-9", "--out", tmp_path / "tea")
    assert isinstance(told.exception, BadInput)
    assert "did you mean 'tea-1'?" in str(told.exception)


@pytest.mark.parametrize("arguments", [[], ["tea-1", "--all"]])
def test_it_wants_one_run_or_all_of_them(arguments: list[str], tmp_path: Path) -> None:
    told = CliRunner().invoke(command, [*arguments, "--out", str(tmp_path / "tea")])
    assert told.exit_code == 2
    assert "either a RUN or --all" in told.stderr


def test_the_help_has_examples() -> None:
    told = CliRunner().invoke(command, ["--help"])
    assert "parley export --all --out datasets" in told.stdout
