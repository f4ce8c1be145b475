"""What a block of a row came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Block(NamedTuple):
    """What one block came to.

    Attributes:
        runs: Whole runs played.
        broken: What was found, each with its seed.
        counts: How often what was done or met.
        measured: Figures of which the quantiles are told.
    """

    number: int
    runs: int
    broken: list[str]
    counts: Mapping[str, int]
    measured: Mapping[str, list[int]] = {}


def quantile(measured: Sequence[int], share: float) -> int:
    """Tell what so large a share of the figures lies below.

    Example:
        >>> quantile([3, 1, 2], 0.5), quantile([3, 1, 2], 1.0)
        (2, 3)
    """
    ranked = sorted(measured)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]
