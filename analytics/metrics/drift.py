"""Topic drift: how far talk goes from what a channel was opened with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analytics.metrics.frames import MESSAGES, Frames
from analytics.metrics.participation import NO_MESSAGES
from analytics.metrics.seam import Metric, Reading
from analytics.metrics.vectors import cosines, heard_tfidf

READS = {"messages": MESSAGES}


def distances(frames: Frames) -> pd.DataFrame:
    """Measure how far each message is from its channel's first, its opening where it has one.

    Returns:
        `channel`, `turn` and `distance`, one row a message but the first of a channel:
        1 less the cosine by TF-IDF, in [0, 1]; NaN where either has no words.
    """
    return frames.once("topic distance", _distances)


def _distances(frames: Frames) -> pd.DataFrame:
    heard = frames.heard
    table = heard[["channel", "turn"]].assign(distance=np.nan)
    vectors = heard_tfidf(frames)
    if vectors is None:
        return table.iloc[0:0]
    places = pd.Series(range(len(heard)), index=heard.index)
    first = places.groupby(heard["channel"]).transform("first").to_numpy()
    has_words = np.diff(vectors.indptr) > 0
    alike = np.where(has_words & has_words[first], cosines(vectors, vectors[first]), np.nan)
    table["distance"] = np.clip(1 - alike, 0, 1)
    rest: pd.DataFrame = table[first != places.to_numpy()]
    return rest


def quarters(values: np.ndarray) -> float | None:
    """Tell by how much the mean of the last quarter of values is over that of the first.

    Returns:
        None for fewer than four values that are numbers.

    Example:
        >>> quarters(np.array([0.0, 0.5, 0.5, 1.0])), quarters(np.array([1.0]))
        (1.0, None)
    """
    known = values[np.isfinite(values)]
    size = len(known) // 4
    return float(known[-size:].mean() - known[:size].mean()) if size else None


def _by_turn(frames: Frames, seed: int) -> Iterator[Reading]:
    table = distances(frames)
    if table.empty:
        yield Reading("turn", None, _why(frames))
    for channel, turn, distance in table.itertuples(index=False):
        why = "" if np.isfinite(distance) else "no words"
        yield Reading("turn", distance, why, channel=channel, at=int(turn))


def _drift(frames: Frames, seed: int) -> Iterator[Reading]:
    table = distances(frames)
    rises = {
        str(channel): quarters(rows["distance"].to_numpy())
        for channel, rows in table.groupby("channel", sort=False)
    }
    long = {channel: rise for channel, rise in rises.items() if rise is not None}
    if not long:
        why = _why(frames) if table.empty else "no channel has 5 messages with words"
        yield Reading("channel", None, why)
    for channel, rise in long.items():
        yield Reading("channel", rise, channel=channel)


def _why(frames: Frames) -> str:
    if frames.heard.empty:
        return NO_MESSAGES
    return "no words" if heard_tfidf(frames) is None else "no channel has two messages"


DISTANCE = Metric(
    "topic_distance",
    family="drift",
    scopes=("turn",),
    unit="none",
    low=0,
    high=1,
    meaning="1 less the cosine by TF-IDF of a message to its channel's first: the opening, or what "
    "was said first. Empty where either has no words.",
    source="scikit-learn's TfidfVectorizer; messages",
    tables=READS,
    compute=_by_turn,
)
DRIFT = Metric(
    "topic_drift",
    family="drift",
    scopes=("channel",),
    unit="none",
    low=-1,
    high=1,
    meaning="Mean `topic_distance` of the last quarter of a channel's messages less that of the "
    "first. A channel with fewer than 5 messages with words has no row. Empty where all are such.",
    source="messages",
    tables=READS,
    compute=_drift,
)
