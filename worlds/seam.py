"""The world's seam: what the engine asks of the rules of a place. All of it is pure.

A world decides what is asked, what may be done, what follows, and who hears it. The
engine keeps the rest: seats, grants, deadlines, order. See docs/worlds.md for how to
write one (later), and `worlds/salon` for the smallest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pydantic import JsonValue

from utils.protocol import Action, Ask, Event
from utils.seeds import Chance
from utils.spec import Spec

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class WorldTime:
    """Now, for rules: `at_ms` in journal time, `world_ms` on the world's own clock."""

    at_ms: int
    world_ms: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What one bot did with its grant; `action` is none when the grant was given up."""

    bot: str
    epoch: int
    action: Action | None
    call_sha256: str | None


@dataclass(frozen=True, slots=True)
class Began:
    """The run begins: open channels, say openings."""


@dataclass(frozen=True, slots=True)
class Woke:
    """The time the world asked to be woken at has come."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A channel's turn closed: every bot that was asked, in seat order."""

    channel: str
    turn: int
    round: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class BotJoined:
    """A host seats the bot."""

    bot: str


@dataclass(frozen=True, slots=True)
class BotLeft:
    """No host seats the bot any more."""

    bot: str


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody outside tells the world to do something."""

    verb: str
    args: JsonValue


Cause = Began | Woke | Answered | BotJoined | BotLeft | Told


class World(Protocol[S]):
    """The rules of a place. `S` is the world's own frozen state."""

    def initial(self, spec: Spec) -> S:
        """Make the state before the first event."""

    def evolve(self, state: S, event: Event) -> S:
        """Take one event of the journal into the state."""

    def wake_ms(self, state: S) -> int | None:
        """Tell the world time to be woken at, if any."""

    def decide(
        self, state: S, causes: Sequence[Cause], now: WorldTime, chance: Chance
    ) -> list[Event]:
        """Tell what follows. `Heard` events leave their `message_id` to the engine."""

    def ask(self, state: S, bot: str, channel: str) -> Ask:
        """Tell what a grant asks of this bot in this channel."""

    def fallback(self, state: S, bot: str, ask: Ask) -> Action | None:
        """Tell what a bot does that has not answered by `due_ms`, if anything."""

    def view(self, state: S, bot: str | None) -> JsonValue:
        """Show what a bot, or with none an observer, may see."""
