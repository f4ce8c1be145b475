"""Runs that are one and the same are named; those that only look alike are not."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from analytics.collection import alike
from analytics.export import export_run
from tests.analytics.recorded import Recorded
from tests.scenes import spec_of
from utils.dataset import Dataset, datasets_in
from utils.manifest import Manifest

LINES = ("Ada, put that next to a table.", "I differ, Bo.", "A bodega for bo-peep, adamant.")


def manifest_of(
    folder: Path, run: str, *, bots: Sequence[str] = ("ada", "bo"), lines: Sequence[str] = LINES
) -> Manifest:
    recorded = Recorded(spec_of(bots, turns=len(lines)), run=run).begin()
    for number, line in enumerate(lines):
        recorded.say(line, after_ms=number + len(run))
    recorded.close().write()
    return Dataset.open(export_run(recorded.streams, run, folder / run).folder).manifest


def renamed(line: str) -> str:
    words = {"Ada": "Mo", "Bo": "Pia", "Bo.": "Pia.", "Ada,": "Mo,"}
    return " ".join(words.get(word, word) for word in line.split())


def test_two_runs_that_say_the_same_are_named(tmp_path: Path) -> None:
    one, two = manifest_of(tmp_path, "tea-1"), manifest_of(tmp_path, "tea-22")
    assert one.last_sha256 != two.last_sha256, "their times and ids differ"
    assert alike({"one": one, "two": two}) == ["one and two say the same in the same order"]


def test_two_that_are_the_same_but_for_names_are_named(tmp_path: Path) -> None:
    one = manifest_of(tmp_path, "tea-1")
    lines = [renamed(line) for line in LINES]
    two = manifest_of(tmp_path, "tea-2", bots=("mo", "pia"), lines=lines)
    expected = "one and two say the same in the same order but for bots' names"
    assert alike({"one": one, "two": two}) == [expected]


def test_a_copy_is_named_as_a_copy_and_only_once(tmp_path: Path) -> None:
    one = manifest_of(tmp_path, "tea-1")
    shutil.copytree(tmp_path / "tea-1", tmp_path / "tea-9")
    manifests = {each.name: Dataset.open(each).manifest for each in datasets_in(tmp_path)}
    assert manifests["tea-1"] == one
    assert alike(manifests) == ["tea-1 and tea-9 are the same run, commit by commit"]


def test_two_that_differ_in_a_word_or_in_who_says_it_are_not(tmp_path: Path) -> None:
    one = manifest_of(tmp_path, "tea-1")
    word = manifest_of(tmp_path, "tea-2", lines=(*LINES[:2], LINES[2].replace("bodega", "bo")))
    who = manifest_of(tmp_path, "tea-3", lines=[line.replace("Bo.", "Ada.") for line in LINES])
    assert alike({"one": one, "word": word, "who": who}) == []


def test_runs_in_which_nobody_said_anything_are_not_alike(tmp_path: Path) -> None:
    for run in ("a", "b"):
        export_run(Recorded(run=run).streams, run, tmp_path / run)
    assert alike({one.name: Dataset.open(one).manifest for one in datasets_in(tmp_path)}) == []
