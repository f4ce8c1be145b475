"""Readability: the formulas of Flesch and Kincaid, on a bot's whole text.

Syllables are estimated without a dictionary to download: a word has at least as many as
groups of vowels, a mute final e apart, and at least one more than pyphen's patterns have
places to break it; the greater is taken. Where vowels meet, as in "idea", it may be one
short. English only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import pyphen

from analytics.metrics.frames import SAID, Frames
from analytics.metrics.seam import Metric, Reading, Result
from utils.words import words_of

_SENTENCE_END = re.compile(r"[.!?\u2026]+(?=\s|$|[\"'\u201d\u2019)])")


class Counted(NamedTuple):
    """How much a text has of what readability counts."""

    sentences: int
    words: int
    syllables: int


def count(texts: Sequence[str]) -> Counted:
    """Count sentences, words and syllables; a text ends its last sentence.

    Example:
        >>> count(["The cat sat. It purred!", "Happy?"])
        Counted(sentences=3, words=6, syllables=7)
    """
    parts = [part for text in texts for part in _SENTENCE_END.split(text)]
    words = [words_of(part) for part in parts]
    return Counted(
        sentences=sum(1 for one in words if one),
        words=sum(len(one) for one in words),
        syllables=sum(syllables_of(word) for one in words for word in one),
    )


_VOWELS = re.compile(r"[aeiouy]+")
_MUTE = re.compile(r"(?<=[^aeiouyl])e$|(?<=[aeiouy]l)e$|(?<=[^aeiouytd])e[ds]$")


@cache
def _breaks() -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="en_US", left=1, right=1)


@cache
def syllables_of(word: str) -> int:
    """Estimate an English word's syllables, at least 1.

    Example:
        >>> [syllables_of(word) for word in ("cat", "made", "table", "create", "readability")]
        [1, 1, 2, 2, 5]
    """
    groups = len(_VOWELS.findall(_MUTE.sub("", word)))
    return max(1, groups, len(_breaks().positions(word)) + 1)


def reading_ease(counted: Counted) -> Result:
    """Measure how easy a text is to read.

    Returns:
        At most 121.22: one word a sentence, one syllable a word. Plain English has 60
        to 70, and there is no lower bound. None without words.

    Source:
        Flesch 1948, A new readability yardstick: 206.835 - 1.015 words a sentence - 84.6
        syllables a word.

    Example:
        >>> round(reading_ease(Counted(sentences=1, words=10, syllables=15)).value, 3)
        69.785
    """
    if not counted.words:
        return Result(None, "no words")
    a_sentence, a_word = _ratios(counted)
    return Result(206.835 - 1.015 * a_sentence - 84.6 * a_word)


def grade(counted: Counted) -> Result:
    """Measure after how many years at an American school a text is read.

    Returns:
        At least -3.4. None without words.

    Source:
        Kincaid et al. 1975: 0.39 words a sentence + 11.8 syllables a word - 15.59.

    Example:
        >>> round(grade(Counted(sentences=1, words=10, syllables=15)).value, 2)
        6.01
    """
    if not counted.words:
        return Result(None, "no words")
    a_sentence, a_word = _ratios(counted)
    return Result(0.39 * a_sentence + 11.8 * a_word - 15.59)


def _ratios(counted: Counted) -> tuple[float, float]:
    return counted.words / counted.sentences, counted.syllables / counted.words


def _counts(frames: Frames) -> dict[str, Counted]:
    texts: dict[str, list[str]] = {bot: [] for bot in frames.bots}
    for bot, text in zip(frames.speakers, frames.texts, strict=True):
        texts[bot].append(text)
    return {bot: count(own) for bot, own in texts.items()}


def _each(of: Callable[[Counted], Result]) -> Callable[[Frames, int], Iterator[Reading]]:
    def compute(frames: Frames, seed: int) -> Iterator[Reading]:
        by_bot = frames.once("readability", _counts)
        sums = [sum(column) for column in zip(*by_bot.values(), strict=True)]
        yield Reading("run", *of(Counted(*sums) if sums else Counted(0, 0, 0)))
        for bot, counted in by_bot.items():
            yield Reading("bot", *of(counted), bot=bot)

    return compute


READING_EASE = Metric(
    "reading_ease",
    family="readability",
    scopes=("run", "bot"),
    unit="none",
    low=None,
    high=121.22,
    meaning="206.835 - 1.015 words a sentence - 84.6 syllables a word, of all that was said: the "
    "higher the easier. English only. Empty without words.",
    source="Flesch 1948 (syllables by pyphen); messages, bots",
    tables=SAID,
    compute=_each(reading_ease),
)
GRADE = Metric(
    "reading_grade",
    family="readability",
    scopes=("run", "bot"),
    unit="years",
    low=-3.4,
    high=None,
    meaning="0.39 words a sentence + 11.8 syllables a word - 15.59, of all that was said: years at "
    "an American school. English only. Empty without words.",
    source="Kincaid et al. 1975 (syllables by pyphen); messages, bots",
    tables=SAID,
    compute=_each(grade),
)
