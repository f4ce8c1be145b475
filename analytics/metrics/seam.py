"""What a metric is: the door by which built-in ones and a stranger's come in alike. Pure.

A metric is one `Metric`, named by an entry point of the group `parley.metrics`; its
`compute` takes tables and gives readings. A metric asked of a run that cannot give it
gives a reading without a value that says why: never zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal, NamedTuple

from analytics.metrics.frames import Frames

Scope = Literal["run", "channel", "bot", "pair", "turn", "round", "study", "time"]
"""Of what a reading is: of a run, a channel of it, a bot, an ordered pair of bots, one
turn, one round; of all runs together, or of those at one time of their course."""

OF_MANY: tuple[Scope, ...] = ("study", "time")
"""Scopes of metrics that look at several runs at once."""

LITTLE = 1e-9
"""How far a value may be beyond its range: the arithmetic of floating point."""


class Result(NamedTuple):
    """A value, or none with the reason why there is none."""

    value: float | None
    why: str = ""


class Reading(NamedTuple):
    """One value, and of what it is.

    Attributes:
        value: None where the run cannot give it; `why` then says why.
        bot, other: Whose; of a pair, who of whom: `bot` follows, names, takes from `other`.
        at: Which turn or round; or at which time of the runs' course.
    """

    scope: Scope
    value: float | None
    why: str = ""
    channel: str | None = None
    bot: str | None = None
    other: str | None = None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: Its entry point's name, and its name in measures.csv.
        family: What it is listed under.
        scopes: Of what its readings are.
        unit: Of its values; "none" for a share, an index.
        low, high: Its values' range; none where there is no bound.
        meaning: One sentence or two: how it is computed, when it is empty.
        source: The publication, and the tables.
        tables: The tables it reads, each with the columns.
        compute: From tables and a seed to readings. Pure: chance only by the seed.
    """

    name: str
    family: str
    scopes: tuple[Scope, ...]
    unit: str
    low: float | None
    high: float | None
    meaning: str
    source: str
    tables: Mapping[str, tuple[str, ...]]
    compute: Callable[[Frames, int], Iterable[Reading]] = field(compare=False)

    @property
    def of_many(self) -> bool:
        """Whether it looks at several runs at once."""
        return any(scope in OF_MANY for scope in self.scopes)

    @property
    def range(self) -> str:
        """Its range, in words.

        Example:
            >>> Metric("m", "f", ("run",), "bits", 0, None, "", "", {}, lambda f, s: []).range
            'at least 0'
        """
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"at least {self.low:g}"
        return "any number" if self.high is None else f"at most {self.high:g}"


def readings(metric: Metric, frames: Frames, *, seed: int = 0) -> Iterator[Reading]:
    """Compute a metric, and hold it to what it says of itself.

    Returns:
        At least one reading; a value that is no number comes out as none.

    Raises:
        ValueError: A reading is of another scope than the metric says, or out of range:
            the metric is wrong, not the run.
    """
    is_empty = True
    for reading in metric.compute(frames, seed):
        is_empty = False
        if reading.scope not in metric.scopes:
            raise ValueError(f"{metric.name}: a reading of scope '{reading.scope}'")
        value = reading.value
        if value is None or not isfinite(value):
            yield reading._replace(value=None, why=reading.why or "not a number")
            continue
        low, high = metric.low, metric.high
        if (low is not None and value < low - LITTLE) or (
            high is not None and value > high + LITTLE
        ):
            raise ValueError(f"{metric.name}: {value} is not {metric.range}")
        yield reading._replace(value=float(value))
    if is_empty:
        yield Reading(metric.scopes[0], None, "nothing to measure")
