"""How unevenly something is shared: two numbers, taken live and from tables alike. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2


def gini_of(counts: Sequence[int]) -> float | None:
    """Measure how unevenly a total is shared.

    Args:
        counts: What each has, >= 0; those with nothing count.

    Returns:
        Gini coefficient, unitless, in [0, (n - 1) / n]: 0 when all have the same. None
        for fewer than two, or when nobody has anything.

    Source:
        Mean absolute difference over twice the mean, no small-sample correction.

    Example:
        >>> gini_of([5, 5]), gini_of([10, 0]), gini_of([3])
        (0.0, 0.5, None)
    """
    total, n = sum(counts), len(counts)
    if n < 2 or not total:
        return None
    ranked = sum(rank * count for rank, count in enumerate(sorted(counts), start=1))
    return (2 * ranked - (n + 1) * total) / (n * total)


def entropy_of(counts: Sequence[int]) -> float | None:
    """Measure how evenly a total is shared, in bits.

    Returns:
        Shannon entropy of the shares, bits, in [0, log2(n)]: log2(n) when all have the
        same. None for fewer than two, or when nobody has anything.

    Source:
        Shannon 1948, A Mathematical Theory of Communication, section 6.

    Example:
        >>> entropy_of([5, 5]), entropy_of([10, 0]), entropy_of([])
        (1.0, 0.0, None)
    """
    total = sum(counts)
    if len(counts) < 2 or not total:
        return None
    shares = [count / total for count in sorted(counts) if count]
    return sum(share * log2(1 / share) for share in shares)
