"""Lexical variety: how many different words and runs of words, and how much said again.

Words are those of `utils.words.words_of`. Of the run as a whole and of each bot, whose
messages are taken one after another in the order of the journal; a run of words never
goes from one message into the next. More text has more repetition by itself: compare
texts of like length, or take MTLD, which was made not to depend on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from analytics.metrics.frames import SAID, Frames
from analytics.metrics.seam import Metric, Reading, Result
from utils.words import grams_of

Texts = Sequence[Sequence[str]]
"""Messages, each as its words."""

MTLD_THRESHOLD = 0.72
REPEATED = 3
"""Words in a row that count as said again."""


def distinct(texts: Texts, n: int) -> Result:
    """Measure the share of runs of `n` words that are different ones.

    Args:
        n: At least 1.

    Returns:
        In (0, 1]; none where no message has `n` words.

    Source:
        Li et al. 2016, A Diversity-Promoting Objective Function for Neural Conversation
        Models (NAACL), section 5.1; but over runs of n words, not over words, so that 1
        can be reached.

    Example:
        >>> distinct([["to", "be", "to", "be"]], 1), distinct([["a"]], 2).why
        (Result(value=0.5, why=''), 'no 2 words in a row')
    """
    grams = [gram for words in texts for gram in grams_of(words, n)]
    if not grams:
        return Result(None, "no words" if n == 1 else f"no {n} words in a row")
    return Result(len(set(grams)) / len(grams))


def self_repetition(texts: Texts, n: int = REPEATED) -> Result:
    """Measure the share of runs of `n` words that one bot had said in an earlier message.

    Args:
        texts: The messages of one bot, in order.

    Returns:
        In [0, 1]; none where no message after the first has `n` words.

    Source:
        After Salkar et al. 2022, Self-Repetition in Abstractive Neural Summarizers
        (AACL), with runs of 3 words where they take 4 and more.

    Example:
        >>> self_repetition([["a", "b", "c"], ["a", "b", "c", "d"]])
        Result(value=0.5, why='')
    """
    said, again = repetitions(texts, n)
    return Result(again / said) if said else Result(None, f"no second message of {n} words")


def repetitions(texts: Texts, n: int) -> tuple[int, int]:
    """Count the runs of `n` words after the first message, and those said before."""
    known: set[tuple[str, ...]] = set()
    said = again = 0
    for place, words in enumerate(texts):
        grams = list(grams_of(words, n))
        if place:
            said += len(grams)
            again += sum(1 for gram in grams if gram in known)
        known.update(grams)
    return said, again


def mtld(words: Sequence[str], threshold: float = MTLD_THRESHOLD) -> Result:
    """Measure lexical diversity: the mean number of words that keep it above a threshold.

    Args:
        words: In order.
        threshold: The type-token ratio at which a factor is full, in (0, 1).

    Returns:
        Words a factor, at least 1, the mean of reading forwards and backwards. None
        without words, and where no word comes twice: there is no factor then. Of
        fewer than 100 words it says little.

    Source:
        McCarthy and Jarvis 2010, MTLD, vocd-D, and HD-D (Behavior Research Methods 42),
        whose example this is: the first factor is full at the second "people".

    Example:
        >>> mtld("of the people by the people for the people".split())
        Result(value=9.0, why='')
    """
    if not words:
        return Result(None, "no words")
    if len(set(words)) == len(words):
        return Result(None, "no word comes twice")
    ways = (_factors(words, threshold), _factors(reversed(words), threshold))
    return Result(sum(len(words) / factors for factors in ways) / 2)


def _factors(words: Iterable[str], threshold: float) -> float:
    full, count, types, ratio = 0, 0, set[str](), 1.0
    for word in words:
        count += 1
        types.add(word)
        ratio = len(types) / count
        if ratio <= threshold:
            full, count, types, ratio = full + 1, 0, set[str](), 1.0
    return full + (1 - ratio) / (1 - threshold)


def by_bot(frames: Frames) -> dict[str, list[list[str]]]:
    """Gather each bot's messages, as words; a silent bot has none."""
    return frames.once("words by bot", _gathered)


def _gathered(frames: Frames) -> dict[str, list[list[str]]]:
    said: dict[str, list[list[str]]] = defaultdict(list)
    for bot, words in zip(frames.speakers, frames.words, strict=True):
        said[bot].append(words)
    return {bot: said[bot] for bot in frames.bots}


def _each(of: Callable[[Texts], Result]) -> Callable[[Frames, int], Iterator[Reading]]:
    """Compute something of all messages, and of those of each bot."""

    def compute(frames: Frames, seed: int) -> Iterator[Reading]:
        yield Reading("run", *of(frames.words))
        for bot, texts in by_bot(frames).items():
            yield Reading("bot", *of(texts), bot=bot)

    return compute


def _repetition(frames: Frames, seed: int) -> Iterator[Reading]:
    counted = {bot: repetitions(texts, REPEATED) for bot, texts in by_bot(frames).items()}
    said = sum(count for count, _ in counted.values())
    again = sum(count for _, count in counted.values())
    none = f"no bot has a second message of {REPEATED} words"
    yield Reading("run", *(Result(again / said) if said else Result(None, none)))
    for bot, texts in by_bot(frames).items():
        yield Reading("bot", *self_repetition(texts), bot=bot)


def _metric(
    name: str, meaning: str, source: str, compute: Callable[[Frames, int], Iterable[Reading]]
) -> Metric:
    return Metric(
        name,
        family="lexical",
        scopes=("run", "bot"),
        unit="none",
        low=0,
        high=1,
        meaning=meaning,
        source=f"{source}; messages, bots",
        tables=SAID,
        compute=compute,
    )


def _distinct(n: int) -> Callable[[Frames, int], Iterator[Reading]]:
    return _each(lambda texts: distinct(texts, n))


TYPE_TOKEN_RATIO = _metric(
    "type_token_ratio",
    "Different words over words: by definition `distinct_1`, under the name linguists use. Falls "
    "with length. Empty without words.",
    "Templin 1957",
    _distinct(1),
)
DISTINCT_1 = _metric(
    "distinct_1",
    "Different words over words. Falls with length. Empty without words.",
    "Li et al. 2016, section 5.1",
    _distinct(1),
)
DISTINCT_2 = _metric(
    "distinct_2",
    "Different runs of 2 words over runs of 2 words. Falls with length. Empty where no message "
    "has 2 words.",
    "Li et al. 2016, section 5.1, over runs in place of words",
    _distinct(2),
)
DISTINCT_3 = _metric(
    "distinct_3",
    "Different runs of 3 words over runs of 3 words. Falls with length. Empty where no message "
    "has 3 words.",
    "Li et al. 2016, section 5.1, over runs in place of words",
    _distinct(3),
)
SELF_REPETITION = _metric(
    "self_repetition",
    "Of the runs of 3 words in a bot's messages after its first, the share that it had said in an "
    "earlier one; of the run, over all bots' together. Grows with length. Empty where no bot has "
    "a second message of 3 words.",
    "After Salkar et al. 2022",
    _repetition,
)
MTLD = Metric(
    "mtld",
    family="lexical",
    scopes=("run", "bot"),
    unit="words",
    low=1,
    high=None,
    meaning="Mean number of words in a row that keep the type-token ratio above 0.72, forwards and "
    "backwards. Says little under 100 words. Empty where no word comes twice.",
    source="McCarthy and Jarvis 2010; messages, bots",
    tables=SAID,
    compute=_each(lambda texts: mtld(list(chain.from_iterable(texts)))),
)
