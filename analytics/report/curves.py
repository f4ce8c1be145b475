"""Figures of what was measured while a run went on."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analytics.report.drawing import SERIES, SOFT, label
from analytics.report.measured import Measured
from analytics.report.plots import Cast, Plot
from analytics.report.source import Source

MOST_PANELS = 8
MOST_POINTS = 400
LEAST_POINTS = 3
SMOOTH, PARTS = 9, 40
PANEL_PX = 130


def measures(source: Source, cast: Cast) -> Plot | None:
    """Draw what was measured while the run went on, over turns, a panel a measure."""
    table = source.frames["measures"]
    data = table[["turns", "name", "scope", "channel", "bot", "value"]].dropna(subset=["value"])
    if data.empty:
        return None
    names = list(dict.fromkeys(data["name"]))[:MOST_PANELS]

    def draw(figure: Figure, is_narrow: bool) -> None:
        panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
        for axes, name in zip(panels, names, strict=True):
            _panel(axes, data[data["name"] == name], cast)
            axes.set_title(_title(name), loc="left", fontsize=12, fontweight="bold")
            axes.yaxis.set_major_locator(MaxNLocator(4))
        panels[-1].set_xlabel("turns closed")
        panels[-1].xaxis.set_major_locator(MaxNLocator(4 if is_narrow else 8, integer=True))

    more = f" The first {len(names)} measures." if data["name"].nunique() > len(names) else ""
    return Plot(
        "measures",
        "What was measured while it ran",
        "Each value as the journal has it, at the number of turns that had closed. A value of a "
        f"bot or a channel is a dot, coloured where the run has few bots.{more}",
        data,
        draw,
        height_px=(50 + PANEL_PX * len(names),) * 2,
    )


def metrics(found: Measured) -> Plot | None:
    """Draw the metrics that have a value a turn, or a round."""
    rows = [
        {"metric": metric.name, "scope": one.scope, "channel": one.channel, "at": one.at,
         "value_number": place, "value": one.value}
        for metric, values in found
        for place, one in enumerate(values, 1)
        if one.scope in ("turn", "round") and one.value is not None and one.at is not None
    ]  # fmt: skip
    data = pd.DataFrame(rows)
    if data.empty:
        return None
    counts = data.groupby("metric", sort=False).size()
    names = [str(name) for name in counts[counts >= LEAST_POINTS].index][:MOST_PANELS]
    if not names:
        return None

    def draw(figure: Figure, is_narrow: bool) -> None:
        panels = figure.subplots(len(names), 1, squeeze=False)[:, 0]
        for axes, name in zip(panels, names, strict=True):
            own = data[data["metric"] == name]
            _curve(axes, own)
            axes.set_title(_title(name), loc="left", fontsize=12, fontweight="bold")
            axes.yaxis.set_major_locator(MaxNLocator(4))
            axes.xaxis.set_major_locator(MaxNLocator(4 if is_narrow else 8, integer=True))

    return Plot(
        "metrics",
        "Metrics over the run",
        f"Dots are values, of more than {MOST_POINTS} every so many; the line is the median of "
        f"{SMOOTH} around, or of one part in {PARTS} where that is more. What each metric is, the "
        "section Metrics says.",
        data,
        draw,
        height_px=((PANEL_PX + 30) * len(names),) * 2,
    )


def _curve(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw values as dots, and their median around; of several channels in the run's order."""
    is_one_channel = rows["channel"].fillna("").nunique() == 1
    at = rows["at"] if is_one_channel else rows["value_number"]
    thin = slice(None, None, math.ceil(len(rows) / MOST_POINTS))
    axes.plot(
        at.iloc[thin],
        rows["value"].iloc[thin],
        "o",
        color=SERIES[0],
        markersize=3,
        alpha=0.45,
        ls="none",
    )
    if len(rows) >= SMOOTH:
        window = max(SMOOTH, len(rows) // PARTS)
        middle = rows["value"].rolling(window, center=True, min_periods=3).median()
        axes.plot(at.iloc[thin], middle.iloc[thin], color=SERIES[0])
    axes.grid(visible=False, axis="x")
    axes.set_xlabel(str(rows["scope"].iloc[0]) if is_one_channel else "value, in the run's order")


def _title(name: str) -> str:
    return label(name, most=40)


def _panel(axes: Axes, rows: pd.DataFrame, cast: Cast) -> None:
    axes.grid(visible=False, axis="x")
    whole = rows[rows["scope"] == "run"]
    if not whole.empty:
        thin = whole.iloc[:: math.ceil(len(whole) / MOST_POINTS)]
        axes.plot(thin["turns"], thin["value"], color=SERIES[0], drawstyle="steps-post")
    parts = rows[rows["scope"] != "run"]
    some = parts.iloc[:: math.ceil(max(len(parts), 1) / MOST_POINTS)]
    for bot in some["bot"].drop_duplicates():
        is_known = isinstance(bot, str)
        own = some[some["bot"] == bot] if is_known else some[some["bot"].isna()]
        place = cast.series(bot) if is_known else None
        ink = SOFT if place is None else SERIES[place]
        axes.plot(own["turns"], own["value"], "o", color=ink, markersize=4, alpha=0.7, ls="none")
