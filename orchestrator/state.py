"""What a run is at one commit: a fold of its journal, frozen.

Named tuples, not dataclasses: `_replace` is the commonest thing that happens to them,
and costs a named tuple a third of what `dataclasses.replace` takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from utils.journal import NO_HASH
from utils.protocol import Ask, Granted
from worlds.measures import Counted
from worlds.seam import Answer

Phase = Literal["new", "gathering", "running", "ended", "closed"]

NOTHING: Mapping[Any, Any] = {}
"""No entries. Typed so that nothing writes to it; plain, so that a snapshot can hold it."""

VANISHED = "vanished"
"""The incident that commits vanished which nobody holds."""

PAGE = 1_024
"""Nonces of one author that are kept together, and forgotten together."""
REMEMBERED_PAGES = 4
"""Full pages kept of each author, beside the one being filled: what it says in the seconds
that a server may lose."""
BOTS_OF_A_PAGE = 256
"""One page more for so many bots: a host has at most four inputs of a bot outstanding."""
REMEMBERED_AUTHORS = 20_000

Nonces = Mapping[str, tuple[Mapping[str, None], ...]]
"""Author to the pages of nonces remembered of it, the oldest first. Mappings for their keys:
as quick to look in at any length, and always in the same order."""


class Seat(NamedTuple):
    """Which host serves a bot. `host` is none while no host does.

    `absent` says that the bot kept a turn waiting while nobody served it: policies
    pass it over until it is seated again.
    """

    number: int = 0
    host: str | None = None
    absent: bool = False


class Grant(NamedTuple):
    """A live grant, with the hash of the commit that made it: the fence.

    `fell_back` says that the world has acted for the bot in the meantime. `extended_ms`
    is the deadline it was given later, 0 where it was given none.
    """

    event: Granted
    seq: int
    commit_sha256: str = ""
    fell_back: bool = False
    extended_ms: int = 0

    @property
    def ask(self) -> Ask:
        """What is asked."""
        return self.event.ask

    @property
    def deadline_ms(self) -> int:
        """Journal time until which the bot may answer."""
        return max(self.event.deadline_ms, self.extended_ms)

    @property
    def granted_ms(self) -> int:
        """Journal time at which it was made."""
        return self.event.deadline_ms - self.event.allow_ms


class Floor(NamedTuple):
    """One channel: its members, its turn, and what has become of the turn so far.

    Attributes:
        members: In order; the order is the ring.
        turn: The number of the turn that is open or opens next, from 1.
        round: The round of the turn that is open.
        asked: How many bots this turn asks at once; 0 before its first grant.
        live: Grants of this turn that are not closed.
        answers: Grants of this turn that were acted on or passed.
        revoked: Bots whose grants of this turn were revoked, once for each time.
        last_speaker: Who was heard last.
        addressee: Whom the last speaker addressed.
        held: Bot to the turn in which it last held the floor, whatever came of it.
        again: Bots whose grant a fork took back, and that are to be asked again.
    """

    channel: str
    members: tuple[str, ...]
    hears: str
    policy: str
    turns: int | None
    turn: int = 1
    round: int = 0
    asked: int = 0
    live: tuple[Grant, ...] = ()
    answers: tuple[Answer, ...] = ()
    revoked: tuple[str, ...] = ()
    last_speaker: str | None = None
    addressee: str | None = None
    held: Mapping[str, int] = NOTHING
    again: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether the channel has had all its turns."""
        return self.turns is not None and self.turn > self.turns


class State(NamedTuple):
    """A run at commit `seq`.

    Attributes:
        cursor: Id of the last floor entry consumed.
        began_ms, acted_ms: Journal time of the beginning, and of the last action.
        turns: Turns closed so far, in all channels.
        epochs: Grants made so far; the last one's epoch.
        seatings: Seat numbers used so far.
        floors: Channel name to floor, in the order they were opened.
        nonces: Author to the nonces remembered of it, in pages.
        tops: Channel and inbox names to (seq, hash) of the last commit with an entry
            there, as `<seq>:<hash>`. A closed channel's is forgotten.
        rooms: Bot to the channels it is in and the last closed ones it was in, in the
            order it came to them.
        muted: Bots that are granted nothing.
        paused_at_ms: Journal time since when the run is paused, none while it is not.
        paused_ms: Time it was paused before that.
        steps: Turns that may yet close in the pause.
        clock: (journal time, world time) between which the world's clock was last set.
        measured: What was measured last, by name, of the run as a whole.
        counted: What was said so far, as the measures of the scenario need it.
        fired: Trigger to how often it did what it is there for.
        missed: How many grants had been made when it was last said that commits vanished,
            and what was said.
        world: The world's own state.
    """

    world: Any
    run: str = ""
    seq: int = 0
    sha256: str = NO_HASH
    at_ms: int = 0
    cursor: str = "0-0"
    phase: Phase = "new"
    began_ms: int = 0
    acted_ms: int = 0
    world_ms: int = 0
    turns: int = 0
    epochs: int = 0
    seatings: int = 0
    seats: Mapping[str, Seat] = NOTHING
    floors: Mapping[str, Floor] = NOTHING
    nonces: Nonces = NOTHING
    tops: Mapping[str, str] = NOTHING
    rooms: Mapping[str, tuple[str, ...]] = NOTHING
    muted: tuple[str, ...] = ()
    paused_at_ms: int | None = None
    paused_ms: int = 0
    steps: int = 0
    clock: tuple[int, int] = (0, 0)
    measured: Mapping[str, float] = NOTHING
    counted: Counted = Counted()
    fired: Mapping[int, int] = NOTHING
    missed: tuple[int, str] = (-1, "")

    @property
    def is_paused(self) -> bool:
        """Whether nothing new may be granted now."""
        return self.paused_at_ms is not None and not self.steps

    def live(self) -> list[Grant]:
        """List the live grants, channel by channel."""
        return [grant for floor in self.floors.values() for grant in floor.live]

    def grant(self, epoch: int) -> Grant | None:
        """Find a live grant by its epoch."""
        return next((grant for grant in self.live() if grant.event.epoch == epoch), None)


def with_floor(state: State, floor: Floor) -> State:
    """Put a floor in its channel's place."""
    return state._replace(floors={**state.floors, floor.channel: floor})


def is_known(nonces: Nonces, author: str, nonce: str) -> bool:
    """Tell whether an author said something with this nonce before, as far as is remembered."""
    return any(nonce in page for page in nonces.get(author, ()))


def remember(nonces: Nonces, author: str, nonce: str, *, bots: int) -> Nonces:
    """Add a nonce to those remembered, and drop what is over the bounds.

    Args:
        bots: How many the run has.

    Example:
        >>> remember({}, "host-1", "a", bots=3)
        {'host-1': ({'a': None},)}
    """
    kept = dict(nonces)
    *full, last = kept.pop(author, (NOTHING,))
    if nonce not in last:
        if len(last) >= PAGE:
            full, last = [*full, last], NOTHING
        last = {**last, nonce: None}
    kept[author] = (*full[-_full_pages(bots) :], last)
    if len(kept) > REMEMBERED_AUTHORS:
        del kept[next(iter(kept))]
    return kept


def _full_pages(bots: int) -> int:
    return REMEMBERED_PAGES + -(-bots // BOTS_OF_A_PAGE)
