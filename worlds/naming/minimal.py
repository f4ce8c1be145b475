"""The minimal naming game: one utters a word, the other says whether it knows it.

Source:
    Baronchelli, Felici, Loreto, Caglioti and Steels 2006, Sharp transition towards
    shared vocabularies in multi-agent systems (J. Stat. Mech. P06014).
"""

from __future__ import annotations

import json
import re

from pydantic import JsonValue

from utils.protocol import Act, Action, AskAct, Event, Frozen
from worlds.naming.state import Encounter, Met, NamingState
from worlds.naming.variant import Variant, action_of, heard
from worlds.seam import Answered

INVENTED = r"^[a-z]{1,24}$"
"""What a made-up word may be."""

UTTER, KNOW = "utter", "know"

_INVENTED = re.compile(INVENTED.strip("^$"))


class SpeakerView(Frozen):
    """What a speaker may see: its words, oldest first."""

    inventory: tuple[str, ...]


class HearerView(Frozen):
    """What a hearer may see: its words, and the one uttered."""

    inventory: tuple[str, ...]
    word: str


class Minimal(Variant):
    """The speaker's turn, then the hearer's; success leaves either with the one word."""

    policy = "round_robin"

    def asked(self, encounter: Encounter) -> tuple[str, ...]:
        return (encounter.speaker if encounter.word is None else encounter.hearer,)

    def ask(self, state: NamingState, bot: str, encounter: Encounter) -> AskAct:
        inventory = state.inventories[bot]
        if encounter.word is None:
            return _ask_to_utter(inventory)
        return _ask_whether_known(inventory, encounter.word)

    def follow(self, state: NamingState, encounter: Encounter, cause: Answered) -> list[Event]:
        """Let the word be heard, then the answer; without a word or an answer, none of it."""
        if encounter.word is None:
            inventory = state.inventories[encounter.speaker]
            word = word_in(action_of(cause, encounter.speaker), inventory)
            if word is not None:
                return [heard(cause, word, by=encounter.speaker)]
            return [heard(cause, "No word was said."), _met(encounter).event()]
        answer = answer_in(action_of(cause, encounter.hearer))
        said = (
            heard(cause, "There was no answer.")
            if answer is None
            else heard(cause, "yes" if answer else "no", by=encounter.hearer)
        )
        knew = encounter.word in state.inventories[encounter.hearer]
        return [said, _met(encounter, answer=answer, knew=knew).event()]

    def remember(self, state: NamingState, met: Met) -> NamingState:
        """Collapse both inventories, or let the hearer learn the word."""
        if not met.words or met.words[0] is None:
            return state
        word, held = met.words[0], state.inventories
        ofs, ofh = held[met.speaker] or (word,), held[met.hearer]
        if met.success:
            ofs = ofh = (word,)
        elif met.answer is not None and word not in ofh:
            ofh = (*ofh, word)
        return state._replace(inventories={**held, met.speaker: ofs, met.hearer: ofh})

    def view(self, state: NamingState, bot: str) -> JsonValue:
        return {"inventory": [*state.inventories[bot]]}


def word_in(action: Action | None, inventory: tuple[str, ...]) -> str | None:
    """Read an action as a word that may be uttered: of the inventory, or a new one if empty.

    Case, and space at the ends, do not count.

    Example:
        >>> word_in(Act(name="utter", args=" Tarbu"), ())
        'tarbu'
        >>> word_in(Act(name="utter", args="tarbu"), ("mola",)) is None
        True
    """
    if not isinstance(action, Act) or not isinstance(action.args, str):
        return None
    word = action.args.strip().casefold()
    is_legal = word in inventory if inventory else _INVENTED.fullmatch(word)
    return word if is_legal else None


def answer_in(action: Action | None) -> bool | None:
    """Read an action as yes or no."""
    is_answer = isinstance(action, Act) and isinstance(action.args, bool)
    return bool(action.args) if is_answer and isinstance(action, Act) else None


def _met(encounter: Encounter, *, answer: bool | None = None, knew: bool | None = None) -> Met:
    return Met(
        encounter=encounter.number,
        speaker=encounter.speaker,
        hearer=encounter.hearer,
        words=() if encounter.word is None else (encounter.word,),
        success=answer is True,
        answer=answer,
        knew=knew,
    )


def _ask_to_utter(inventory: tuple[str, ...]) -> AskAct:
    if inventory:
        text = (
            "You and another player are looking at the same thing. You have heard or used "
            f"these words for it: {_quoted(inventory)}. Name it to the other player with one "
            "of these words. Answer with the word in double quotes, and nothing else."
        )
        schema: JsonValue = {"type": "string", "enum": [*inventory]}
    else:
        text = (
            "You and another player are looking at the same thing. You have no word for it "
            "yet. Make up a word of 1 to 24 letters from a to z, one that is in no language "
            "you know, and name it to the other player with it. Answer with the word in "
            "double quotes, and nothing else."
        )
        schema = {"type": "string", "pattern": INVENTED}
    view: JsonValue = {"inventory": [*inventory]}
    return AskAct(name=UTTER, text=text, answer_schema=schema, legal=inventory, view=view)


def _ask_whether_known(inventory: tuple[str, ...], word: str) -> AskAct:
    known = f"these words for it: {_quoted(inventory)}" if inventory else "no word for it"
    text = (
        "You and another player are looking at the same thing. The other player calls it "
        f"{_quoted((word,))}. Before this you have heard or used {known}. Is the other's word "
        "one of yours? Answer true or false, and nothing else."
    )
    view: JsonValue = {"inventory": [*inventory], "word": word}
    schema: JsonValue = {"type": "boolean"}
    return AskAct(name=KNOW, text=text, answer_schema=schema, legal=(True, False), view=view)


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join(json.dumps(word, ensure_ascii=False) for word in words)
