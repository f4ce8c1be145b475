"""Sentiment by VADER: a lexicon and rules for English, made for short informal text.

vaderSentiment because it is the authors' own, needs no model and no download, and gives
the same for the same text. It knows words, not meaning: read it as tone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from analytics.metrics.frames import SAID, Frames
from analytics.metrics.participation import NO_MESSAGES
from analytics.metrics.seam import Metric, Reading


def compound(text: str) -> float:
    """Score a text's tone.

    Returns:
        In [-1, 1]; 0 also for a text without any word of the lexicon.

    Source:
        Hutto and Gilbert 2014, VADER (ICWSM), the score `compound`.

    Example:
        >>> compound("VADER is smart, handsome, and funny.")
        0.8316
    """
    return float(_analyzer().polarity_scores(text)["compound"])


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()


def compounds(frames: Frames) -> np.ndarray:
    """Score every message of a bot, in order; a text that comes again is scored once."""
    return frames.once("sentiment", _scored)


def _scored(frames: Frames) -> np.ndarray:
    scores = {text: compound(text) for text in dict.fromkeys(frames.texts)}
    return np.array([scores[text] for text in frames.texts])


def _by_turn(frames: Frames, seed: int) -> Iterator[Reading]:
    said = frames.said
    if said.empty:
        yield Reading("turn", None, NO_MESSAGES)
    places = zip(said["channel"], said["speaker"], said["turn"], strict=True)
    for score, (channel, bot, turn) in zip(compounds(frames), places, strict=True):
        yield Reading("turn", float(score), channel=channel, bot=bot, at=int(turn))


def _means(frames: Frames, seed: int) -> Iterator[Reading]:
    scores, speakers = compounds(frames), np.array(frames.speakers)
    if not len(scores):
        yield Reading("run", None, NO_MESSAGES)
        return
    yield Reading("run", float(scores.mean()))
    for bot in frames.bots:
        own = scores[speakers == bot]
        why = "" if len(own) else "it said nothing"
        yield Reading("bot", float(own.mean()) if len(own) else None, why, bot=bot)


SENTIMENT = Metric(
    "sentiment",
    family="sentiment",
    scopes=("turn",),
    unit="none",
    low=-1,
    high=1,
    meaning="VADER's compound score of a message, -1 the most negative. English only. 0 also where "
    "no word is in the lexicon. Empty without messages.",
    source="Hutto and Gilbert 2014 (vaderSentiment); messages",
    tables=SAID,
    compute=_by_turn,
)
SENTIMENT_MEAN = Metric(
    "sentiment_mean",
    family="sentiment",
    scopes=("run", "bot"),
    unit="none",
    low=-1,
    high=1,
    meaning="Mean of `sentiment` over messages, each counting alike. Empty without messages.",
    source="Hutto and Gilbert 2014 (vaderSentiment); messages, bots",
    tables=SAID,
    compute=_means,
)
