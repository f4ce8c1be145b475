"""What is looked at before an answer is taken, where the scenario asks for it. Pure.

Guards are off unless a scenario names them: Parley adds no influence of its own. A
guard never changes an answer. It finds a fault with it; then the model is asked once
more, with a seed of its own; and when that answer has a fault too, the bot passes. Both
answers stay in the record.

A broken answer to an ask with a schema is a fault without any guard: the world could do
nothing with it. The model is asked once more and shown what was wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Literal

from utils.protocol import Heard
from utils.spec import GuardsSpec, RepetitionGuard

WORD = re.compile(r"\w+(?:['’-]\w+)*")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an answer that came.

    Attributes:
        outcome: What its record says came of it.
        name: Which guard it was, or `schema`.
        why: One line.
    """

    outcome: Literal["guarded", "malformed"]
    name: str
    why: str


def fault_in(
    text: str, guards: GuardsSpec, *, echoes: Iterable[Heard], why_nothing: str
) -> Fault | None:
    """Find the first fault with what a bot is about to say.

    Args:
        text: What it is, after every cut.
        guards: Those the scenario names.
        echoes: What the text must not repeat, as `echoes` gives it.
        why_nothing: Why the text is empty, if it is.

    Example:
        >>> said = Heard(channel="main", turn=1, round=1, speaker="ada", audience="all", text="No.")
        >>> guards = GuardsSpec(repetition=RepetitionGuard(share=0.8))
        >>> fault_in("No!", guards, echoes=[said], why_nothing="")
        Fault(outcome='guarded', name='repetition', why="ada's turn 1 again: share 1.00")
    """
    if not text:
        return Fault("guarded", "empty", why_nothing) if guards.empty else None
    if guards.persona is not None:
        phrase = _phrase_in(text, guards.persona.phrases)
        if phrase is not None:
            return Fault("guarded", "persona", f"it says '{phrase}'")
    if guards.repetition is not None:
        for event in echoes:
            share = overlap(text, event.text, n=guards.repetition.n)
            if share >= guards.repetition.share:
                why = f"{event.speaker}'s turn {event.turn} again: share {share:.2f}"
                return Fault("guarded", "repetition", why)
    return None


def echoes(
    heard: Iterable[Heard], guard: RepetitionGuard | None, *, bot: str, channel: str
) -> tuple[Heard, ...]:
    """Pick what an answer must not repeat.

    Args:
        heard: All that the bot heard, the newest first.
        guard: Says whose words count, and how many messages back.
        bot: Who is about to speak.
        channel: Where.
    """
    if guard is None:
        return ()
    said = (one for one in heard if one.channel == channel and one.speaker is not None)
    counted = (
        one for one in said if guard.of == "anybody" or (guard.of == "own") == (one.speaker == bot)
    )
    return tuple(islice(counted, guard.last))


def overlap(text: str, other: str, *, n: int) -> float:
    """Measure how much of a text another has already said.

    Args:
        text: What is about to be said.
        other: What was said.
        n: Words in a gram, >= 1. A text of fewer words is one gram.

    Returns:
        The share of the text's different word n-grams that the other has too, in
        [0, 1]; case and punctuation do not count. 0 for a text without words.

    Source:
        Broder 1997, On the Resemblance and Containment of Documents: the containment
        of the text in the other, over shingles of n words.

    Example:
        >>> overlap("A town is a roof.", "I say: a town is a roof!", n=3)
        1.0
        >>> overlap("A town is a promise.", "A town is a roof.", n=2)
        0.75
    """
    words = tuple(WORD.findall(text.casefold()))
    size = min(n, len(words))
    own = _grams(words, size)
    if not own:
        return 0.0
    return len(own & _grams(tuple(WORD.findall(other.casefold())), size)) / len(own)


@lru_cache(maxsize=4_096)
def _grams(words: tuple[str, ...], n: int) -> frozenset[tuple[str, ...]]:
    return frozenset(words[at : at + n] for at in range(len(words) - n + 1)) if n else frozenset()


def _phrase_in(text: str, phrases: Sequence[str]) -> str | None:
    """Find the first phrase that stands in a text as whole words."""
    spoken = f" {' '.join(WORD.findall(text.casefold()))} "
    for phrase in phrases:
        if f" {' '.join(WORD.findall(phrase.casefold()))} " in spoken:
            return phrase
    return None
