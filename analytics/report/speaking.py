"""Figures of who speaks: how much, and after whom.

Each function gives a `Plot`, or none where the dataset has nothing to draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analytics.report.drawing import INK, PAPER, SERIES, SOFT
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

CELL_SHAPE = 0.6
"""Of a grid's cells: height over width."""


def participation(source: Source, cast: Cast) -> Plot | None:
    """Draw who had which share of the messages, and of the words."""
    said = spoken(source)
    if said.empty:
        return None
    data = _shares(said, cast, has_words=source.dataset.has_texts and said["words"].sum() > 0)
    top = data.sort_values(["messages", "bot"], ascending=[False, True]).head(MOST_ROWS)
    diamonds = ", diamonds count words" if "words" in data else ""
    more = f" The {len(top)} who said most of {len(data)}." if len(top) < len(data) else ""
    return Plot(
        "participation",
        "Who spoke",
        f"Share of all that bots said: bars count messages{diamonds}; the dashed line is an equal "
        f"share.{more}",
        data,
        partial(_draw_shares, top=top, equal=1 / len(data), cast=cast),
        height_px=rows_px(len(top)),
    )


def _shares(said: pd.DataFrame, cast: Cast, *, has_words: bool) -> pd.DataFrame:
    names = list(cast.names)
    by_bot = said.groupby("speaker")
    data = pd.DataFrame({"bot": names})
    data["messages"] = by_bot.size().reindex(names, fill_value=0).to_numpy()
    data["share_of_messages"] = data["messages"] / data["messages"].sum()
    if has_words:
        data["words"] = by_bot["words"].sum().reindex(names, fill_value=0).to_numpy()
        data["share_of_words"] = data["words"] / data["words"].sum()
    return data


def _draw_shares(
    figure: Figure, is_narrow: bool, *, top: pd.DataFrame, equal: float, cast: Cast
) -> None:
    axes = figure.add_subplot()
    places = range(len(top))
    axes.barh(places, top["share_of_messages"], height=0.55, color=SERIES[0], label="messages")
    if "words" in top:
        shares = top["share_of_words"]
        axes.plot(shares, places, "D", color=SERIES[1], mec=PAPER, ms=7, ls="none", label="words")
    axes.axvline(equal, color=SOFT, linewidth=1, linestyle=(0, (4, 3)), label="equal")
    name_rows(axes, [cast.shown(bot, most=12 if is_narrow else 18) for bot in top["bot"]])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f}%"))
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.set_xlim(left=0)
    legend_above(figure, axes, order=["messages", "words", "equal"])


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

    more = f" The {len(order)} who said most." if len(order) < len(cast.names) else ""
    return Plot(
        "adjacency",
        "Who spoke after whom",
        "How often the bot above spoke next in the same channel after the bot at the left; words "
        f"from outside are passed over. Where a policy gives the turns, this is the policy.{more}",
        data,
        partial(_draw_grid, grid=grid, cast=cast),
        height_px=(_grid_px(cast, order, is_narrow=False), _grid_px(cast, order, is_narrow=True)),
    )


def _draw_grid(figure: Figure, is_narrow: bool, *, grid: pd.DataFrame, cast: Cast) -> None:
    order = [str(bot) for bot in grid.index]
    axes = figure.add_subplot()
    most = float(grid.to_numpy().max()) or 1.0
    for row, values in enumerate(grid.to_numpy()):
        for column, times in enumerate(values):
            if times:
                _cell(axes, column, row, times, strength=times / most, is_small=len(order) > 12)
    names = _grid_names(cast, order, is_narrow)
    turned = 90 if _is_turned(names, is_narrow) else 0
    axes.set_xticks(range(len(order)), names, rotation=turned)
    name_rows(axes, names)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("then spoke", labelpad=7)
    axes.set_ylabel("first spoke")
    axes.set_xlim(-0.5, len(order) - 0.5)
    axes.set_aspect(CELL_SHAPE, anchor="W")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _grid_names(cast: Cast, order: Sequence[str], is_narrow: bool) -> list[str]:
    return [cast.shown(bot, most=9 if is_narrow else 14) for bot in order]


def _is_turned(names: Sequence[str], is_narrow: bool) -> bool:
    """Ask whether names above a grid have no room side by side."""
    return max(map(len, names)) * len(names) > (34 if is_narrow else 60)


def _grid_px(cast: Cast, order: Sequence[str], *, is_narrow: bool) -> int:
    """Find how high a grid must be for its cells to have their shape."""
    names = _grid_names(cast, order, is_narrow)
    above_px = 8 * max(map(len, names)) if _is_turned(names, is_narrow) else 16
    cell_px = min(80, (250 if is_narrow else 620) / len(order))
    return 54 + above_px + round(CELL_SHAPE * cell_px * len(order))


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
