"""A voice: the words that give a kind of person away, and what such a person says.

A persona is never looked up by name. Its text is searched for the stems below, its
temperament is read as numbers, and the voices that fit best lend it their words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from bots.offline.reader import Persona


@dataclass(frozen=True, slots=True)
class Voice:
    """Words for one kind of person.

    Args:
        stems: Beginnings of words that mark a persona's text, separated by spaces; a full
            stop at its end makes a stem a whole word.
        things: What such a person reaches for: singular noun phrases, separated by ";".
        deeds: What such a person does: verb phrases in their base form, likewise.
        views: Whole sentences with slots; `phrases.py` lists the slots.
        trait: One of `reader.TRAITS` that marks it too; empty for none.
        high: Whether a high value of the trait marks it, or a low one.
        leads: Words such a person starts with now and then, separated by ";".
        stance: How such a person tends to meet others: agree, object, doubt or build.
    """

    stems: str
    things: str = ""
    deeds: str = ""
    views: tuple[str, ...] = ()
    trait: str = ""
    high: bool = True
    leads: str = ""
    stance: str = ""

    def fit(self, persona: Persona) -> float:
        """Score how well the persona's text and temperament fit, >= 0; 0 is not at all."""
        stems = _pattern(self.stems)
        score = 4.0 * bool(stems.search(persona.role)) + 1.5 * bool(stems.search(persona.style))
        score += 1.0 * min(3, len(stems.findall(persona.character)))
        score += 0.5 * min(2, len(stems.findall(" ".join(persona.goals))))
        if self.trait:
            value = persona.trait(self.trait)
            score += 5.0 * max(0.0, (value if self.high else 1.0 - value) - 0.6)
        return score


def best_voices(voices: tuple[Voice, ...], persona: Persona, *, at_most: int) -> list[Voice]:
    """Pick the voices that fit a persona best, best first; none when none fits."""
    scored = [(voice.fit(persona), -place) for place, voice in enumerate(voices)]
    ranked = sorted((score, place) for score, place in scored if score > 0.0)
    return [voices[-place] for _, place in reversed(ranked[-at_most:])]


def items(listed: str) -> list[str]:
    """Split a list of phrases.

    Example:
        >>> items("a rope; a lamp")
        ['a rope', 'a lamp']
    """
    return [" ".join(item.split()) for item in listed.split(";") if item.strip()]


@cache
def _pattern(stems: str) -> re.Pattern[str]:
    words = [re.escape(stem).replace(r"\.", r"\b") for stem in stems.split()]
    return re.compile(rf"(?i)\b(?:{'|'.join(words) or '(?!)'})")
