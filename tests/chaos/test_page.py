"""The page on reliability says what the figures say, and nothing else."""

from __future__ import annotations

import json

from tests.chaos.page import FIGURES, PAGE, page
from tests.chaos.rows import taken_over


def test_the_page_is_what_the_figures_make_of_it() -> None:
    assert PAGE.read_text() == page(json.loads(FIGURES.read_text()))


def test_a_broken_promise_is_on_the_page() -> None:
    row = {
        "date": "2026-01-31",
        "runs": 3,
        "seconds": 1.0,
        "broken": ["seed 2: a word is lost"],
        "counts": {"kill": 4},
        "most": {},
    }
    told = page({"machine": {"cores": 2}, "rows": {"simulation": row}})
    assert "| simulation | 2026-01-31 | 3 | 1 | seed 2: a word is lost |" in told


def test_a_grant_that_comes_late_breaks_the_promise() -> None:
    assert taken_over(3, lambda: [1_200, 2_000], 1_000).broken == []
    late = taken_over(3, lambda: [1_200, 2_001], 1_000)
    assert late.broken == ["seed 3: the next grant came after 2001 ms (p99)"]


def test_a_leader_that_never_comes_breaks_the_promise_and_ends_nothing() -> None:
    def waits() -> list[int]:
        raise AssertionError("nobody leads")

    assert taken_over(3, waits, 1_000).broken == ["seed 3: nobody leads"]
