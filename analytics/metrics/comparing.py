"""Two arms side by side: effect sizes, tests, and corrections where many are compared.

Replicates are the unit here as in `analytics.metrics.intervals`: all refuse messages and
turns. Forks of one prefix are pairs; runs that share no more than a scenario are not.
scipy does the tests; chance enters by `seed` alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats

from analytics.metrics.intervals import RESAMPLES, check_unit, numbers
from utils.seeds import seed_for


class Tested(NamedTuple):
    """A test's outcome: two-sided p in (0, 1], with the number of pairs or of values."""

    p: float | None
    n: int
    why: str = ""


def cliffs_delta(one: Sequence[float], other: Sequence[float], *, unit: str) -> float | None:
    """Tell how often a value of `one` is above one of `other`, less how often below.

    Returns:
        In [-1, 1]; none where either is empty.

    Raises:
        BadInput: The unit is no replicate.

    Source:
        Cliff 1993, Dominance Statistics.

    Example:
        >>> cliffs_delta([3, 4], [1, 3], unit="run")
        0.75
    """
    check_unit(unit)
    left, right = numbers(one), numbers(other)
    if not len(left) or not len(right):
        return None
    return float(np.sign(left[:, None] - right[None, :]).mean())


def hedges_g(one: Sequence[float], other: Sequence[float], *, unit: str) -> float | None:
    """Tell how far two means are apart, in standard deviations, corrected for few replicates.

    Returns:
        Unbounded; none where either has fewer than two values, or nothing varies.

    Raises:
        BadInput: The unit is no replicate.

    Source:
        Hedges 1981, with the correction 1 - 3 / (4 (n1 + n2) - 9).

    Example:
        >>> round(hedges_g([2, 4, 6], [1, 3, 5], unit="run"), 6)
        0.4
    """
    check_unit(unit)
    left, right = numbers(one), numbers(other)
    if len(left) < 2 or len(right) < 2:
        return None
    free = len(left) + len(right) - 2
    squares = left.var(ddof=1) * (len(left) - 1) + right.var(ddof=1) * (len(right) - 1)
    if not squares:
        return None
    raw = (left.mean() - right.mean()) / np.sqrt(squares / free)
    return float(raw * (1 - 3 / (4 * (len(left) + len(right)) - 9)))


def paired(
    one: Mapping[str, float],
    other: Mapping[str, float],
    *,
    unit: str,
    seed: int,
    by: Literal["permutation", "wilcoxon"] = "permutation",
) -> Tested:
    """Test whether two arms differ, replicate by replicate: forks of the same prefix.

    Args:
        one, other: Replicate to value. A replicate that only one has is left out.
        by: `permutation` of the signs of the differences, all of them where they are
            few, their mean the statistic; or Wilcoxon's signed ranks.

    Returns:
        No p for fewer than 2 pairs, or where no pair differs.

    Raises:
        BadInput: The unit is no replicate.

    Source:
        scipy.stats.permutation_test (samples), scipy.stats.wilcoxon.
    """
    check_unit(unit)
    both = [name for name in one if name in other]
    differences = numbers([one[name] - other[name] for name in both])
    if len(differences) < 2:
        return Tested(None, len(differences), "fewer than 2 pairs")
    if not differences.any():
        return Tested(None, len(differences), "no pair differs")
    if by == "wilcoxon":
        return Tested(float(stats.wilcoxon(differences).pvalue), len(differences))
    found = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        vectorized=False,
        n_resamples=RESAMPLES,
        rng=seed_for(seed, "permutation"),
    )
    return Tested(float(found.pvalue), len(differences))


def unpaired(one: Sequence[float], other: Sequence[float], *, unit: str, seed: int) -> Tested:
    """Test whether two arms of unrelated replicates differ, by permuting who is in which.

    Returns:
        No p where either has fewer than 2, or nothing varies. `n` counts both.

    Raises:
        BadInput: The unit is no replicate.

    Source:
        scipy.stats.permutation_test (independent), difference of means.
    """
    check_unit(unit)
    left, right = numbers(one), numbers(other)
    count = len(left) + len(right)
    if min(len(left), len(right)) < 2:
        return Tested(None, count, "fewer than 2 replicates in an arm")
    if np.ptp([*left, *right]) == 0:
        return Tested(None, count, "all replicates are the same")
    found = stats.permutation_test(
        (left, right),
        lambda one, other: float(np.mean(one) - np.mean(other)),
        permutation_type="independent",
        vectorized=False,
        n_resamples=RESAMPLES,
        rng=seed_for(seed, "permutation"),
    )
    return Tested(float(found.pvalue), count)


def holm(ps: Sequence[float]) -> list[float]:
    """Correct p-values so that the chance of any false alarm stays at the level.

    Returns:
        In the order given, each in [p, 1].

    Source:
        Holm 1979, A Simple Sequentially Rejective Multiple Test Procedure.

    Example:
        >>> [round(p, 6) for p in holm([0.01, 0.04, 0.03, 0.005])]
        [0.03, 0.06, 0.06, 0.02]
    """
    corrected, least = [0.0] * len(ps), 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=lambda at: ps[at])):
        least = max(least, min(1.0, (len(ps) - rank) * ps[place]))
        corrected[place] = least
    return corrected


def benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    """Correct p-values so that the expected share of false alarms stays at the level.

    Source:
        Benjamini and Hochberg 1995 (scipy.stats.false_discovery_control).

    Example:
        >>> [round(p, 6) for p in benjamini_hochberg([0.01, 0.04, 0.03, 0.005])]
        [0.02, 0.04, 0.04, 0.02]
    """
    return [float(p) for p in stats.false_discovery_control(ps, method="bh")] if len(ps) else []
