"""What docs/naming.md says was measured is what its record holds, and that can be played again."""

from __future__ import annotations

import csv
import re
import runpy
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "naming.md").read_text("utf-8")
FLOWING = " ".join(PAGE.split())


@pytest.fixture(scope="module")
def scaling() -> SimpleNamespace:
    """What is in the script that the page names."""
    script = ROOT / "examples" / "naming_scaling.py"
    return SimpleNamespace(**runpy.run_path(str(script), run_name="naming_scaling"))


@pytest.fixture(scope="module")
def times() -> dict[int, list[int]]:
    """Each size's games, in the order of their seeds."""
    found: dict[int, list[int]] = defaultdict(list)
    with (ROOT / "docs" / "figures" / "naming_scaling.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found[int(row["bots"])].append(int(row["encounters"]))
            assert int(row["seed"]) == len(found[int(row["bots"])])
    return found


def test_the_table_is_what_the_record_holds(times: dict[int, list[int]]) -> None:
    rows = re.findall(r"^\| (\d+) \| (\d+) \| ([\d,]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    assert rows == [
        (str(n), str(len(some)), f"{fmean(some):,.0f}", f"{fmean(some) / n**1.5:.2f}")
        for n, some in times.items()
    ]


def test_the_exponents_are_what_the_record_gives(
    scaling: SimpleNamespace, times: dict[int, list[int]]
) -> None:
    assert min(len(times[n]) for n in scaling.SIZES) >= 30
    for sizes, said in (
        (scaling.SIZES, "an exponent of {:.3f}, with a 95 % interval of {:.3f} to {:.3f}"),
        ((1600, 3200), "the exponent is {:.3f} ({:.3f} to {:.3f})"),
    ):
        within = {n: times[n] for n in sizes}
        exponent, _ = scaling.slope(within)
        assert said.format(exponent, *scaling.interval(within, chance=scaling.Chance(1))) in FLOWING
    figure = (ROOT / "docs" / "figures" / "naming_scaling.svg").read_text("utf-8")
    assert scaling.told({n: times[n] for n in scaling.SIZES}) in figure


@pytest.mark.parametrize("count", [25, 50])
def test_the_games_of_the_record_can_be_played_again(
    scaling: SimpleNamespace, times: dict[int, list[int]], count: int
) -> None:
    for seed in (1, 2, 3):
        assert len(scaling.play(count, seed)) == times[count][seed - 1]
        assert scaling.loop(count, seed) == times[count][seed - 1]


def test_every_file_the_page_points_to_is_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", PAGE)
    assert len(links) == 3
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
