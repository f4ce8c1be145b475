"""Figures of how long answers took, and how much was said.

Each function gives a `Plot`, or none where the dataset has nothing to draw.
"""

from __future__ import annotations

from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analytics.report import wording
from analytics.report.drawing import INK, MARKERS, PAPER, SERIES, SOFT
from analytics.report.plots import (
    MOST_ROWS,
    Cast,
    Plot,
    legend_above,
    name_rows,
    rows_px,
    spoken,
)
from analytics.report.source import Source

MOST_DOTS = 400
"""Messages that are drawn one by one; of more, quantiles are drawn."""
BINS = 60


def latency(source: Source, cast: Cast) -> Plot | None:
    """Draw how long each bot's answers took."""
    turns = source.frames["turns"]
    closed = turns[turns["outcome"].isin(["acted", "passed"])].dropna(subset=["latency_ms"])
    if closed.empty:
        return None
    took = closed["latency_ms"].astype(float).groupby(closed["bot"])
    levels = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
    data = pd.DataFrame(
        {"answers": took.size()} | {f"{key}_ms": took.quantile(at) for key, at in levels.items()}
    ).reset_index()
    data["max_ms"] = took.max().to_numpy()
    data = data.sort_values("bot", key=lambda bots: bots.map(cast.place), ignore_index=True)
    slow = data.sort_values("p50_ms", ascending=False).head(MOST_ROWS).index
    top = data.loc[[place for place in data.index if place in slow]]

    more = f" The {len(top)} slowest of {len(data)}." if len(top) < len(data) else ""
    return Plot(
        "latency",
        "How long answers took",
        "From a grant to its closing, over grants that were answered or passed: median (circle), "
        f"middle half (thick), 5th to 95th percentile (thin), slowest (tick).{more}",
        data,
        partial(_draw_latency, top=top, cast=cast),
        height_px=rows_px(len(top)),
    )


def _draw_latency(figure: Figure, is_narrow: bool, *, top: pd.DataFrame, cast: Cast) -> None:
    axes = figure.add_subplot()
    places = list(range(len(top)))
    axes.hlines(places, top["p5_ms"], top["p95_ms"], color=SERIES[0], linewidth=1.6)
    axes.hlines(places, top["p25_ms"], top["p75_ms"], color=SERIES[0], linewidth=7)
    axes.plot(
        top["p50_ms"],
        places,
        "o",
        color=PAPER,
        markeredgecolor=SERIES[0],
        linestyle="none",
        markersize=7,
        markeredgewidth=1.8,
    )
    axes.plot(top["max_ms"], places, "|", color=SOFT, markersize=9, linestyle="none")
    name_rows(axes, [cast.shown(bot, most=12 if is_narrow else 18) for bot in top["bot"]])
    least = max(float(top["p5_ms"].min()), 1.0)
    if float(top["max_ms"].max()) > 50 * least:
        axes.set_xscale("log")
    else:
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(4 if is_narrow else 6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: wording.duration(value)))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))


def lengths(source: Source, cast: Cast) -> Plot | None:
    """Draw how long messages were, over the run."""
    said = spoken(source)
    if len(said) < 3 or not source.dataset.has_texts:
        return None
    data = said[["message_id", "channel", "turn", "speaker", "words"]].reset_index(drop=True)
    data.insert(0, "message", range(1, len(data) + 1))
    if data["words"].nunique() < 2:
        return None

    def draw(figure: Figure, is_narrow: bool) -> None:
        axes = figure.add_subplot()
        if len(data) <= MOST_DOTS:
            _dots(axes, data, cast)
        else:
            _bands(axes, data)
        axes.margins(y=0.08)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("message")
        axes.set_ylabel("words")
        axes.xaxis.set_major_locator(MaxNLocator(4 if is_narrow else 8, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.grid(visible=False, axis="x")
        if axes.get_legend_handles_labels()[0]:
            legend_above(figure, axes, most=3 if is_narrow else 8)

    how = (
        "The line is the median of nine messages around."
        if len(data) <= MOST_DOTS
        else f"Median and middle half of each of {BINS} equal parts of the run."
    )
    return Plot("lengths", "How much was said", f"Words a message, in order. {how}", data, draw)


def _dots(axes: Axes, data: pd.DataFrame, cast: Cast) -> None:
    for bot in sorted(data["speaker"].unique(), key=cast.place):
        own = data[data["speaker"] == bot]
        place = cast.series(str(bot))
        ink, marker = (SOFT, "o") if place is None else (SERIES[place], MARKERS[place])
        name = None if place is None else cast.shown(str(bot))
        axes.plot(
            own["message"], own["words"], marker, color=ink, alpha=0.85, label=name, ls="none"
        )
    middle = data["words"].rolling(9, center=True, min_periods=3).median()
    axes.plot(data["message"], middle, color=INK, linewidth=1.4)


def _bands(axes: Axes, data: pd.DataFrame) -> None:
    parts = data["words"].groupby((data.index * BINS) // len(data))
    at = data["message"].groupby((data.index * BINS) // len(data)).mean()
    axes.fill_between(
        at, parts.quantile(0.25), parts.quantile(0.75), color=SERIES[0], alpha=0.25, linewidth=0
    )
    axes.plot(at, parts.median(), color=SERIES[0])
