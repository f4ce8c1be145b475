"""What the two games differ in: who is asked what, and what follows from the answers."""

from __future__ import annotations

from typing import Protocol

from pydantic import JsonValue

from utils.protocol import Action, AskAct, Event, Heard
from worlds.naming.state import Encounter, Met, NamingState
from worlds.seam import Answered


class Variant(Protocol):
    """One of the games. Inherit from it.

    Attributes:
        policy: The policy of an encounter's channel.
    """

    policy: str

    def asked(self, encounter: Encounter) -> tuple[str, ...]:
        """Tell whom the encounter waits for."""
        ...

    def ask(self, state: NamingState, bot: str, encounter: Encounter) -> AskAct:
        """Ask a bot of the pair what it is its turn to tell."""
        ...

    def follow(self, state: NamingState, encounter: Encounter, cause: Answered) -> list[Event]:
        """Tell what follows from a turn; a `naming.met` ends the encounter."""
        ...

    def remember(self, state: NamingState, met: Met) -> NamingState:
        """Take an encounter that is over into what the bots hold."""
        ...

    def view(self, state: NamingState, bot: str) -> JsonValue:
        """Show what a bot holds."""
        ...


def action_of(cause: Answered, bot: str) -> Action | None:
    """Find what a bot did; none when it gave up or was not asked."""
    return next((one.action for one in cause.answers if one.bot == bot), None)


def heard(cause: Answered, text: str, *, by: str | None = None, only: str | None = None) -> Heard:
    """Let something be heard.

    Args:
        by: Whose answer it was; none for the game's own voice.
        only: Who alone hears it; none for both.
    """
    answer = next((one for one in cause.answers if one.bot == by), None)
    return Heard(
        channel=cause.channel,
        turn=cause.turn,
        round=cause.round,
        speaker=by,
        audience="all" if only is None else (only,),
        text=text,
        epoch=answer.epoch if answer else None,
        call_sha256=answer.call_sha256 if answer else None,
    )
