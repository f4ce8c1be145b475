"""The world's seam: what the engine asks of the rules of a place. All of it is pure.

A world decides what is asked, what may be done, what follows, and who hears it. The
engine keeps the rest: seats, grants, deadlines, order. docs/worlds.md shows how to write
one; `worlds/salon` is the smallest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pydantic import JsonValue

from utils.protocol import (
    Action,
    Ask,
    AskSay,
    ChannelClosed,
    ChannelOpened,
    Ended,
    Event,
    Heard,
    Incident,
    Measured,
    MemberJoined,
    MemberLeft,
    OpenEvent,
)
from utils.seeds import Chance
from utils.spec import Spec

S = TypeVar("S")

WORLDLY = (
    *(ChannelOpened, ChannelClosed, MemberJoined, MemberLeft),
    *(Heard, Measured, Incident, Ended, OpenEvent),
)
"""The events a world may decide on; all others are the engine's."""


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


class Asked(Protocol):
    """What a rule may know of a grant it answers for a bot, beside the ask itself.

    A world's own rule minds take this; a host's whole request is one.
    """

    @property
    def bot(self) -> str:
        """Who is asked."""

    @property
    def ask(self) -> Ask:
        """What is asked."""

    @property
    def seed(self) -> int:
        """The grant's seed, in [0, 2**31)."""


class World(Protocol[S]):
    """The rules of a place. Inherit from it: what a world does not need is there already.

    `S` is the world's own state: a frozen dataclass or named tuple of values that JSON
    can carry (tuples, mappings with text for keys, models of `utils.protocol`; no sets,
    whose order is not the same twice), typed so that pydantic can read it back. It is
    hashed every so often and kept in snapshots.
    """

    def initial(self, spec: Spec) -> S:
        """Make the state before the first event.

        Raises:
            BadInput: The scenario asks of this world what it cannot do; see
                `worlds.settings.read`.
        """
        ...

    def evolve(self, state: S, event: Event) -> S:
        """Take one event of the journal into the state, whoever decided on it."""
        ...

    def forked(self, state: S, spec: Spec) -> S:
        """Go on under another scenario: the run is forked here, and this is the fork's.

        What the state took from the spec in `initial` and may differ (a seed, a name) is
        taken from the new one; what has happened stays. That nobody is seated any more is
        no cause: to the world nobody left. A revoked grant's reason is then `forked`, and
        the bot is to be asked again as if it had not been.
        """
        return state

    def decide(
        self, state: S, causes: Sequence[Cause], now: WorldTime, chance: Chance
    ) -> list[Event]:
        """Tell what follows, with events of the kinds in `WORLDLY`.

        `Heard` events leave their `message_id` to the engine. A channel's name is used
        once in a run. Closing a channel, or a member's leaving, revokes what is live.
        """
        ...

    def asked(self, state: S, channel: str) -> Sequence[str] | None:
        """Tell whom the channel's next turn may be granted to; none for any member.

        An empty sequence leaves the channel silent for now. The channel's policy
        chooses among these. If nobody among them can be reached, they are asked all
        the same and given up in time, so that no world waits for ever.
        """
        return None

    def ask(self, state: S, bot: str, channel: str) -> Ask:
        """Tell what a grant asks of this bot in this channel."""
        return AskSay(max_chars=4_000)

    def wake_ms(self, state: S) -> int | None:
        """Tell the world time to be woken at, if any: later than the last, in ms."""
        return None

    def due_ms(self, state: S, bot: str, channel: str) -> int | None:
        """Tell the world time by which a grant made now should be answered, if any.

        When the world wakes at that time or later and the grant is still live, `fallback`
        acts; the answer is welcome until the grant's deadline all the same. In the
        paces `turns` and `free` the world is not woken before such grants are closed.
        """
        return None

    def fallback(self, state: S, bot: str, ask: Ask) -> Action | None:
        """Tell what is done for a bot that has not answered when it was due, if anything."""
        return None

    def measures(self, name: str) -> bool:
        """Whether this world measures what a scenario's end waits for."""
        return False

    def view(self, state: S, bot: str | None) -> JsonValue:
        """Show what a bot, or with none an observer, may see."""
        return None
