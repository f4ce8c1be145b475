"""Figures made whole: for the page, in two widths, and as files with their data."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import pandas as pd

from analytics.cells import cell
from analytics.report.drawing import drawn, for_file, for_page
from analytics.report.markup import Html, joined, tag
from analytics.report.plots import Plot

WIDE_PX, NARROW_PX = 720, 340
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Picture:
    """One figure, drawn.

    Attributes:
        figure: For the page.
        svg, csv: Texts of its two files.
    """

    name: str
    figure: Html
    svg: str
    csv: str


def pictures(plots: Iterable[Plot | None], progress: Progress) -> list[Picture]:
    """Draw what there is to draw."""
    made = []
    for number, plot in enumerate((one for one in plots if one is not None), 1):
        progress(f"figure {number}: {plot.title.lower()}")
        made.append(_picture(plot, number))
    return made


def figures(made: Iterable[Picture]) -> Html:
    """Put figures one below another."""
    return joined(one.figure for one in made)


def as_csv(data: pd.DataFrame) -> str:
    """Write a figure's data as a table that no spreadsheet runs."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(data.columns)
    for row in data.itertuples(index=False, name=None):
        writer.writerow([_plain(value) for value in row])
    return out.getvalue()


def _picture(plot: Plot, number: int) -> Picture:
    about = f"{plot.title}. {plot.caption}"
    high, narrow_high = plot.height_px
    wide = drawn(partial(plot.draw, is_narrow=False), width_px=WIDE_PX, height_px=high)
    narrow = drawn(partial(plot.draw, is_narrow=True), width_px=NARROW_PX, height_px=narrow_high)
    caption = tag("figcaption", tag("b", f"Figure {number}. {plot.title}."), " ", plot.caption)
    figure = tag(
        "figure",
        for_page(wide, name=f"{plot.name}-w", about=about, class_="at-wide"),
        for_page(narrow, name=f"{plot.name}-n", about=about, class_="at-narrow"),
        caption,
        id=f"figure-{plot.name}",
    )
    return Picture(plot.name, figure, for_file(wide, about=about), as_csv(plot.data))


def _plain(value: object) -> str | int | float:
    if isinstance(value, str):
        return cell(value)
    if value is None or pd.isna(value):  # type: ignore[call-overload]  # a scalar of a frame
        return ""
    number = float(value)  # type: ignore[arg-type]  # a number, if it is no text
    return int(number) if number.is_integer() else number
