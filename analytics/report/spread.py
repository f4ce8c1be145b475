"""Figures and tables about many runs: a dot a run, an interval an arm.

The run is the unit: intervals come from drawing runs again, never messages.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analytics.metrics.intervals import RESAMPLES, interval
from analytics.metrics.seam import Metric, Reading
from analytics.report import wording
from analytics.report.drawing import INK, SERIES, SOFT, label
from analytics.report.markup import Child, Html, joined, table, tag
from analytics.report.measured import SEED, Measured, definition, of_run, unit_and_range
from analytics.report.plots import Plot, name_rows
from analytics.report.source import Source

LEAST_RUNS = 3
"""Runs that an interval needs; of fewer nothing can be said."""
LEVEL = 0.95
MOST_PANELS = 16
ARM_PX, HEAD_PX = 24, 46

By = Mapping[str, Sequence[tuple[Source, Measured]]]
"""Arm to its runs, each with what was measured of it."""


def values(by: By) -> pd.DataFrame:
    """List what is one value a run: arm, run, metric, value."""
    rows = [
        {"arm": arm, "dataset": source.dataset.folder.name, "run": source.run,
         "metric": metric.name, "unit": metric.unit, "value": reading.value}
        for arm, runs in by.items()
        for source, found in runs
        for metric, reading in of_run(found)
        if reading.value is not None
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["arm", "dataset", "run", "metric", "unit", "value"])


@cache
def bounds(numbers: tuple[float, ...]) -> tuple[float, float] | None:
    """Find a 95% interval of the mean over runs; none for too few, or where all are the same.

    Example:
        >>> bounds((1.0, 2.0)) is None, bounds((2.0, 2.0, 2.0)) is None
        (True, True)
    """
    found = interval(numbers, unit="run", seed=SEED, level=LEVEL)
    return None if found.low is None or found.high is None else (found.low, found.high)


def dots(data: pd.DataFrame, arms: Sequence[str]) -> Plot | None:
    """Draw a dot a run, and the mean of each arm with its interval, a panel a metric."""
    spreads = data.groupby("metric", sort=False)["value"].agg(["nunique", "size"])
    names = [str(one) for one in spreads[spreads["nunique"] > 1].index][:MOST_PANELS]
    if not names:
        return None

    def draw(figure: Figure, is_narrow: bool) -> None:
        columns = 1 if is_narrow else 2
        panels = figure.subplots(math.ceil(len(names) / columns), columns, squeeze=False).ravel()
        for place, axes in enumerate(panels):
            if place < len(names):
                is_labelled = place % columns == 0
                _panel(axes, data[data["metric"] == names[place]], arms, is_labelled=is_labelled)
            else:
                axes.set_axis_off()

    panel_px = HEAD_PX + ARM_PX * len(arms)
    return Plot(
        "runs",
        "Every run, arm by arm",
        "A dot is a run. The diamond is the mean of the arm's runs; the line is its 95% interval, "
        f"by drawing runs again ({RESAMPLES:,} times), where an arm has {LEAST_RUNS} runs or more.",
        data,
        draw,
        height_px=(panel_px * math.ceil(len(names) / 2), panel_px * len(names)),
    )


def told(by: By) -> Html:
    """Write every metric of a run: mean and interval of each arm, unit, range, what it is."""
    known: dict[str, Metric] = {}
    found: dict[str, dict[str, list[Reading]]] = {}
    for arm, runs in by.items():
        for _, measured in runs:
            for metric, reading in of_run(measured):
                known[metric.name] = metric
                found.setdefault(metric.name, {}).setdefault(arm, []).append(reading)
    rows = [
        (
            name,
            *(_mean(found[name].get(arm, ())) for arm in by),
            unit_and_range(metric),
            definition(metric),
        )
        for name, metric in known.items()
    ]
    head = ("metric", *by, "unit, range", "what it is, and its source")
    note = (
        f"Means over runs, and below each its 95% interval by drawing runs again ({RESAMPLES:,} "
        f"times, BCa). The run is the unit, never the message; under {LEAST_RUNS} runs, or where "
        "all runs are the same, there is no interval."
    )
    return joined((table(head, rows, caption="Metrics by arm"), tag("p", note, class_="note")))


def _mean(readings: Sequence[Reading]) -> Child:
    numbers = [one.value for one in readings if one.value is not None]
    if not numbers:
        why = readings[0].why if readings else ""
        return tag("div", f"{wording.EMPTY} {why}", class_="soft")
    runs = wording.count(len(numbers), "run")
    if len(numbers) < len(readings):
        runs = f"{len(numbers)} of {wording.count(len(readings), 'run')}"
    found = bounds(tuple(numbers))
    between = "" if found is None else " to ".join(wording.decimal(one) for one in found)
    below = ", ".join(part for part in (between, runs) if part)
    return joined(
        (tag("div", wording.decimal(float(np.mean(numbers)))), tag("div", below, class_="soft"))
    )


def _panel(axes: Axes, rows: pd.DataFrame, arms: Sequence[str], *, is_labelled: bool) -> None:
    for place, arm in enumerate(arms):
        numbers = rows[rows["arm"] == arm]["value"].tolist()
        if not numbers:
            continue
        beside = [place + 0.22 + 0.1 * (one % 3 - 1) for one in range(len(numbers))]
        axes.plot(numbers, beside, "o", color=SOFT, markersize=4, alpha=0.6, ls="none")
        found = bounds(tuple(numbers))
        if found is not None:
            axes.hlines(place - 0.15, *found, color=SERIES[0], linewidth=2)
        axes.plot([float(np.mean(numbers))], [place - 0.15], "D", color=SERIES[0], markersize=6)
    name_rows(axes, [label(arm, most=16) for arm in arms] if is_labelled else [""] * len(arms))
    axes.set_title(label(str(rows["metric"].iloc[0]), most=36), loc="left", fontsize=12, color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.margins(x=0.08)
