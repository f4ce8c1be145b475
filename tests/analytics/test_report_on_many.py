"""The report on a folder of datasets: arms, runs, and what differs."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from analytics.report.arms import by_arm, differing
from analytics.report.source import Source
from analytics.report.spread import bounds
from tests.analytics.recorded import Recorded, every_file
from tests.analytics.reported import dataset_of, report_on, seen
from tests.scenes import spec_of
from utils.spec import Spec

LINES = ("One bridge.", "Two bridges, or three.", "A town for late ones.", "Hm, and yet, and yet.")


def labelled(arm: str, replicate: int) -> Spec:
    spec = spec_of(turns=4, seed=replicate)
    return spec.model_copy(update={"labels": {"arm": arm, "replicate": str(replicate)}})


def study(folder: Path, arms: dict[str, int]) -> Path:
    """Write a folder of runs: arm to how many."""
    for arm, runs in arms.items():
        for replicate in range(runs):
            run = Recorded(labelled(arm, replicate), run=f"{arm}-{replicate}").begin()
            for turn in range(4):
                run.say(LINES[turn] + f" {arm}" * (replicate + 1), answer_tokens=5)
            dataset_of(run.close().write(), folder / f"{arm}-{replicate}")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return study(tmp_path_factory.mktemp("many") / "study", {"calm": 3, "loud": 3})


@pytest.fixture(scope="module")
def page(folder: Path) -> Path:
    out = folder.parent / "pages" / "study.html"
    report_on(folder, out, out.parent / "figures")
    return out


def test_runs_are_gathered_by_arm_and_every_run_is_listed(folder: Path, page: Path) -> None:
    text = seen(page).text("main")
    assert "arm runs turns Revoked for time" in text
    assert "calm 3 12 0%" in text
    assert "all 6 24 0%" in text
    for run in folder.iterdir():
        assert f"{run.name} {run.name.split('-')[0]}" in text


def test_what_differs_between_runs_is_told_and_what_does_not_is_left_out(page: Path) -> None:
    text = seen(page).text("main")
    assert "seed 3 0 (2); 1 (2); 2 (2)" in text
    assert "floor.tries" not in text


def test_a_figure_has_a_dot_for_every_run(folder: Path, page: Path) -> None:
    with (page.parent / "figures" / "runs.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["metric"] == "mtld"]
    assert {row["dataset"] for row in rows} == {one.name for one in folder.iterdir()}
    assert {row["arm"] for row in rows} == {"calm", "loud"}


def test_two_reports_on_one_folder_are_the_same_bytes(folder: Path, page: Path) -> None:
    again = page.parent.with_name("again")
    report_on(folder, again / page.name, again / "figures")
    assert every_file(again) == every_file(page.parent)


def test_runs_that_say_the_same_are_named_at_the_top(tmp_path: Path) -> None:
    folder = study(tmp_path / "study", {"calm": 1})
    shutil.copytree(folder / "calm-0", folder / "calm-1")
    report_on(folder, tmp_path / "x.html")
    assert "calm-0 and calm-1 are the same run" in seen(tmp_path / "x.html").text("header")


def test_an_interval_needs_three_runs_and_a_difference() -> None:
    assert bounds((1.0, 2.0)) is None
    assert bounds((2.0, 2.0, 2.0)) is None
    low, high = bounds((1.0, 2.0, 3.0, 4.0)) or (0.0, 0.0)
    assert 1 < low < 2.5 < high < 4


def sources_of(tmp_path: Path, *specs: Spec) -> list[Source]:
    found = []
    for place, spec in enumerate(specs):
        run = Recorded(spec, run=f"r-{place}").begin().write()
        found.append(Source.open(dataset_of(run, tmp_path / f"r-{place}")))
    return found


def test_without_labels_arms_are_scenarios(tmp_path: Path) -> None:
    tea, coffee = spec_of(), spec_of().model_copy(update={"scenario": "coffee"})
    assert list(by_arm(sources_of(tmp_path, tea, coffee, tea))) == ["coffee", "tea"]
    assert list(by_arm(sources_of(tmp_path / "same", tea, tea))) == ["all runs"]


def test_an_arm_is_named_by_the_labels_that_tell_it_apart(tmp_path: Path) -> None:
    def one(**labels: str) -> Spec:
        return spec_of().model_copy(update={"labels": {"study": "s", **labels}})

    sources = sources_of(tmp_path, one(arm="a", size="2"), one(arm="a", size="3"), one(arm="b"))
    assert list(by_arm(sources)) == ["arm a, size 2", "arm a, size 3", "arm b"]


def test_a_changed_persona_is_found_by_its_path(tmp_path: Path) -> None:
    spec = spec_of()
    first, *rest = spec.bots
    changed = first.model_copy(
        update={"persona": first.persona.model_copy(update={"role": "a judge"})}
    )
    sources = sources_of(tmp_path, spec, spec.model_copy(update={"bots": (changed, *rest)}))
    assert list(differing(sources)) == ["bots.ada.persona.role"]
