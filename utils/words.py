"""Words and runs of words, as everything that counts them takes them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_WORD = re.compile(r"\w+(?:['\u2019]\w+)*")


def words_of(text: str) -> list[str]:
    """List a text's words: runs of letters, digits and inner apostrophes, case folded.

    A script that puts no blanks between words comes out as one word a run: what is
    counted in words says little there.

    Example:
        >>> words_of("Don't say so -- it's 3 o'clock, Ada!")
        ["don't", 'say', 'so', "it's", '3', "o'clock", 'ada']
    """
    return _WORD.findall(text.casefold())


def grams_of(words: Sequence[str], n: int) -> Iterator[tuple[str, ...]]:
    """Go through the runs of `n` words, n >= 1, in order.

    Example:
        >>> list(grams_of(["to", "be", "or"], 2)), list(grams_of(["to"], 2))
        ([('to', 'be'), ('be', 'or')], [])
    """
    return zip(*(words[start:] for start in range(n)), strict=False)
