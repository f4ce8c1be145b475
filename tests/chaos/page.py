"""Write docs/reliability.md from the figures: `python -m tests.chaos.page`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.chaos.blocks import quantile
from tests.chaos.figures import PARTS, ROOT, Figures, load
from tests.chaos.rows import ROWS

FIGURES, PAGE = ROOT / "docs/figures/reliability.json", ROOT / "docs/reliability.md"

BEFORE = Path(__file__).with_name("promised.md").read_text("utf-8")

NOTHING = "\nNothing yet: `make chaos` writes the figures here.\n"


def main() -> None:
    PAGE.write_text(page(load(FIGURES)))


def page(figures: Figures) -> str:
    """Write the page, of these figures and nothing else."""
    rows = {name: figures[name] for name in ROWS if name in figures}
    if not rows:
        return BEFORE + NOTHING
    return "\n".join([BEFORE, *_table(rows), "", *_met(rows)]) + "\n"


def _table(rows: Figures) -> Iterator[str]:
    """Say above the table what is of all the rows, and in each row what is not."""
    values = {part: {row[part] for row in rows.values()} for part in ("date", *PARTS)}
    common = [part for part, those in values.items() if len(those) == 1]
    own = [part for part in values if part not in common]
    if common:
        told = "; ".join(f"{part} {values[part].copy().pop()}" for part in common)
        yield f"Of every row: {told}."
        yield ""
    yield _line("row", *own, "runs", "seconds", "promises broken")
    yield "|" + "---|" * (len(own) + 4)
    for name, row in rows.items():
        broken = "; ".join(row["broken"][:5]) or "none"
        figures = f"{row['runs']:,}", f"{row['seconds']:,.0f}"
        yield _line(name, *(row[part] for part in own), *figures, broken)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _met(rows: Figures) -> Iterator[str]:
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
