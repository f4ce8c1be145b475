"""Metrics as a report shows them: computed from a dataset's tables, told in tables.

Which metrics there are, the group of entry points `parley.metrics` says: a stranger's is
in the report as the built-in ones are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics import load
from analytics.measuring import computed
from analytics.metrics.frames import Frames
from analytics.metrics.seam import Metric, Reading
from analytics.report import wording
from analytics.report.markup import Child, Html, joined, table, tag
from analytics.report.pictures import Progress
from analytics.report.plots import Cast
from analytics.report.source import Source
from utils.errors import ParleyError

SEED = 0
"""For metrics that draw: the same report, the same values."""
MOST_BOTS = 12
"""Bots that have a column each; of more, quantiles are told."""

Measured = Sequence[tuple[Metric, Sequence[Reading]]]
"""Metrics, each with what it says of one run, or of several."""


def measured(source: Source, chosen: Sequence[Metric], progress: Progress) -> Measured:
    """Compute metrics of one run; those that look at several runs are passed over."""
    frames = Frames(_Tables([source]))
    found: list[tuple[Metric, Sequence[Reading]]] = []
    for metric in chosen:
        if not metric.of_many:
            progress(f"{source.dataset.folder.name}: {metric.name}")
            found.append((metric, _readings(metric, frames, [source])))
    return found


def measured_together(
    sources: Sequence[Source], chosen: Sequence[Metric], progress: Progress
) -> Measured:
    """Compute those metrics that look at several runs at once."""
    frames = Frames(_Tables(sources))
    found: list[tuple[Metric, Sequence[Reading]]] = []
    for metric in chosen:
        if metric.of_many:
            progress(metric.name)
            found.append((metric, _readings(metric, frames, sources)))
    return found


def of_run(found: Measured) -> Iterator[tuple[Metric, Reading]]:
    """Take what is one value a run."""
    for metric, values in found:
        yield from ((metric, one) for one in values if one.scope == "run")


def told(found: Measured) -> Html:
    """Write every metric: its value, unit and range, what it is, and why it is empty."""
    known = [one for one in found if has_values(one[1])]
    empty = [one for one in found if not has_values(one[1])]
    parts: list[Child] = []
    for title, some in (("", known), ("Empty here, and why", empty)):
        if some:
            rows = [
                (
                    metric.name,
                    tag("div", _value(values), class_="value"),
                    unit_and_range(metric),
                    definition(metric),
                )
                for metric, values in some
            ]
            head = ("metric", "value", "unit, range", "what it is, and its source")
            parts.append(tag("h3", title) if title else None)
            parts.append(table(head, rows, caption=title or "Metrics"))
    return joined(parts)


def has_values(values: Sequence[Reading]) -> bool:
    """Ask whether a metric has any value here."""
    return any(one.value is not None for one in values)


def unit_and_range(metric: Metric) -> Html:
    """Write a metric's unit and range, one below the other."""
    unit = None if metric.unit == "none" else tag("div", metric.unit)
    return joined((unit, tag("div", metric.range)))


def definition(metric: Metric) -> Html:
    """Write what a metric is, and where it comes from."""
    return tag(
        "div",
        tag("div", with_names(metric.meaning)),
        tag("div", with_names(metric.source), class_="soft"),
        class_="long",
    )


def with_names(text: str) -> Html:
    """Write a sentence in which names stand between backticks.

    Example:
        >>> with_names("Mean of `mtld`.").markup
        'Mean of <code>mtld</code>.'
    """
    parts = text.split("`")
    return joined(tag("code", part) if place % 2 else part for place, part in enumerate(parts))


def told_by_bot(found: Measured, cast: Cast) -> Html | None:
    """Write what metrics say of each bot, a column a bot; nothing where bots are many."""
    if len(cast.names) > MOST_BOTS:
        return None
    rows: list[tuple[Child, ...]] = []
    for metric, values in found:
        by_bot = {one.bot: one for one in values if one.scope == "bot"}
        if any(one.value is not None for one in by_bot.values()):
            cells = (_short(by_bot[bot]) if bot in by_bot else "" for bot in cast.names)
            rows.append((metric.name, *cells))
    if not rows:
        return None
    head = ("metric", *(cast.shown(bot) for bot in cast.names))
    numeric = range(1, len(head))
    return joined((tag("h3", "By bot"), table(head, rows, numeric=numeric, caption="By bot")))


def _value(values: Sequence[Reading]) -> Child:
    """Say a metric's value in a few words: of the run, else of how many there are."""
    parts: list[Child] = []
    for scope in dict.fromkeys(one.scope for one in values):
        own = [one for one in values if one.scope == scope]
        known = [one.value for one in own if one.value is not None]
        if not known:
            parts.append(tag("div", f"{wording.EMPTY} {own[0].why}", class_="soft"))
        elif len(own) == 1:
            parts.append(tag("div", wording.decimal(known[0])))
        else:
            middle = wording.decimal(float(np.median(known)))
            between = f"{wording.decimal(min(known))} to {wording.decimal(max(known))}"
            of = f"of {wording.count(len(known), scope)}"
            parts.append(tag("div", middle, tag("span", f" median {of}", class_="soft")))
            parts.append(tag("div", between, class_="soft"))
    return joined(parts)


def _short(reading: Reading) -> Child:
    if reading.value is None:
        return tag("span", wording.EMPTY, class_="soft", title=reading.why)
    return wording.decimal(reading.value)


def _readings(metric: Metric, frames: Frames, sources: Sequence[Source]) -> list[Reading]:
    """Compute one metric; one that fails says so in its own row."""
    try:
        return list(computed(metric, frames, SEED, [one.dataset for one in sources]))
    except ParleyError as error:  # a stranger's metric must not cost the rest of the page
        return [Reading(metric.scopes[0], None, str(error))]


@dataclass
class _Tables(Mapping[str, pd.DataFrame]):
    """Tables of one dataset or of several, read when a metric first asks for them."""

    sources: Sequence[Source]

    def __post_init__(self) -> None:
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, table: str) -> pd.DataFrame:
        if table not in self._read:
            parts = [self._one(source, table) for source in self.sources]
            whole = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
            self._read[table] = whole
        return self._read[table]

    def __iter__(self) -> Iterator[str]:
        return iter(self.sources[0].manifest.rows)

    def __len__(self) -> int:
        return len(self.sources[0].manifest.rows)

    def _one(self, source: Source, table: str) -> pd.DataFrame:
        known = source.frames.get(table)
        return load(source.dataset.folder, tables=[table])[table] if known is None else known
