"""The figures about one dataset: what each shows, how it is drawn, the data behind it.

Each function gives a `Plot`, or none where the dataset has nothing to draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analytics.report import wording
from analytics.report.drawing import INK, MARKERS, PAPER, SERIES, SOFT, label
from analytics.report.source import Source

MOST_ROWS = 24
"""Bots that a figure has room for; the data behind it has all."""
MOST_DOTS = 400
"""Messages that are drawn one by one; of more, quantiles are drawn."""
BINS = 60
ROW_PX, FOOT_PX = 26, 62
CELL_SHAPE = 0.6
"""Of a grid's cells: height over width."""


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


def participation(source: Source, cast: Cast) -> Plot | None:
    """Draw who had which share of the messages, and of the words."""
    said = spoken(source)
    if said.empty:
        return None
    names = list(cast.names)
    data = pd.DataFrame({"bot": names})
    data["messages"] = said.groupby("speaker").size().reindex(names, fill_value=0).to_numpy()
    data["share_of_messages"] = data["messages"] / data["messages"].sum()
    has_words = source.dataset.has_texts and said["words"].sum() > 0
    if has_words:
        data["words"] = (
            said.groupby("speaker")["words"].sum().reindex(names, fill_value=0).to_numpy()
        )
        data["share_of_words"] = data["words"] / data["words"].sum()
    top = data.sort_values(["messages", "bot"], ascending=[False, True]).head(MOST_ROWS)

    def draw(figure: Figure, is_narrow: bool) -> None:
        axes = figure.add_subplot()
        places = range(len(top))
        axes.barh(places, top["share_of_messages"], height=0.55, color=SERIES[0], label="messages")
        if has_words:
            axes.plot(
                top["share_of_words"],
                places,
                "D",
                color=SERIES[1],
                markeredgecolor=PAPER,
                markersize=7,
                linestyle="none",
                label="words",
            )
        axes.axvline(1 / len(data), color=SOFT, linewidth=1, linestyle=(0, (4, 3)), label="equal")
        name_rows(axes, [cast.shown(bot, most=12 if is_narrow else 18) for bot in top["bot"]])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f}%"))
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.set_xlim(left=0)
        legend_above(figure, axes, order=["messages", "words", "equal"])

    more = f" The {len(top)} who said most of {len(data)}." if len(top) < len(data) else ""
    return Plot(
        "participation",
        "Who spoke",
        "Share of all that bots said: bars count messages"
        + (", diamonds count words" if has_words else "")
        + f"; the dashed line is an equal share.{more}",
        data,
        draw,
        height_px=_rows_px(len(top)),
    )


def adjacency(source: Source, cast: Cast) -> Plot | None:
    """Draw who spoke after whom in the same channel."""
    said = spoken(source)[["channel", "speaker"]]
    before = said.groupby("channel")["speaker"].shift(1)
    pairs = pd.DataFrame({"before": before, "after": said["speaker"]}).dropna()
    if pairs.empty or len(cast.names) < 2:
        return None
    data = (
        pairs.groupby(["before", "after"], as_index=False).size().rename(columns={"size": "times"})
    )
    busy = said["speaker"].value_counts()
    order = sorted(cast.names, key=lambda bot: -int(busy.get(bot, 0)))[:MOST_ROWS]
    order = [bot for bot in cast.names if bot in order]
    counts = data.pivot(index="before", columns="after", values="times")
    grid = counts.reindex(index=order, columns=order).fillna(0)

    def draw(figure: Figure, is_narrow: bool) -> None:
        axes = figure.add_subplot()
        most = float(grid.to_numpy().max()) or 1.0
        for row, values in enumerate(grid.to_numpy()):
            for column, times in enumerate(values):
                if times:
                    _cell(axes, column, row, times, strength=times / most, is_small=len(order) > 12)
        names = [cast.shown(bot, most=9 if is_narrow else 14) for bot in order]
        is_long = max(map(len, names)) * len(names) > (34 if is_narrow else 60)
        axes.set_xticks(range(len(order)), names, rotation=90 if is_long else 0)
        name_rows(axes, names)
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.set_xlabel("then spoke")
        axes.set_ylabel("first spoke")
        axes.set_xlim(-0.5, len(order) - 0.5)
        axes.set_aspect(CELL_SHAPE, anchor="W")
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)

    more = f" The {len(order)} who said most." if len(order) < len(cast.names) else ""
    return Plot(
        "adjacency",
        "Who spoke after whom",
        "How often the bot above spoke next in the same channel after the bot at the left; words "
        f"from outside are passed over. Where a policy gives the turns, this is the policy.{more}",
        data,
        draw,
        height_px=(_grid_px(len(order), 620), _grid_px(len(order), 250)),
    )


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

    def draw(figure: Figure, is_narrow: bool) -> None:
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

    more = f" The {len(top)} slowest of {len(data)}." if len(top) < len(data) else ""
    return Plot(
        "latency",
        "How long answers took",
        "From a grant to its closing, over grants that were answered or passed: median (circle), "
        f"middle half (thick), 5th to 95th percentile (thin), slowest (tick).{more}",
        data,
        draw,
        height_px=_rows_px(len(top)),
    )


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


def _rows_px(rows: int) -> tuple[int, int]:
    return FOOT_PX + ROW_PX * rows, FOOT_PX + ROW_PX * rows


def _grid_px(columns: int, width_px: int) -> int:
    return 75 + round(CELL_SHAPE * min(80, width_px / columns) * columns)


def _cell(
    axes: Axes, column: int, row: int, times: float, *, strength: float, is_small: bool
) -> None:
    axes.fill(
        [column - 0.47, column + 0.47, column + 0.47, column - 0.47],
        [row - 0.47, row - 0.47, row + 0.47, row + 0.47],
        color=SERIES[0],
        alpha=0.12 + 0.5 * strength,
        linewidth=0,
    )
    if not is_small:
        axes.text(column, row, f"{times:.0f}", ha="center", va="center", color=INK)


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
