"""What the naming game measures while it goes on, encounter by encounter in their order.

| measure | value |
|---|---|
| `success_last_<n>` | the share of the last n encounters that agreed, from the n-th on; for each n that the scenario names |
| `words` | different words in use: in any inventory, or named last by anybody; after every N encounters of N bots |
"""  # noqa: E501 - a table's row is one line

from __future__ import annotations

import re

from utils.protocol import Measured
from worlds.naming.state import NamingState

WORDS = "words"
_SUCCESS = re.compile(r"success_last_([1-9][0-9]{0,4})")


def last_of(measure: str) -> int | None:
    """Tell how many encounters a measure of success spans; none if it is not one.

    Example:
        >>> last_of("success_last_72"), last_of("success_last_0"), last_of("words")
        (72, None, None)
    """
    found = _SUCCESS.fullmatch(measure)
    return int(found[1]) if found else None


def is_measure(name: str) -> bool:
    """Whether the game measures this."""
    return name == WORDS or last_of(name) is not None


def results_needed(state: NamingState) -> int:
    """Tell how many results must be kept for the measures named, also of those ahead."""
    spans = [last_of(name) or 0 for name in state.watched]
    return max(spans, default=0) + state.own.at_once


def is_words_due(state: NamingState, number: int) -> bool:
    """Whether words are counted after this encounter."""
    return number % len(state.bots) == 0


def measured_after(state: NamingState, number: int) -> list[Measured]:
    """Measure the game as it was when the encounters up to a number were over.

    Args:
        number: At most `state.counted`, and of the last `at_once` of them. When words
            are due after it, no later encounter may have been opened.
    """
    behind = state.counted - number
    results = state.results[: len(state.results) - behind]
    made = []
    for name in state.watched:
        span = last_of(name)
        if span is not None and number >= span:
            made.append(Measured(name=name, value=results[-span:].count("1") / span))
    if is_words_due(state, number):
        made.append(Measured(name=WORDS, value=len(words_in_use(state))))
    return made


def is_reached(state: NamingState, measured: Measured) -> bool:
    """Whether the scenario ends at this value of this measure."""
    return any(goal.measure == measured.name and goal.holds(measured.value) for goal in state.goals)


def words_in_use(state: NamingState) -> set[str]:
    """Find the words in any inventory, or that somebody named in its last encounter."""
    held = {word for words in state.inventories.values() for word in words}
    named = {past[-1].own for past in state.histories.values() if past}
    return held | {word for word in named if word is not None}
