"""The coordination game: both name a word at once, and are paid for naming the same.

Source:
    Ashery, Aiello and Baronchelli 2025, Emergent social conventions and collective bias
    in LLM populations (Science Advances 11, eadu9368).
"""

from __future__ import annotations

import json

from pydantic import JsonValue

from utils.protocol import Act, Action, AskAct, Event, Frozen
from utils.seeds import Chance
from worlds.naming.state import Encounter, Met, NamingState, Past
from worlds.naming.variant import Variant, action_of, heard
from worlds.seam import Answered

NAME = "name"


class PlayerView(Frozen):
    """What a player may see: its points, and its last encounters, the oldest first.

    An encounter is what it named itself, what the other named, and its own points.
    """

    points: int
    history: tuple[tuple[str | None, str | None, int], ...]


class Coordination(Variant):
    """One round for both at once; what came of it is told to either alone."""

    policy = "simultaneous"

    def asked(self, encounter: Encounter) -> tuple[str, ...]:
        return encounter.pair

    def ask(self, state: NamingState, bot: str, encounter: Encounter) -> AskAct:
        own, words = state.own, list(state.own.words)
        if own.shuffle:
            chance = Chance(state.seed)
            words = chance.shuffled(words, "naming.order", encounter.number, bot)
        return AskAct(
            name=NAME,
            text=_told(words, own.payoff, state.points[bot]),
            answer_schema={"type": "string", "enum": [*words]},
            legal=tuple(words),
            view=self.view(state, bot),
        )

    def follow(self, state: NamingState, encounter: Encounter, cause: Answered) -> list[Event]:
        """Pay both; who named nothing has not agreed, and is paid as the other is."""
        named = tuple(word_in(action_of(cause, bot), state.own.words) for bot in encounter.pair)
        success = named[0] is not None and named[0] == named[1]
        paid = state.own.payoff[0 if success else 1]
        events: list[Event] = [
            heard(cause, word, by=bot, only=bot)
            for bot, word in zip(encounter.pair, named, strict=True)
            if word is not None
        ]
        for bot, own, other in zip(encounter.pair, named, reversed(named), strict=True):
            total = state.points[bot] + paid
            events.append(heard(cause, _outcome(own, other, paid, total), only=bot))
        met = Met(
            encounter=encounter.number,
            speaker=encounter.speaker,
            hearer=encounter.hearer,
            words=named,
            success=success,
            points=(paid, paid),
        )
        return [*events, met.event()]

    def remember(self, state: NamingState, met: Met) -> NamingState:
        """Add the encounter to what either remembers, and drop the oldest."""
        pair = (met.speaker, met.hearer)
        paid = dict(zip(pair, met.points or (0, 0), strict=True))
        named = dict(zip(pair, met.words, strict=True))
        histories, points = dict(state.histories), dict(state.points)
        for bot, other in (pair, pair[::-1]):
            past = Past(named[bot], named[other], paid[bot])
            histories[bot] = (*histories[bot], past)[-state.own.memory :]
            points[bot] += paid[bot]
        return state._replace(histories=histories, points=points)

    def view(self, state: NamingState, bot: str) -> JsonValue:
        history: list[JsonValue] = [list(past) for past in state.histories[bot]]
        return {"points": state.points[bot], "history": history}


def word_in(action: Action | None, words: tuple[str, ...]) -> str | None:
    """Read an action as one of the words; case, and space at the ends, do not count.

    Example:
        >>> word_in(Act(name="name", args="f "), ("F", "J"))
        'F'
        >>> word_in(Act(name="name", args="Q"), ("F", "J")) is None
        True
    """
    if not isinstance(action, Act) or not isinstance(action.args, str):
        return None
    said = action.args.strip().casefold()
    return next((word for word in words if word.casefold() == said), None)


def _told(words: list[str], payoff: tuple[int, ...], points: int) -> str:
    options = ", ".join(json.dumps(word, ensure_ascii=False) for word in words)
    same, different = (_points(paid) for paid in payoff)
    return (
        "You play a game with another player. Both of you name one of these words at the "
        f"same time, without knowing what the other names: {options}. If both name the same "
        f"word, each of you {same}; if not, each of you {different}. Your aim is to have as "
        f"many points as you can. You have {points} by now. Answer with one of the words in "
        "double quotes, and nothing else."
    )


def _outcome(own: str | None, other: str | None, paid: int, total: int) -> str:
    mine, theirs = (f'named "{word}"' if word else "named nothing" for word in (own, other))
    gain = _points(paid, you=True)
    return f"You {mine}, the other player {theirs}. You {gain}, and have {total} by now."


def _points(paid: int, *, you: bool = False) -> str:
    """Write what a payoff does.

    Example:
        >>> _points(100), _points(-50, you=True), _points(0)
        ('gets 100 points', 'lose 50 points', 'gets no points')
    """
    verb = "lose" if paid < 0 else "get"
    count = "no points" if paid == 0 else "1 point" if abs(paid) == 1 else f"{abs(paid)} points"
    return f"{verb}{'' if you else 's'} {count}"
