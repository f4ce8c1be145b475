"""All runs of a server become one folder of datasets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analytics.export import export_all, export_run
from tests.analytics.recorded import RUN, Recorded, every_file
from tests.scenes import spec_of
from tests.swarm import fake_streams
from utils.errors import BadInput, StreamError


def closed_run() -> Recorded:
    return Recorded(spec_of(turns=6)).begin().talk(6).close().write()


def test_all_runs_are_exported_side_by_side(tmp_path: Path) -> None:
    run = closed_run()
    Recorded(run="tea-2", streams=run.streams).begin().write()
    done, broken = export_all(run.streams, tmp_path / "all")
    assert ([one.run for one in done], broken) == ([RUN, "tea-2"], {})
    assert [one.phase for one in done] == ["closed", "running"]
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == [RUN, "tea-2"]
    alone = export_run(run.streams, RUN, tmp_path / "alone")
    assert every_file(alone.folder) == every_file(done[0].folder)


def test_a_broken_run_does_not_stand_in_the_way_of_the_others(tmp_path: Path) -> None:
    run = closed_run()
    run.streams.register("bad", spec="{}", entry=json.dumps(entry_of("bad")), now_ms=1)
    done, broken = export_all(run.streams, tmp_path / "all")
    assert [one.run for one in done] == [RUN]
    assert list(broken) == ["bad"]
    assert [path.name for path in (tmp_path / "all").iterdir()] == [RUN]


def test_where_no_run_can_be_exported_no_folder_appears(tmp_path: Path) -> None:
    streams = fake_streams()
    with pytest.raises(BadInput, match="no run to export"):
        export_all(streams, tmp_path / "all")
    streams.register("bad", spec="{}", entry=json.dumps(entry_of("bad")), now_ms=1)
    with pytest.raises(StreamError, match="none of 1 runs can be exported; bad: spec"):
        export_all(streams, tmp_path / "all")
    assert list(tmp_path.iterdir()) == []


def entry_of(run: str) -> dict[str, object]:
    entry = {"scenario": "tea", "spec_sha256": "0" * 64, "labels": {}, "started_ms": 1}
    return {"run": run, **entry}
