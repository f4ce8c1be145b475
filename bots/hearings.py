"""What every bot of a run has heard, from its journal alone: as hosts hear it. Pure.

Hosts read channels, never the journal. A dataset holds the journal, and what a commit
lets be heard in a channel follows from its events: so each bot is told of those here, as
its host was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bots.hearing import Hearing
from utils.journal import Sealed
from utils.mail import ChannelEntry
from utils.protocol import (
    ChannelClosed,
    ChannelOpened,
    Event,
    Heard,
    MemberJoined,
    MemberLeft,
    Unheard,
)

TOLD = (ChannelOpened, ChannelClosed, MemberJoined, MemberLeft, Heard, Unheard)


@dataclass(slots=True)
class _Room:
    """An open channel: who is in it since which commit, and who was ever in it."""

    since: int = 0
    members: tuple[str, ...] = ()
    hearers: dict[str, Hearing] = field(default_factory=dict)


class Hearings:
    """A fold of commits. A commit costs what it tells, to those it tells it to.

    Args:
        bots: Every bot of the run.

    Attributes:
        of: Bot to what it has heard.
    """

    def __init__(self, bots: Iterable[str]) -> None:
        self.of = {bot: Hearing(bot) for bot in bots}
        self._rooms: dict[str, _Room] = {}

    def take(self, sealed: Sealed) -> None:
        """Take in a commit."""
        told: dict[str, list[Event]] = {}
        for event in sealed.commit.events:
            if isinstance(event, TOLD):
                told.setdefault(event.channel, []).append(event)
        for channel, events in told.items():
            self._tell(channel, _entry(sealed.seq, events))

    def _tell(self, channel: str, entry: ChannelEntry) -> None:
        room = self._rooms.setdefault(channel, _Room())
        members = room.members
        for event in entry.events:
            if isinstance(event, ChannelOpened):
                members = event.members
            elif isinstance(event, MemberJoined):
                members = (*members, event.bot)
            elif isinstance(event, MemberLeft):
                members = tuple(member for member in members if member != event.bot)
            else:
                continue
            self._enter(channel, members)
        for hearing in room.hearers.values():
            hearing.take(channel, entry)
        if members != room.members:
            room.since, room.members = entry.seq, members
        if any(isinstance(event, ChannelClosed) for event in entry.events):
            del self._rooms[channel]

    def _enter(self, channel: str, members: Sequence[str]) -> None:
        """Let those who are new here know who was here before them."""
        room = self._rooms[channel]
        for bot in members:
            if bot not in room.hearers and bot in self.of:
                hearing = room.hearers[bot] = self.of[bot]
                if room.since:
                    opened = ChannelOpened(
                        channel=channel, members=room.members, hears="all", policy="any"
                    )
                    hearing.take(channel, _entry(room.since, [opened]))


def _entry(seq: int, events: Sequence[Event]) -> ChannelEntry:
    """Make what one commit lets be heard in a channel, as far as a hearing looks at it."""
    return ChannelEntry.model_construct(
        seq=seq, commit_sha256="", prev="", at_ms=0, events=tuple(events)
    )
