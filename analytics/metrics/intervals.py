"""How sure one may be: intervals over replicates, and within a single run.

Replicates are the unit. What is resampled and compared are values of runs (of chains,
of pairs of forks); messages of one run hang together, so that treating them as
independent makes any difference look sure. Turns of a single run may be resampled only
in blocks, and only to say how much that one run wavers: `wavering` does, `interval` and
the comparisons refuse. scipy does the arithmetic; chance enters by `seed` alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from utils.errors import BadInput
from utils.seeds import Chance, seed_for

RESAMPLES = 9_999
UNITS = ("run", "chain", "fork", "study")
"""What may be a replicate; messages and turns may not."""

Statistic = Callable[[np.ndarray], float]


class Interval(NamedTuple):
    """An estimate with its interval; none of the three where `why` says so.

    Attributes:
        n: Replicates.
        method: `BCa`, or `percentile` where BCa cannot be computed.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str = ""
    why: str = ""


def interval(
    values: Sequence[float],
    *,
    unit: str,
    seed: int,
    of: Statistic = np.mean,
    level: float = 0.95,
) -> Interval:
    """Estimate something of replicates, with a bootstrap interval.

    Args:
        values: One a replicate; none may be missing.
        unit: What a replicate is: one of `UNITS`.
        seed: The same seed, the same interval.
        of: What is estimated: of an array, one number.
        level: In (0, 1).

    Returns:
        BCa, or percentile where all resamples but one agree. Without bounds for fewer
        than 3 replicates.

    Raises:
        BadInput: The unit is a message, a turn: it is no replicate.
        ValueError: A value is missing.

    Source:
        Efron 1987, Better Bootstrap Confidence Intervals (scipy.stats.bootstrap).

    Example:
        >>> [round(one, 1) for one in interval([1, 2, 3, 4, 5], unit="run", seed=7)[:3]]
        [3.0, 1.8, 4.2]
        >>> interval([1, 2, 3], unit="message", seed=7)
        Traceback (most recent call last):
        ...
        utils.errors.BadInput: a message is no replicate; take one value a run
    """
    check_unit(unit)
    sample = numbers(values)
    if len(sample) == 0:
        return Interval(None, None, None, 0, why="no replicates")
    value = float(of(sample))
    if len(sample) < 3:
        return Interval(value, None, None, len(sample), why="fewer than 3 replicates")
    if np.ptp(sample) == 0:
        return Interval(value, None, None, len(sample), why="all replicates are the same")
    return _bootstrapped(sample, of, level, seed)


def _bootstrapped(sample: np.ndarray, of: Statistic, level: float, seed: int) -> Interval:
    value = float(of(sample))
    drawn = seed_for(seed, "bootstrap")
    for method in ("BCa", "percentile"):
        with warnings.catch_warnings():  # that BCa cannot be had, which `method` says
            warnings.simplefilter("ignore")
            found = stats.bootstrap(
                (sample,),
                of,
                n_resamples=RESAMPLES,
                vectorized=False,
                confidence_level=level,
                method=method,
                rng=drawn,
            ).confidence_interval
        if np.isfinite([found.low, found.high]).all():
            return Interval(value, float(found.low), float(found.high), len(sample), method)
    return Interval(value, None, None, len(sample), why="the statistic is not of numbers")


def wavering(
    values: Sequence[float], *, block: int, seed: int, of: Statistic = np.mean, level: float = 0.95
) -> Interval:
    """Say how much one run wavers: resample its turns in blocks, round the end.

    This is no interval for the effect of anything: another run may be elsewhere.

    Args:
        values: One a turn, in order.
        block: Turns that stay together; about as many as hang together, at least 1.

    Returns:
        A percentile interval; `n` is the number of blocks. Without bounds for fewer
        than 3 blocks.

    Source:
        Politis and Romano 1992, the circular block bootstrap.
    """
    sample = numbers(values)
    if block < 1:
        raise ValueError(f"block must be at least 1, not {block}")
    blocks = len(sample) // block
    value = float(of(sample)) if len(sample) else None
    if blocks < 3:
        return Interval(value, None, None, blocks, why="fewer than 3 blocks")
    chance = Chance(seed)
    drawn = []
    for again in range(999):
        starts = [chance.below(len(sample), "block", again, at) for at in range(blocks)]
        places = (np.array(starts)[:, None] + np.arange(block)) % len(sample)
        drawn.append(float(of(sample[places.ravel()])))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), blocks, "percentile")


def check_unit(unit: str) -> None:
    """Refuse what is no replicate.

    Raises:
        BadInput: It is a message, a turn, or anything else that is not in `UNITS`.
    """
    if unit not in UNITS:
        raise BadInput(f"a {unit} is no replicate", mend="take one value a run")


def numbers(values: Sequence[float]) -> np.ndarray:
    """Make an array of values. Raises ValueError where one is missing."""
    sample = np.asarray(values, float)
    if not np.isfinite(sample).all():
        raise ValueError("a value is missing: leave the replicate out, and say so")
    return sample
