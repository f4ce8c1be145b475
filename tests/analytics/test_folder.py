"""A folder appears whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from analytics.folder import whole
from utils.errors import BadInput, ParleyError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_takes_its_name_only_when_it_is_done(tmp_path: Path) -> None:
    with whole(tmp_path / "tea") as folder:
        (folder / "a").write_text("a")
        assert names(tmp_path) == [".tea.partial"]
    assert names(tmp_path) == ["tea"]
    assert names(tmp_path / "tea") == ["a"]


def test_folders_above_it_are_made(tmp_path: Path) -> None:
    with whole(tmp_path / "data" / "sets" / "tea"):
        pass
    assert (tmp_path / "data" / "sets" / "tea").is_dir()


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError, SystemExit])
def test_nothing_is_left_of_one_that_failed(tmp_path: Path, failure: type[BaseException]) -> None:
    def write(folder: Path) -> None:
        (folder / "a").write_text("a")
        (folder / "b").mkdir()
        raise failure

    with pytest.raises(failure), whole(tmp_path / "tea") as folder:
        write(folder)
    assert names(tmp_path) == []


@pytest.mark.parametrize("kind", ["folder", "file", "link to nowhere"])
def test_what_exists_is_refused_and_stays(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "tea"
    if kind == "folder":
        out.mkdir()
    elif kind == "file":
        out.write_text("mine")
    else:
        out.symlink_to(tmp_path / "nowhere")
    with (
        pytest.raises(BadInput, match=r"tea exists; choose another, remove it, or add --replace"),
        whole(out),
    ):
        pass
    assert names(tmp_path) == ["tea"]


def test_what_came_to_exist_meanwhile_is_refused_and_stays(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="exists"), whole(tmp_path / "tea"):
        (tmp_path / "tea").mkdir()
    assert names(tmp_path) == ["tea"]


def test_what_a_killed_process_left_is_swept_away(tmp_path: Path) -> None:
    left = tmp_path / ".tea.partial"
    (left / "raw").mkdir(parents=True)
    (left / "raw" / "old").write_text("old")
    (left / "old").write_text("old")
    with whole(tmp_path / "tea") as folder:
        (folder / "new").write_text("new")
    assert names(tmp_path / "tea") == ["new"]


def test_what_another_process_is_writing_is_not_touched(tmp_path: Path) -> None:
    with whole(tmp_path / "tea") as folder:
        (folder / "mine").write_text("mine")
        with pytest.raises(BadInput, match="another process"), whole(tmp_path / "tea"):
            pass
    assert names(tmp_path / "tea") == ["mine"]


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="Not a directory"), whole(tmp_path / "file" / "tea"):
        pass


def test_a_disk_that_refuses_in_the_middle_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    full = pytest.raises(ParleyError, match="tea: cannot be written: No space left")
    with full, whole(tmp_path / "tea"):
        raise OSError(28, os.strerror(28))
    assert names(tmp_path) == []


# taking the place of another


def dataset(folder: Path, mark: str = "old") -> Path:
    (folder / "raw").mkdir(parents=True)
    (folder / "manifest.json").write_text(mark)
    return folder


def test_a_dataset_is_replaced_once_the_new_one_is_whole(tmp_path: Path) -> None:
    old = dataset(tmp_path / "tea")
    with whole(old, replace=True) as folder:
        dataset(folder / "inside", "new")
        assert (old / "manifest.json").read_text() == "old"
    assert names(tmp_path) == ["tea"]
    assert names(tmp_path / "tea") == ["inside"]
    with whole(tmp_path / "tea", replace=True):
        pass
    assert names(tmp_path / "tea") == [], "a folder of datasets is replaced, too"


def test_the_old_one_stays_when_the_new_one_fails(tmp_path: Path) -> None:
    old = dataset(tmp_path / "tea")
    with pytest.raises(KeyboardInterrupt), whole(old, replace=True):
        raise KeyboardInterrupt
    assert names(tmp_path) == ["tea"]
    assert (old / "manifest.json").read_text() == "old"


@pytest.mark.parametrize("what", ["a file", "other things", "a dataset and more", "a link"])
def test_nothing_but_datasets_is_ever_replaced(tmp_path: Path, what: str) -> None:
    out = tmp_path / "tea"
    if what == "a file":
        out.write_text("mine")
    elif what == "a link":
        out.symlink_to(dataset(tmp_path / "other"))
    else:
        out.mkdir()
        (out / "thesis.txt").write_text("mine")
        if what == "a dataset and more":
            dataset(out / "one")
    before = names(tmp_path)
    refused = pytest.raises(BadInput, match="tea is no dataset, and is not replaced")
    with refused, whole(out, replace=True):
        pass
    assert names(tmp_path) == before


def test_what_was_put_aside_when_we_were_killed_comes_back(tmp_path: Path) -> None:
    dataset(tmp_path / ".tea.replaced")
    with pytest.raises(BadInput, match="tea exists"), whole(tmp_path / "tea"):
        pass
    assert names(tmp_path) == ["tea"]
    dataset(tmp_path / ".tea.replaced", "older")
    with whole(tmp_path / "tea", replace=True) as folder:
        (folder / "new").write_text("new")
    assert names(tmp_path) == ["tea"]
    assert names(tmp_path / "tea") == ["new"]
