"""What a block of a row came to."""

from __future__ import annotations

from collections.abc import Mapping
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
