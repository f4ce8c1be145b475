"""Whether changed runs differ from unchanged ones by more than these do from one another. Pure.

cross, within = distances of (changed, unchanged), and of (unchanged, unchanged)
effect = mean(cross) - mean(within)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from utils.seeds import Chance

LEAST_RUNS = 5
"""Runs of each arm below which no interval is given: a resample of fewer says too little."""
DRAWS = 2_000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Effect:
    """What the changed runs differ by, for one measure.

    Attributes:
        cross: Mean distance of a changed run from an unchanged one.
        within: Mean distance of two unchanged ones: the A/A spread. None with one of them.
        low, high: Of the effect's interval; none with too few runs.
    """

    cross: float
    within: float | None
    low: float | None = None
    high: float | None = None

    @property
    def size(self) -> float | None:
        """The effect beyond the A/A spread."""
        return None if self.within is None else self.cross - self.within

    @property
    def is_there(self) -> bool | None:
        """Whether there is an effect beyond the spread; none where it cannot be told."""
        return None if self.low is None else self.low > 0


def effect(
    cross: Callable[[int, int], float | None],
    within: Callable[[int, int], float],
    *,
    treated: int,
    controls: int,
    chance: Chance,
) -> Effect | None:
    """Estimate an effect, and its interval by resampling the runs of both arms.

    Args:
        cross: Distance of a treated run from a control, by their numbers from 0; none
            for a pair that is not to be compared.
        within: Distance of two controls.
        treated, controls: How many there are, at least one.
        chance: By which runs are resampled.

    Returns:
        The effect; none where no pair is to be compared.

    Source:
        Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13: the
        percentile interval. Pairs of a run with itself are left out of a resample.
    """
    ours, theirs = range(treated), range(controls)
    far = {(a, b): cross(a, b) for a in ours for b in theirs}
    near = {(a, b): within(a, b) for a in theirs for b in theirs if a != b}
    across = _mean(far[a, b] for a in ours for b in theirs)
    if across is None:
        return None
    spread = _mean(near[a, b] for a, b in combinations(theirs, 2))
    if spread is None or min(treated, controls) < LEAST_RUNS:
        return Effect(across, spread)
    drawn = []
    for draw in range(DRAWS):
        some = [chance.below(treated, "compare", "treated", draw, one) for one in ours]
        others = [chance.below(controls, "compare", "control", draw, one) for one in theirs]
        a = _mean(far[one, other] for one in some for other in others)
        b = _mean(near.get(pair) for pair in combinations(others, 2))
        if a is not None and b is not None:
            drawn.append(a - b)
    return Effect(across, spread, *_interval(sorted(drawn)))


def _mean(distances: Iterable[float | None]) -> float | None:
    """Average what is there; a pair that is not to be compared is not."""
    found = [one for one in distances if one is not None]
    return fmean(found) if found else None


def _interval(drawn: Sequence[float]) -> tuple[float, float]:
    """Cut off as much at either end as lies outside the level."""
    cut = round(len(drawn) * (1 - LEVEL) / 2)
    return drawn[cut], drawn[len(drawn) - 1 - cut]
