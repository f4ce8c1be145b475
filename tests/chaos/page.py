"""Write docs/reliability.md from the figures: `python -m tests.chaos.page`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.chaos.blocks import quantile
from tests.chaos.rows import ROWS

ROOT = Path(__file__).parents[2]
FIGURES, PAGE = ROOT / "docs/figures/reliability.json", ROOT / "docs/reliability.md"

BEFORE = Path(__file__).with_name("promised.md").read_text("utf-8")

NOTHING = "\nNothing yet: `make chaos` writes the figures here.\n"


def main() -> None:
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {"rows": {}}
    PAGE.write_text(page(figures))


def page(figures: Mapping[str, Any]) -> str:
    """Write the page, of these figures and nothing else."""
    rows = {name: figures["rows"][name] for name in ROWS if name in figures["rows"]}
    if not rows:
        return BEFORE + NOTHING
    machine = ", ".join(f"{name} {value}" for name, value in figures["machine"].items())
    return "\n".join([BEFORE, *_table(rows), "", f"Machine: {machine}.", "", *_met(rows)]) + "\n"


def _table(rows: Mapping[str, Any]) -> Iterator[str]:
    yield "| row | date | runs | seconds | promises broken |"
    yield "|---|---|---|---|---|"
    for name, row in rows.items():
        broken = "; ".join(row["broken"][:5]) or "none"
        yield f"| {name} | {row['date']} | {row['runs']:,} | {row['seconds']:,.0f} | {broken} |"


def _met(rows: Mapping[str, Any]) -> Iterator[str]:
    """Tell what was met, and how often."""
    for name, row in rows.items():
        counts = " · ".join(f"{what} {times:,}" for what, times in sorted(row["counts"].items()))
        yield f"* **{name}**: {counts}"
        for what, measured in row["most"].items():
            yield f"  {what}: {_quantiles(measured)}"


def _quantiles(measured: list[int]) -> str:
    shares = {"median": 0.5, "p99": 0.99, "most": 1.0}
    at = {name: quantile(measured, share) for name, share in shares.items()}
    return ", ".join(f"{name} {value:,}" for name, value in at.items()) + f", of {len(measured):,}"


if __name__ == "__main__":
    main()
