"""A dataset folder is read as it was written, and what is wrong in it is said in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.export import export_run
from tests.analytics.recorded import RUN, Recorded
from tests.scenes import spec_of
from utils.dataset import Dataset, datasets_in
from utils.errors import BadEntry, BadInput
from utils.journal import chain


@pytest.fixture
def run() -> Recorded:
    return Recorded(spec_of(turns=3)).begin().talk(3).close().write()


@pytest.fixture
def folder(run: Recorded, tmp_path: Path) -> Path:
    return export_run(run.streams, RUN, tmp_path / "tea").folder


def damage(path: Path, before: bytes, after: bytes) -> None:
    octets = path.read_bytes()
    assert before in octets
    path.write_bytes(octets.replace(before, after, 1))


def test_its_records_are_those_of_the_run(run: Recorded, folder: Path) -> None:
    dataset = Dataset.open(folder)
    assert (dataset.run, dataset.spec_text, dataset.spec()) == (RUN, run.body, run.spec)
    assert list(chain(dataset.commits())) == run.table.journal
    assert list(dataset.calls()) == run.calls()
    assert dataset.has_texts
    assert dataset.manifest.last_sha256 == run.table.journal[-1].sha256


@pytest.mark.parametrize("missing", ["manifest.json", "raw/spec.json"])
def test_a_folder_that_is_no_dataset_is_refused(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(BadInput, match=r"no dataset at .*; name a folder that parley export wrote"):
        Dataset.open(folder)


def test_a_dataset_of_a_newer_version_is_refused(folder: Path) -> None:
    damage(folder / "manifest.json", b'"format": 1', b'"format": 2')
    with pytest.raises(BadInput, match="a dataset of format 2, and this Parley reads up to 1"):
        Dataset.open(folder)


@pytest.mark.parametrize("text", [b"{", b"[]", b"{}", b"\xff", b'{"format": true}'])
def test_a_manifest_that_is_none_is_one_line(folder: Path, text: bytes) -> None:
    (folder / "manifest.json").write_bytes(text)
    with pytest.raises(BadEntry, match=r"manifest\.json: ") as caught:
        Dataset.open(folder)
    assert "\n" not in str(caught.value)


def test_a_bad_line_is_named_by_file_and_number(folder: Path) -> None:
    damage(folder / "raw" / "journal.jsonl", b"Line 1.", b"Lime 1.")
    damage(folder / "raw" / "calls.jsonl", b'{"id"', b'{"ad"')
    dataset = Dataset.open(folder)
    with pytest.raises(BadEntry, match=r"raw/journal\.jsonl:\d+: journal \d+: its hash is not"):
        list(dataset.commits())
    with pytest.raises(BadEntry, match=r"raw/calls\.jsonl:1: call line: not an object"):
        list(dataset.calls())


def test_a_line_that_was_cut_off_is_named(folder: Path) -> None:
    path = folder / "raw" / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BadEntry, match=r"journal\.jsonl:\d+: the line is cut off"):
        list(Dataset.open(folder).commits())
    path.unlink()
    with pytest.raises(BadEntry, match=r"journal\.jsonl: No such file"):
        list(Dataset.open(folder).commits())


def test_a_folder_of_datasets_lists_them_by_name(run: Recorded, tmp_path: Path) -> None:
    for name in ("b", "a"):
        export_run(run.streams, RUN, tmp_path / "all" / name)
    (tmp_path / "all" / "c").mkdir()
    assert [one.name for one in datasets_in(tmp_path / "all")] == ["a", "b"]
    assert datasets_in(tmp_path / "all" / "a") == [tmp_path / "all" / "a"]
    (tmp_path / "file").write_text("not a folder")
    for nothing, why in (
        (tmp_path / "all" / "c", "no manifest.json in it"),
        (tmp_path / "nowhere", "no such folder"),
        (tmp_path / "file", "a file, not a folder"),
    ):
        for look in (datasets_in, Dataset.open):
            with pytest.raises(BadInput, match=f"no dataset at .*: {why}; name a folder"):
                look(nothing)
