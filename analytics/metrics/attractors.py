"""Attractors of a chain: where a property of the text is drawn to, and how strongly.

Over chains, not messages: a chain is a channel of a run, its initial value that of its
first message, the opening where it has one, its final value that of its last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from analytics.metrics.frames import MESSAGES, Frames
from analytics.metrics.readability import count, reading_ease
from analytics.metrics.seam import Metric, Reading, Result
from analytics.metrics.sentiment import compound
from utils.words import words_of

READS = {"messages": MESSAGES}
LEAST_CHAINS = 3
FLAT = 1e-9


class Attractor(NamedTuple):
    """Where, and how strongly; of a line of least squares with this slope and intercept."""

    position: Result
    strength: Result
    slope: float | None = None
    intercept: float | None = None


def attractor(initial: Sequence[float], final: Sequence[float]) -> Attractor:
    """Regress chains' final values on their initial ones.

    Args:
        initial, final: Of each chain, in one order.

    Returns:
        `position`, in the property's own unit: intercept / (1 - slope), the value that
        would stay as it is; none at a slope of 1. `strength`: 1 - |slope|, at most 1;
        below 0 where values are driven apart. Both none for fewer than 3 chains, or when all
        start alike.

    Source:
        Perez et al. 2024, When LLMs Play the Telephone Game (arXiv:2407.04503).

    Example:
        >>> found = attractor([0, 10, 20], [8, 10, 12])
        >>> round(found.position.value, 6), round(found.strength.value, 6)
        (10.0, 0.8)
    """
    if len(initial) < LEAST_CHAINS:
        none = Result(None, f"fewer than {LEAST_CHAINS} chains")
        return Attractor(none, none)
    if np.ptp(np.asarray(initial, float)) == 0:
        none = Result(None, "all chains start alike")
        return Attractor(none, none)
    line = stats.linregress(initial, final)
    slope, intercept = float(line.slope), float(line.intercept)
    strength = Result(1 - abs(slope))
    if abs(1 - slope) < FLAT:
        return Attractor(Result(None, "nothing draws: the slope is 1"), strength, slope, intercept)
    return Attractor(Result(intercept / (1 - slope)), strength, slope, intercept)


Property = Callable[[str], float | None]


def ends_of(frames: Frames, of: Property) -> tuple[list[float], list[float]]:
    """Take the first and the last value of every chain of two messages or more."""
    initial, final = [], []
    for _, rows in frames.heard.groupby(["run_id", "channel"], sort=False):
        texts = [one if isinstance(one, str) else "" for one in rows["text"].iloc[[0, -1]]]
        first, last = of(texts[0]), of(texts[1])
        if len(rows) > 1 and first is not None and last is not None:
            initial.append(first)
            final.append(last)
    return initial, final


def _words(text: str) -> float:
    return float(len(words_of(text)))


def _ease(text: str) -> float | None:
    return reading_ease(count([text])).value


def _compute(of: Property, part: str) -> Callable[[Frames, int], Iterator[Reading]]:
    def compute(frames: Frames, seed: int) -> Iterator[Reading]:
        found = frames.once(f"attractor of {of.__name__}", lambda one: attractor(*ends_of(one, of)))
        yield Reading("study", *(found.position if part == "position" else found.strength))

    return compute


def _position(name: str, of: Property, what: str, unit: str) -> Metric:
    return Metric(
        f"attractor_position_{name}",
        family="attractors",
        scopes=("study",),
        unit=unit,
        low=None,
        high=None,
        meaning=f"The {what} that chains are drawn to: intercept / (1 - slope) of the last "
        "message's regressed on the first's, over chains. Empty for fewer than 3 chains, when "
        "all start alike, or at a slope of 1.",
        source="Perez et al. 2024; messages",
        tables=READS,
        compute=_compute(of, "position"),
    )


def _strength(name: str, of: Property, what: str) -> Metric:
    return Metric(
        f"attractor_strength_{name}",
        family="attractors",
        scopes=("study",),
        unit="none",
        low=None,
        high=1,
        meaning=f"How strongly chains are drawn to a {what}: 1 - |slope| of the same line, 1 when "
        "the last message owes nothing to the first. Empty for fewer than 3 chains, or when all "
        "start alike.",
        source="Perez et al. 2024; messages",
        tables=READS,
        compute=_compute(of, "strength"),
    )


POSITION_WORDS = _position("words", _words, "length", "words")
STRENGTH_WORDS = _strength("words", _words, "length")
POSITION_SENTIMENT = _position("sentiment", compound, "sentiment (VADER)", "none")
STRENGTH_SENTIMENT = _strength("sentiment", compound, "sentiment (VADER)")
POSITION_EASE = _position("ease", _ease, "reading ease", "none")
STRENGTH_EASE = _strength("ease", _ease, "reading ease")
