"""Rules that play the naming games: what is known of a crowd of them, a run can be held to."""

from __future__ import annotations

from collections import Counter

from utils.protocol import Act, Action, AskAct, Pass
from utils.seeds import Chance, seed_for
from worlds.naming.coordination import NAME, PlayerView
from worlds.naming.minimal import KNOW, UTTER, HearerView, SpeakerView
from worlds.seam import Asked

SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
WORD_SYLLABLES = 6
"""70 to the 6th words: of 200 made up in a run, two are alike once in 6 million runs."""


def naming_minimal(asked: Asked) -> Action:
    """Utter one of one's words, each equally likely, or make one up; answer truly."""
    ask = asked.ask
    if isinstance(ask, AskAct) and ask.name == UTTER:
        known = SpeakerView.model_validate(ask.view).inventory
        word = Chance(asked.seed).pick(known, "naming.word") if known else invented(asked)
        return Act(name=UTTER, args=word)
    if isinstance(ask, AskAct) and ask.name == KNOW:
        seen = HearerView.model_validate(ask.view)
        return Act(name=KNOW, args=seen.word in seen.inventory)
    return Pass(why="another game")


def naming_coordination(asked: Asked) -> Action:
    """Name what others named most in the encounters remembered; where several, draw one."""
    ask = asked.ask
    if not isinstance(ask, AskAct) or ask.name != NAME:
        return Pass(why="another game")
    history = PlayerView.model_validate(ask.view).history
    named = Counter(other for _, other, _ in history if other is not None)
    words = sorted(str(word) for word in ask.legal)
    most = max(named[word] for word in words)
    best = [word for word in words if named[word] == most]
    return Act(name=NAME, args=Chance(asked.seed).pick(best, "naming.word"))


def invented(asked: Asked) -> str:
    """Make up a word that nobody else makes up, from the grant's seed and the bot's name."""
    drawn = seed_for(asked.seed, "naming.invent", asked.bot)
    word = ""
    for _ in range(WORD_SYLLABLES):
        drawn, syllable = divmod(drawn, len(SYLLABLES))
        word += SYLLABLES[syllable]
    return word
