"""Convergence: do bots come to say the same things?

Every pair of messages by different bots within a sliding window is compared; a bot
that says the same again is self-repetition, and does not count here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from analytics.metrics.frames import SAID, Frames
from analytics.metrics.participation import NO_MESSAGES, ONE_BOT
from analytics.metrics.seam import Metric, Reading
from analytics.metrics.vectors import cosines, tfidf

WINDOW = 20
"""Messages in a window; a run of fewer has one window."""

EMBEDDED = {**SAID, "messages": (*SAID["messages"], "message_id")}


def windowed_similarity(vectors: Any, speakers: np.ndarray, window: int = WINDOW) -> np.ndarray:
    """Measure how alike different speakers' messages are, in a window that slides by one.

    Args:
        vectors: One row of unit length a message, in order: dense or sparse.
        speakers: Who said each.
        window: Messages in a window, at least 2.

    Returns:
        Mean cosine over all pairs by different speakers in each window, in the order of
        the windows' ends: shape (messages - window + 1,), or (1,) if there are fewer
        messages. NaN where a window has one speaker. In [0, 1] for TF-IDF, in [-1, 1]
        for embeddings.
    """
    count = len(speakers)
    window = min(window, count)
    sums, pairs = np.zeros(count - window + 1), np.zeros(count - window + 1)
    for step in range(1, window):
        differ = speakers[step:] != speakers[:-step]
        alike = np.where(differ, cosines(vectors[step:], vectors[:-step]), 0.0)
        inside = window - step  # pairs this far apart that a window holds
        sums += _rolling(alike, inside)
        pairs += _rolling(differ.astype(float), inside)
    means: np.ndarray = np.divide(sums, pairs, out=np.full(len(sums), np.nan), where=pairs > 0)
    return means


def _rolling(values: np.ndarray, width: int) -> np.ndarray:
    total = np.concatenate([[0.0], np.cumsum(values)])
    rolled: np.ndarray = total[width:] - total[:-width]
    return rolled


def trend(values: np.ndarray) -> float | None:
    """Fit a line through values in their order: its rise from the first to the last.

    Returns:
        None for fewer than two values that are numbers.
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 2:
        return None
    slope = np.polyfit(known / (len(values) - 1), values[known], 1)[0]
    return float(slope)


def _windows(frames: Frames) -> np.ndarray | str:
    """Measure similarity window by window, or say why there is none."""
    why = _unfit(frames)
    if why:
        return why
    vectors = tfidf(frames.words)
    return "no words" if vectors is None else _similar(frames, vectors)


def _embedded_windows(frames: Frames) -> np.ndarray | str:
    if frames.embeddings is None:
        return "no embeddings"
    why = _unfit(frames)
    if why:
        return why
    vectors = frames.embeddings.reindex(frames.said["message_id"]).to_numpy(float)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.all(lengths > 0):
        return "a message has no embedding"
    return _similar(frames, vectors / lengths)


def _unfit(frames: Frames) -> str:
    if len(frames.bots) < 2:
        return ONE_BOT
    spoke = set(frames.speakers)
    return "" if len(spoke) > 1 else "one bot spoke" if spoke else NO_MESSAGES


def _similar(frames: Frames, vectors: Any) -> np.ndarray:
    return windowed_similarity(vectors, np.array(frames.speakers))


def _by_turn(windows: np.ndarray | str, frames: Frames) -> Iterator[Reading]:
    if isinstance(windows, str):
        yield Reading("turn", None, windows)
        return
    ends = frames.said.iloc[-len(windows) :]
    for value, channel, turn in zip(windows, ends["channel"], ends["turn"], strict=True):
        why = "" if np.isfinite(value) else "one bot spoke in this window"
        yield Reading("turn", float(value), why, channel=channel, at=int(turn))


def _mean(windows: np.ndarray | str) -> Iterator[Reading]:
    if isinstance(windows, str):
        yield Reading("run", None, windows)
    else:
        yield Reading("run", float(np.nanmean(windows)) if np.isfinite(windows).any() else None)


def _rise(windows: np.ndarray | str) -> Iterator[Reading]:
    if isinstance(windows, str):
        yield Reading("run", None, windows)
        return
    rise = trend(windows)
    yield Reading("run", rise, "" if rise is not None else f"not over {WINDOW} messages")


def _kept(frames: Frames) -> np.ndarray | str:
    return frames.once("similarity", _windows)


def _kept_embedded(frames: Frames) -> np.ndarray | str:
    return frames.once("similarity of embeddings", _embedded_windows)


_PAIRS = "cosine of all pairs of messages by different bots among the run's last 20"
_EMPTY = "Empty for one bot, or where one alone spoke."

SIMILARITY = Metric(
    "similarity",
    family="convergence",
    scopes=("turn",),
    unit="none",
    low=0,
    high=1,
    meaning=f"Mean {_PAIRS}, by TF-IDF, at every message from the 20th on. {_EMPTY}",
    source="scikit-learn's TfidfVectorizer; messages, bots",
    tables=SAID,
    compute=lambda frames, seed: _by_turn(_kept(frames), frames),
)
SIMILARITY_MEAN = Metric(
    "similarity_mean",
    family="convergence",
    scopes=("run",),
    unit="none",
    low=0,
    high=1,
    meaning=f"Mean of `similarity` over the run's windows. {_EMPTY}",
    source="messages, bots",
    tables=SAID,
    compute=lambda frames, seed: _mean(_kept(frames)),
)
SIMILARITY_RISE = Metric(
    "similarity_rise",
    family="convergence",
    scopes=("run",),
    unit="none",
    low=None,
    high=None,
    meaning="How much `similarity` rises from the first window to the last, by a line of least "
    f"squares. Empty for 20 messages or fewer. {_EMPTY}",
    source="messages, bots",
    tables=SAID,
    compute=lambda frames, seed: _rise(_kept(frames)),
)
SIMILARITY_EMBEDDED = Metric(
    "similarity_embedded",
    family="convergence",
    scopes=("turn",),
    unit="none",
    low=-1,
    high=1,
    meaning=f"Mean {_PAIRS}, of a model's embeddings. Empty without embeddings. {_EMPTY}",
    source="Embeddings given to `Frames`; messages, bots",
    tables=EMBEDDED,
    compute=lambda frames, seed: _by_turn(_kept_embedded(frames), frames),
)
