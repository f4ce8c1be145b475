"""A dataset is held against itself: whatever was changed is found, and where."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from analytics.difference import Difference
from analytics.export import export_run
from analytics.files import sealed_file
from analytics.sheets import Form
from analytics.verify import verify
from tests.analytics.recorded import RUN, Recorded, every_file
from tests.scenes import spec_of
from utils import manifest as manifests
from utils.errors import BadInput
from utils.journal import sha256_of
from utils.manifest import manifest_text, read_manifest

TURNS = 6


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = spec_of(turns=TURNS).model_copy(update={"labels": {"arm": "a"}})
    run = Recorded(spec).begin()
    run.call(outcome="timeout")
    run.table.fail()
    run.talk(TURNS).close().write()
    out = tmp_path_factory.mktemp("sealed") / "tea"
    return export_run(run.streams, RUN, out, form=Form(parquet=True)).folder


@pytest.fixture
def folder(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed, tmp_path / "tea"))


def found(folder: Path) -> list[Difference]:
    return verify(folder).differences


def change(path: Path, before: str, after: str) -> None:
    octets = path.read_bytes()
    assert before.encode() in octets
    path.write_bytes(octets.replace(before.encode(), after.encode(), 1))


def reseal(folder: Path) -> None:
    """Write the manifest again for the files as they are now, as a forger would."""
    path = folder / manifests.NAME
    manifest = read_manifest(path.read_text())
    files = {name: sealed_file(folder / name) for name in manifest.files}
    path.write_text(manifest_text(manifest.model_copy(update={"files": files})))


# what holds


def test_an_export_holds(folder: Path) -> None:
    verified = verify(folder)
    assert verified.holds
    assert (verified.differences, verified.unchecked) == ([], [])


@pytest.mark.parametrize("stage", ["nobody leads it", "live", "raw text"])
def test_a_dataset_of_any_run_holds(tmp_path: Path, stage: str) -> None:
    run = Recorded(spec_of(turns=TURNS))
    if stage != "nobody leads it":
        run.begin().say("=1+1\r\n\x1b[2J \u2028 'tis \\x1b")
        run.write()
    form = Form(text="raw" if stage == "raw text" else "spreadsheet", parquet=True)
    verified = verify(export_run(run.streams, RUN, tmp_path / "tea", form=form).folder)
    assert verified.differences == []


def test_it_tells_how_far_it_is(tmp_path: Path) -> None:
    run = Recorded(spec_of(turns=300)).begin().talk(300).close().write()
    folder = export_run(run.streams, RUN, tmp_path / "tea").folder
    told: list[tuple[int, int]] = []
    verify(folder, progress=lambda done, of: told.append((done, of)))
    assert told == [(200, 605), (400, 605), (600, 605)]


# what was changed


def test_one_changed_byte_is_found_wherever_it_is(folder: Path) -> None:
    files = every_file(folder)
    assert {Path(name).suffix for name in files} == {".json", ".jsonl", ".csv", ".parquet"}
    for name, octets in files.items():
        for at in {0, len(octets) // 3, len(octets) // 2, len(octets) - 1}:
            flipped = bytes([*octets[:at], octets[at] ^ 1, *octets[at + 1 :]])
            (folder / name).write_bytes(flipped)
            assert name in {one.file for one in found(folder)}, (name, at)
        (folder / name).write_bytes(octets)
    assert found(folder) == [], "and nothing is found where nothing was changed"


def test_every_byte_of_the_manifest_counts(folder: Path) -> None:
    path = folder / manifests.NAME
    octets = path.read_bytes()
    version = octets.index(b'"format": 1') + len(b'"format": ')
    for at in [*range(0, version, 5), *range(version + 1, len(octets), 41)]:
        path.write_bytes(bytes([*octets[:at], octets[at] ^ 2, *octets[at + 1 :]]))
        assert found(folder), at
    path.write_bytes(octets)
    assert found(folder) == []


def test_a_changed_word_is_named_by_file_line_commit_and_turn(folder: Path) -> None:
    change(folder / "tables" / "messages.csv", "Line 3.", "Lime 3.")
    (one,) = found(folder)
    assert str(one).startswith("tables/messages.csv:6: commit 9, turn 4: not the ")


def test_a_changed_commit_is_named_and_what_follows_from_it_is_not_blamed(folder: Path) -> None:
    change(folder / "raw" / "journal.jsonl", "Line 3.", "Lime 3.")
    verified = verify(folder)
    assert [str(one) for one in verified.differences] == [
        "raw/journal.jsonl:9: commit 9, turn 4: its hash is not that of its bytes"
    ]
    assert verified.unchecked == ["the tables: the record cannot be read to its end"]


def test_a_changed_call_is_named_by_its_line_and_the_commit_that_granted_it(folder: Path) -> None:
    change(folder / "raw" / "calls.jsonl", "Line 3.", "Lime 3.")
    (one,) = found(folder)
    assert (one.file, one.line, one.commit, one.turn) == ("raw/calls.jsonl", 5, 8, 4)


def test_a_call_that_was_taken_out_or_put_in_is_named_by_its_line(folder: Path) -> None:
    path = folder / "raw" / "calls.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    for changed, line, commit in (
        ([*lines[:4], *lines[5:]], 5, 8),
        ([*lines[:4], lines[3], *lines[4:]], 5, 8),
        ([*lines[:4], lines[5], lines[4], *lines[6:]], 5, 8),
        (lines[:-1], len(lines), 10),
    ):
        path.write_bytes(b"".join(changed))
        (one,) = found(folder)
        assert (one.file, one.line, one.commit) == ("raw/calls.jsonl", line, commit)


def test_a_changed_spec_is_named_with_the_commit_that_has_its_hash(folder: Path) -> None:
    change(folder / "raw" / "spec.json", '"seed":7', '"seed":8')
    (one,) = found(folder)
    assert (one.file, one.commit) == ("raw/spec.json", 1)


@pytest.mark.parametrize("name", ["raw/journal.jsonl", "raw/calls.jsonl", "tables/turns.csv"])
def test_a_truncated_line_is_found(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:-9])
    lines = path.read_bytes().count(b"\n") + 1
    (one,) = found(folder)
    assert (one.file, one.line) == (name, lines)


@pytest.mark.parametrize("name", ["raw/journal.jsonl", "raw/calls.jsonl", "tables/bots.csv"])
def test_a_line_too_few_and_one_too_many_are_found(folder: Path, name: str) -> None:
    path = folder / name
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for changed in (lines[:-1], [*lines, lines[-1]]):
        path.write_bytes(b"".join(changed))
        assert name in {one.file for one in found(folder)}


@pytest.mark.parametrize("name", ["raw/spec.json", "raw/calls.jsonl", "tables/runs.csv"])
def test_a_missing_file_is_found(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert [str(one) for one in found(folder)] == [f"{name}: missing"]


@pytest.mark.parametrize("name", ["notes.txt", "tables/more.csv", "raw/memory/ada.jsonl"])
def test_an_extra_file_is_found(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("x")
    assert [str(one) for one in found(folder)] == [f"{name}: not a file of this dataset"]


def test_a_link_in_the_place_of_a_file_is_followed_and_its_bytes_count(folder: Path) -> None:
    path = folder / "tables" / "runs.csv"
    path.rename(folder.parent / "runs.csv")
    path.symlink_to(folder.parent / "runs.csv")
    assert found(folder) == []
    change(folder.parent / "runs.csv", "tea", "tee")
    assert [one.file for one in found(folder)] == ["tables/runs.csv"]


def test_a_manifest_that_names_a_file_outside_reads_nothing_there(folder: Path) -> None:
    (folder.parent / "secret").write_text("x")
    change(folder / manifests.NAME, '"tables/runs.csv"', '"../secret"')
    assert "../secret: missing" in [str(one) for one in found(folder)]


# what was changed and sealed again


Forgery = Callable[[Path], None]


def _table(folder: Path) -> None:
    change(folder / "tables" / "messages.csv", "Line 3.", "Lime 3.")


def _codebook(folder: Path) -> None:
    change(folder / "codebook.csv", "What was said.", "What was sold.")


def _space(folder: Path) -> None:
    change(folder / "raw" / "journal.jsonl", '{"seq": 5', '{"seq":  5')


def _findings(folder: Path) -> None:
    change(folder / manifests.NAME, '"share_revoked": 0.14', '"share_revoked": 0.04')


@pytest.mark.parametrize(
    ("forge", "where"),
    [
        (_table, "tables/messages.csv:6: commit 9, turn 4: not what the record gives"),
        (_codebook, "codebook.csv:17: not what the record gives"),
        (_space, "raw/journal.jsonl:5: commit 5, turn 1: not what the record gives"),
        (_findings, "manifest.json:"),
    ],
)
def test_a_change_that_was_sealed_again_contradicts_the_record(
    folder: Path, forge: Forgery, where: str
) -> None:
    forge(folder)
    reseal(folder)
    assert any(str(one).startswith(where) for one in found(folder)), found(folder)


def test_a_commit_that_was_hashed_again_breaks_the_chain(folder: Path) -> None:
    path = folder / "raw" / "journal.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    entry = json.loads(lines[8])
    body = entry["b"].replace("Line 3.", "Lime 3.")
    assert body != entry["b"]
    lines[8] = json.dumps({"seq": 9, "h": sha256_of(body), "b": body}) + "\n"
    path.write_text("".join(lines))
    reseal(folder)
    (one,) = found(folder)
    assert str(one) == "raw/journal.jsonl:10: commit 10, turn 5: it names another commit 9"


# what is no dataset


def test_what_is_no_dataset_or_too_new_is_bad_input(folder: Path) -> None:
    with pytest.raises(BadInput, match="no dataset at"):
        verify(folder / "raw")
    change(folder / manifests.NAME, '"format": 1', '"format": 9')
    with pytest.raises(BadInput, match="a dataset of format 9"):
        verify(folder)


def test_parquet_of_another_version_of_pyarrow_is_checked_by_its_hash_alone(folder: Path) -> None:
    path = folder / manifests.NAME
    manifest = read_manifest(path.read_text())
    older = manifest.made_with | {"pyarrow": "1.0.0"}
    path.write_text(manifest_text(manifest.model_copy(update={"made_with": older})))
    verified = verify(folder)
    assert verified.holds
    assert "pyarrow 1.0.0 wrote them" in verified.unchecked[0]
