"""What one bot has heard, in order: a fold of its channels' entries. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from utils.mail import ChannelEntry
from utils.protocol import ChannelOpened, Heard, MemberJoined, MemberLeft

KEPT_MESSAGES = 5_000
"""Most messages a bot keeps in reach of its memory; older ones stay in the record."""


@dataclass(slots=True)
class Hearing:
    """What a bot heard so far, the latest last, at most `KEPT_MESSAGES`.

    `heard` has each message with the number of its commit. Mutable, and owned by one
    seat: it grows by one entry at a time.
    """

    bot: str
    heard: deque[tuple[int, Heard]] = field(default_factory=lambda: deque(maxlen=KEPT_MESSAGES))
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def take(self, entry: ChannelEntry) -> None:
        """Take in what one commit let be heard in one channel."""
        for event in entry.events:
            match event:
                case ChannelOpened():
                    self.members[event.channel] = event.members
                case MemberJoined():
                    known = self.members.get(event.channel, ())
                    self.members[event.channel] = (*known, event.bot)
                case MemberLeft():
                    known = self.members.get(event.channel, ())
                    left = tuple(member for member in known if member != event.bot)
                    self.members[event.channel] = left
                case Heard() if self.hears(event):
                    self.heard.append((entry.seq, event))

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
