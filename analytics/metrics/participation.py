"""Participation: how the talk is shared among a run's bots.

Bots that never spoke count, with nothing. Counts are of messages, so that a bot whose
words go to two channels at once counts twice; shares of words say who said how much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from analytics.metrics.frames import SAID, SPOKE, Frames
from analytics.metrics.seam import Metric, Reading, Result
from utils.evenness import entropy_of, gini_of

NO_MESSAGES, ONE_BOT = "no messages", "one bot"


def message_counts(frames: Frames) -> dict[str, int]:
    """Count each bot's messages, in the order of the scenario."""
    counted = Counter(frames.speakers)
    return {bot: counted[bot] for bot in frames.bots}


def word_counts(frames: Frames) -> dict[str, int]:
    """Count each bot's words, in the order of the scenario."""
    counted: Counter[str] = Counter()
    for bot, words in zip(frames.speakers, frames.words, strict=True):
        counted[bot] += len(words)
    return {bot: counted[bot] for bot in frames.bots}


def gini(counts: dict[str, int]) -> Result:
    """Measure how unevenly messages are shared; see `utils.evenness.gini_of`.

    Example:
        >>> gini({"ada": 10, "bo": 0}), gini({"ada": 3})
        (Result(value=0.5, why=''), Result(value=None, why='one bot'))
    """
    return Result(gini_of(list(counts.values())), _why(counts))


def entropy(counts: dict[str, int]) -> Result:
    """Measure how evenly messages are shared, bits; see `utils.evenness.entropy_of`.

    Example:
        >>> entropy({"ada": 5, "bo": 5}), entropy({"ada": 0, "bo": 0})
        (Result(value=1.0, why=''), Result(value=None, why='no messages'))
    """
    return Result(entropy_of(list(counts.values())), _why(counts))


def _why(counts: dict[str, int]) -> str:
    if len(counts) < 2:
        return ONE_BOT
    return "" if any(counts.values()) else NO_MESSAGES


def _messages(frames: Frames, seed: int) -> Iterator[Reading]:
    counts = message_counts(frames)
    total = sum(counts.values())
    yield Reading("run", total or None, "" if total else NO_MESSAGES)
    if total:
        yield from (Reading("bot", count, bot=bot) for bot, count in counts.items())


def _words_mean(frames: Frames, seed: int) -> Iterator[Reading]:
    messages, words = message_counts(frames), word_counts(frames)
    total = sum(messages.values())
    yield Reading("run", *_mean(sum(words.values()), total, NO_MESSAGES))
    for bot, count in messages.items():
        yield Reading("bot", *_mean(words[bot], count, "it said nothing"), bot=bot)


def _mean(words: int, messages: int, why: str) -> Result:
    return Result(words / messages) if messages else Result(None, why)


def _shares(counts: dict[str, int]) -> Iterator[Reading]:
    total = sum(counts.values())
    if not total:
        yield Reading("bot", None, NO_MESSAGES)
        return
    for bot, count in counts.items():
        yield Reading("bot", count / total, bot=bot)


MESSAGES = Metric(
    "messages",
    family="participation",
    scopes=("run", "bot"),
    unit="messages",
    low=0,
    high=None,
    meaning="Messages that bots said, and each of them; 0 for one that never spoke. Empty where "
    "none did.",
    source="messages, bots",
    tables=SPOKE,
    compute=_messages,
)

WORDS_MEAN = Metric(
    "words_mean",
    family="participation",
    scopes=("run", "bot"),
    unit="words",
    low=0,
    high=None,
    meaning="Words a message, of all bots and of each. Empty without messages.",
    source="messages, bots",
    tables=SAID,
    compute=_words_mean,
)

MESSAGE_SHARE = Metric(
    "message_share",
    family="participation",
    scopes=("bot",),
    unit="none",
    low=0,
    high=1,
    meaning="A bot's messages over all bots' messages; 0 for one that never spoke. Empty "
    "without messages.",
    source="messages, bots",
    tables=SPOKE,
    compute=lambda frames, seed: _shares(message_counts(frames)),
)

WORD_SHARE = Metric(
    "word_share",
    family="participation",
    scopes=("bot",),
    unit="none",
    low=0,
    high=1,
    meaning="A bot's words over all bots' words; 0 for one that never spoke. Empty without words.",
    source="messages, bots",
    tables=SAID,
    compute=lambda frames, seed: _shares(word_counts(frames)),
)

GINI = Metric(
    "participation_gini",
    family="participation",
    scopes=("run",),
    unit="none",
    low=0,
    high=1,
    meaning="Gini coefficient of messages over bots, silent ones too: 0 when all said as many, "
    "(n - 1) / n when one of n said all. Empty for one bot, or without messages.",
    source="Mean absolute difference over twice the mean, uncorrected; messages, bots",
    tables=SPOKE,
    compute=lambda frames, seed: [Reading("run", *gini(message_counts(frames)))],
)

ENTROPY = Metric(
    "participation_entropy",
    family="participation",
    scopes=("run",),
    unit="bits",
    low=0,
    high=None,
    meaning="Shannon entropy of the bots' shares of messages: log2(n) when all of n said as many, "
    "0 when one said all. Empty for one bot, or without messages.",
    source="Shannon 1948, section 6; messages, bots",
    tables=SPOKE,
    compute=lambda frames, seed: [Reading("run", *entropy(message_counts(frames)))],
)
