"""A metric from outside: all of it in one file."""

from __future__ import annotations

from collections.abc import Iterator

from analytics.metrics.frames import SAID, Frames
from analytics.metrics.seam import Metric, Reading


def miles_seen(frames: Frames, seed: int) -> Iterator[Reading]:
    """Sum up how far each watchman said that he saw."""
    for bot in frames.bots:
        said = [
            words for who, words in zip(frames.speakers, frames.words, strict=True) if who == bot
        ]
        miles = [int(word) for words in said for word in words if word.isdigit()]
        yield Reading("bot", sum(miles) if said else None, "" if said else "no word", bot=bot)


MILES_SEEN = Metric(
    "miles_seen",
    family="tide",
    scopes=("bot",),
    unit="miles",
    low=0,
    high=None,
    meaning="How far a watchman saw, all times together. Empty for one that said nothing.",
    source="messages, bots",
    tables=SAID,
    compute=miles_seen,
)
