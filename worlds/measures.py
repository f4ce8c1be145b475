"""What may be measured of any talk while it goes on, at a cost that does not grow with it. Pure.

A scenario names them: in `measures`, in its end, or in `when`. Each is taken whenever a
turn closes, of what bots have said so far in all channels; words from outside do not count.

| name | value |
|---|---|
| `messages` | messages said |
| `words` | words said |
| `participation_gini` | how unevenly messages are shared among the bots: 0, all said as many |
| `participation_entropy` | how evenly they are, bits: log2(n), all of n said as many |
| `words_mean_last_<n>` | words a message, over the last n messages |
| `distinct_1_last_<n>`, `distinct_2_...`, `distinct_3_...` | different runs of so many words over all such runs in the last n messages |
| `self_repetition_last_<n>` | the share of runs of 3 words that their speaker had said before, both within the last n messages |

Those of the last n messages (2 to 1,000) have no value before there are n. Why a window: the
same share of a whole talk falls with its length, and to know it one must keep every word.
"""  # noqa: E501 - a table's row is one line

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from utils.evenness import entropy_of, gini_of
from utils.words import grams_of, words_of

MOST_MESSAGES = 1_000
REPEATED = 3
"""Words in a run that counts as said again."""


class Line(NamedTuple):
    """One message: who said it, and its words."""

    bot: str
    words: tuple[str, ...]


class Counted(NamedTuple):
    """What the measures of a scenario need of a talk so far.

    Attributes:
        said: Bot to how many messages it said; a silent one may be absent.
        words: Words said.
        recent: The last messages, the latest last, as many as the widest window.
    """

    said: Mapping[str, int] = {}
    words: int = 0
    recent: tuple[Line, ...] = ()


def count(before: Counted, bot: str, text: str, *, keep: int) -> Counted:
    """Count one message more.

    Args:
        keep: How many messages the widest window holds.

    Example:
        >>> count(Counted(), "ada", "To be.", keep=0)
        Counted(said={'ada': 1}, words=2, recent=())
    """
    words = tuple(words_of(text))
    recent = (*before.recent, Line(bot, words))[-keep:] if keep else ()
    said = {**before.said, bot: before.said.get(bot, 0) + 1}
    return Counted(said, before.words + len(words), recent)


def is_measure(name: str) -> bool:
    """Whether a talk can be measured by this.

    Example:
        >>> is_measure("distinct_2_last_20"), is_measure("distinct_2"), is_measure("words")
        (True, False, True)
    """
    return name in _WHOLE or _windowed(name) is not None


def window(names: Iterable[str]) -> int:
    """Tell how many messages the widest of these measures looks back on.

    Example:
        >>> window(["messages", "distinct_2_last_20", "words_mean_last_5"])
        20
    """
    found = (_windowed(name) for name in names)
    return max((one[1] for one in found if one is not None), default=0)


def value_of(name: str, counted: Counted, bots: Sequence[str]) -> float | None:
    """Measure a talk.

    Args:
        name: One for which `is_measure` holds.
        bots: All bots of the scenario, silent ones too.

    Returns:
        The value; none where there is none yet: too few messages, no such runs of
        words, nothing to share.
    """
    found = _windowed(name)
    if found is None:
        return _WHOLE[name](counted, bots)
    measure, last = found
    return measure(counted.recent[-last:]) if len(counted.recent) >= last else None


def words_mean(lines: Sequence[Line]) -> float:
    """Count words a message; there is at least one message."""
    return sum(len(line.words) for line in lines) / len(lines)


def distinct(lines: Sequence[Line], n: int) -> float | None:
    """Measure the share of runs of `n` words that are different; none without such runs.

    Source:
        Li et al. 2016, A Diversity-Promoting Objective Function for Neural Conversation
        Models (NAACL), section 5.1, over runs of n words.
    """
    grams = [gram for line in lines for gram in grams_of(line.words, n)]
    return len(set(grams)) / len(grams) if grams else None


def self_repetition(lines: Sequence[Line]) -> float | None:
    """Measure the share of runs of words that their speaker had said in an earlier message.

    None where nobody has a second message that is long enough. After Salkar et al. 2022,
    Self-Repetition in Abstractive Neural Summarizers (AACL).
    """
    known: dict[str, set[tuple[str, ...]]] = {}
    again: Counter[bool] = Counter()
    for line in lines:
        grams = list(grams_of(line.words, REPEATED))
        if line.bot in known:
            again.update(gram in known[line.bot] for gram in grams)
        known.setdefault(line.bot, set()).update(grams)
    return again[True] / again.total() if again else None


Whole = Callable[[Counted, Sequence[str]], float | None]
Windowed = Callable[[Sequence[Line]], float | None]

_WHOLE: Mapping[str, Whole] = {
    "messages": lambda counted, bots: sum(counted.said.values()),
    "words": lambda counted, bots: counted.words,
    "participation_gini": lambda counted, bots: gini_of(_shares(counted, bots)),
    "participation_entropy": lambda counted, bots: entropy_of(_shares(counted, bots)),
}
_WINDOWED: Mapping[str, Windowed] = {
    "words_mean": words_mean,
    "distinct_1": lambda lines: distinct(lines, 1),
    "distinct_2": lambda lines: distinct(lines, 2),
    "distinct_3": lambda lines: distinct(lines, 3),
    "self_repetition": self_repetition,
}
NAMES = (*_WHOLE, *(f"{name}_last_<n>" for name in _WINDOWED))
"""How the measures of a talk are named, for people."""

_LAST = re.compile(r"(\w+)_last_([1-9][0-9]{0,3})")


def _windowed(name: str) -> tuple[Windowed, int] | None:
    """Take the name of a windowed measure apart; none if it is not one."""
    found = _LAST.fullmatch(name)
    if found is None or found[1] not in _WINDOWED or not 2 <= int(found[2]) <= MOST_MESSAGES:
        return None
    return _WINDOWED[found[1]], int(found[2])


def _shares(counted: Counted, bots: Sequence[str]) -> list[int]:
    return [counted.said.get(bot, 0) for bot in bots]
