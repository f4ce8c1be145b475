"""What one bot has heard, in order: a fold of its channels' entries. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from utils.mail import REMEMBERED_ROOMS, ChannelEntry
from utils.protocol import ChannelClosed, ChannelOpened, Heard, MemberJoined, MemberLeft, Unheard

KEPT_MESSAGES = 5_000
"""Most messages a bot keeps in reach of its memory; older ones stay in the record."""

KEPT_COMPANIES = 64
"""Of how many changes of who is there a channel keeps what was before."""


@dataclass(slots=True)
class Hearing:
    """What a bot heard so far, the latest last, at most `KEPT_MESSAGES`.

    Mutable, and owned by one seat: it grows by one entry at a time.

    Attributes:
        heard: Each message with the number of its commit.
        members: Channel to its members.
        companies: Channel to who its members were, each time with the commit since when.
        upto: Channel to the last commit taken in: what comes twice is heard once.
        rooms: The channels the bot came to, in that order; of closed ones the last
            `REMEMBERED_ROOMS`, and what was said in those before is out of reach.
        closed: Those of them that are closed.
    """

    bot: str
    heard: deque[tuple[int, Heard]] = field(default_factory=lambda: deque(maxlen=KEPT_MESSAGES))
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    companies: dict[str, deque[tuple[int, tuple[str, ...]]]] = field(default_factory=dict)
    upto: dict[str, int] = field(default_factory=dict)
    rooms: list[str] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)

    def take(self, channel: str, entry: ChannelEntry) -> None:
        """Take in what one commit let be heard in a channel, unless that is known already."""
        if entry.seq <= self.upto.get(channel, 0):
            return
        self.upto[channel] = entry.seq
        for event in entry.events:
            match event:
                case ChannelOpened():
                    self._set(event.channel, event.members, entry.seq)
                case ChannelClosed():
                    self.closed.add(event.channel)
                    self._forget_old_rooms()
                case MemberJoined():
                    known = self.members.get(event.channel, ())
                    self._set(event.channel, (*known, event.bot), entry.seq)
                case MemberLeft():
                    known = self.members.get(event.channel, ())
                    left = tuple(member for member in known if member != event.bot)
                    self._set(event.channel, left, entry.seq)
                case Heard() if self.hears(event):
                    self._hear(entry.seq, event)
                case Unheard():
                    kept = [one for one in self.heard if one[1].message_id != event.message_id]
                    self.heard = deque(kept, maxlen=KEPT_MESSAGES)

    def hears(self, event: Heard) -> bool:
        """Tell whether this bot is in the audience."""
        if event.audience == "all":
            return self.bot in self.members.get(event.channel, ())
        return self.bot in event.audience

    def latest(self, *, upto: int) -> Iterator[Heard]:
        """Go through what was heard up to a commit, the newest first.

        A grant is answered with what was heard when it was made, even if more has been
        heard since: so a bot that is seated anew answers as it would have before.
        """
        for seq, event in reversed(self.heard):
            if seq <= upto:
                yield event

    def members_at(self, channel: str, *, upto: int) -> tuple[str, ...]:
        """Tell who was in a channel at a commit, in order; the bot alone if nobody is known.

        Not who is there now: a host may have heard who came or went after the grant.
        """
        known = reversed(self.companies.get(channel, ()))
        return next((members for seq, members in known if seq <= upto), (self.bot,))

    def _hear(self, seq: int, event: Heard) -> None:
        """Put a message where it belongs: channels are read one after another."""
        if self.heard and _place(seq, event) < _place(*self.heard[-1]):
            kept = sorted((*self.heard, (seq, event)), key=lambda one: _place(*one))
            self.heard = deque(kept, maxlen=KEPT_MESSAGES)
        else:
            self.heard.append((seq, event))

    def _set(self, channel: str, members: tuple[str, ...], seq: int) -> None:
        self.members[channel] = members
        kept = self.companies.setdefault(channel, deque(maxlen=KEPT_COMPANIES))
        kept.append((seq, members))
        if self.bot in members and channel not in self.rooms:
            self.rooms.append(channel)
            self._forget_old_rooms()

    def _forget_old_rooms(self) -> None:
        """Keep within reach only the closed rooms a host that comes anew is told of."""
        closed = [room for room in self.rooms if room in self.closed]
        for room in closed[:-REMEMBERED_ROOMS]:
            self.rooms.remove(room)
            self.closed.discard(room)
            self.members.pop(room, None)
            self.companies.pop(room, None)
            kept = [(seq, event) for seq, event in self.heard if event.channel != room]
            self.heard = deque(kept, maxlen=KEPT_MESSAGES)


def _place(seq: int, event: Heard) -> tuple[int, int]:
    """Tell where in the journal a message stands: its commit, its index there."""
    return seq, int(event.message_id.rpartition(".")[2] or 0)
