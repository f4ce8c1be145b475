"""A commit at which a run can be forked, and what is known of the run there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from utils.journal import Sealed
from utils.lineage import Era, era_at
from utils.protocol import (
    Acted,
    Began,
    ChannelClosed,
    ChannelOpened,
    Ended,
    Forked,
    Granted,
    Heard,
    MemberJoined,
    MemberLeft,
    Passed,
    Revoked,
    TurnClosed,
    Unheard,
)

KEPT_SPOKEN = 3
"""Messages remembered of each channel: one may be taken back, and the one before counts then."""


@dataclass(slots=True)
class Room:
    """One open channel.

    Attributes:
        turn, round: Of the turn that is open or opens next.
        heard: The last messages, the latest last.
        is_addressed: Whether whom the last speaker addressed still counts.
    """

    members: tuple[str, ...]
    turn: int = 1
    round: int = 0
    heard: list[Heard] = field(default_factory=list)
    spoken: list[Heard] = field(default_factory=list)
    is_addressed: bool = True

    def hear(self, event: Heard) -> None:
        """Take in a message."""
        self.heard = [*self.heard, event][-KEPT_SPOKEN:]
        if event.speaker is not None:
            self.spoken, self.is_addressed = [*self.spoken, event][-KEPT_SPOKEN:], True

    def forget(self, message_id: str) -> None:
        """Let a message not have been."""
        self.heard = [one for one in self.heard if one.message_id != message_id]
        self.spoken = [one for one in self.spoken if one.message_id != message_id]

    def last_without(self, message_id: str) -> tuple[str | None, str | None]:
        """Tell the last speaker and whom it addressed, had a message not been."""
        spoken = [one for one in self.spoken if one.message_id != message_id]
        if not spoken:
            return None, None
        return spoken[-1].speaker, spoken[-1].addressee if self.is_addressed else None


@dataclass(frozen=True, slots=True)
class ForkPoint:
    """Where a run is forked.

    Attributes:
        run: The run whose commit it is: of a fork's beginning, the parent.
        era: The scenario in force there.
        epochs: The grants that were closed by then.
        rooms: The channels that are open, in order, and what is known of each.
        turns: Turns closed by then, in all channels.
    """

    run: str
    seq: int
    sha256: str
    era: Era
    epochs: frozenset[int]
    rooms: Mapping[str, Room]
    turns: int


class Reading:
    """A run, commit by commit, as far as a fork needs to know it.

    Attributes:
        closed: Channel to its turns closed so far.
        seen: Every channel there was.
    """

    def __init__(self, eras: Sequence[Era]) -> None:
        self.seq = self.turns = 0
        self.is_over = False
        self.closed: dict[str, int] = {}
        self.seen: set[str] = set()
        self._eras, self._run = eras, ""
        self._rooms: dict[str, Room] = {}
        self._epochs: set[int] = set()

    def take(self, sealed: Sealed) -> None:
        """Take in a commit."""
        self.seq = sealed.seq
        for event in sealed.commit.events:
            match event:
                case Began() | Forked():
                    self._run = event.run
                case Ended():
                    self.is_over = True
                case Acted() | Passed() | Revoked():
                    self._epochs.add(event.epoch)
                case ChannelOpened() | ChannelClosed() | MemberJoined() | MemberLeft():
                    self._move(event)
                case _:
                    self._talk(event)

    def point(self, sealed: Sealed) -> ForkPoint:
        """Tell what is known at the last commit taken in."""
        return ForkPoint(
            run=self._run,
            seq=sealed.seq,
            sha256=sealed.sha256,
            era=era_at(self._eras, sealed.seq),
            epochs=frozenset(self._epochs),
            rooms=self._rooms,
            turns=self.turns,
        )

    def _move(self, event: ChannelOpened | ChannelClosed | MemberJoined | MemberLeft) -> None:
        room = self._rooms.get(event.channel)
        if isinstance(event, ChannelOpened):
            self._rooms[event.channel] = Room(event.members)
            self.seen.add(event.channel)
        elif isinstance(event, ChannelClosed):
            self._rooms.pop(event.channel, None)
        elif room and isinstance(event, MemberJoined):
            room.members = (*room.members, event.bot)
        elif room:
            room.members = tuple(one for one in room.members if one != event.bot)

    def _talk(self, event: object) -> None:
        if isinstance(event, TurnClosed):
            self.turns += 1
            self.closed[event.channel] = event.turn
        if not isinstance(event, TurnClosed | Granted | Heard | Unheard):
            return
        room = self._rooms.get(event.channel)
        match event:
            case _ if room is None:
                pass
            case TurnClosed():
                room.turn = event.turn + 1
                room.is_addressed = room.is_addressed and event.outcome == "acted"
            case Granted():
                room.round = event.round
            case Heard():
                room.hear(event)
            case Unheard():
                room.forget(event.message_id)
