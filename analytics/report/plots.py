"""What a figure is, and what several figures share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analytics.report.drawing import SERIES, label
from analytics.report.source import Source

MOST_ROWS = 24
"""Bots that a figure has room for; the data behind it has all."""
ROW_PX, FOOT_PX = 26, 62


class Draw(Protocol):
    """Draws on a figure, in which there may be little room."""

    def __call__(self, figure: Figure, is_narrow: bool) -> None: ...


@dataclass(frozen=True)
class Plot:
    """One figure.

    Attributes:
        name: Of its files, and its anchor in the page.
        title: What it shows.
        caption: How to read it.
        data: What it was drawn from, whole.
        draw: Draws it; in a narrow page otherwise than in a wide one.
        height_px: How high it is, in a wide page and in a narrow one.
    """

    name: str
    title: str
    caption: str
    data: pd.DataFrame
    draw: Draw
    height_px: tuple[int, int] = (260, 240)


@dataclass(frozen=True)
class Cast:
    """The bots of a run as figures show them: everywhere by the same name and colour."""

    names: Mapping[str, str]

    @classmethod
    def of(cls, source: Source) -> Cast:
        return cls(source.spec.displays())

    def shown(self, bot: str, *, most: int = 18) -> str:
        """Write a bot's name, short enough for an axis."""
        return label(self.names.get(bot, bot), most=most)

    def place(self, bot: str) -> int:
        """Find a bot's place in the scenario."""
        return list(self.names).index(bot) if bot in self.names else len(self.names)

    def series(self, bot: str) -> int | None:
        """Find a bot's colour; where there are more bots than colours, none has one."""
        return self.place(bot) if len(self.names) <= len(SERIES) else None


def spoken(source: Source) -> pd.DataFrame:
    """Take what bots said, in order, with its number of words."""
    messages = source.frames["messages"]
    said = messages[messages["speaker"].notna()].copy()
    said["words"] = [len(str(text).split()) for text in said["text"].fillna("")]
    return said


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Put a name beside each row, the first at the top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def legend_above(figure: Figure, axes: Axes, *, most: int = 8, order: Sequence[str] = ()) -> None:
    """Put the legend above the axes, at their left end."""
    known = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    labels = [one for one in order or known if one in known]
    handles = [known[one] for one in labels]
    figure.legend(
        handles, labels, loc="outside upper left", ncols=min(len(labels), most), borderaxespad=0
    )


def rows_px(rows: int) -> tuple[int, int]:
    """Find how high a figure of so many rows is."""
    return FOOT_PX + ROW_PX * rows, FOOT_PX + ROW_PX * rows
