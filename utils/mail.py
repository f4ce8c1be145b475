"""What the leader writes beside the journal: entries of channels and of inboxes.

Both are projections of commits, under the commits' own ids. An entry names the commit
it comes from, and the commit of the entry before it in the same stream, so that a
reader can tell that nothing is missing in between.
"""

from __future__ import annotations

from utils.names import Name
from utils.protocol import (
    ChannelOpened,
    Count,
    EventField,
    Frozen,
    Granted,
    MemberJoined,
    Sha256,
)

REMEMBERED_ROOMS = 64
"""Closed channels whose words stay in reach of a bot's memory; older ones are in the record."""

KEPT_MESSAGES = 5_000
"""Most messages a bot keeps in reach of its memory; older ones are in the record."""


class StandingGrant(Frozen):
    """A live grant, with its commit's number, and its hash by which a proposal names it."""

    event: Granted
    seq: Count
    commit_sha256: Sha256


class ChannelEntry(Frozen):
    """What one commit let be heard in one channel."""

    seq: Count
    commit_sha256: Sha256
    prev: str
    at_ms: Count
    events: tuple[EventField, ...]


class InboxEntry(Frozen):
    """What one commit means for the seats of one host.

    Written only where there is something to act on. `nonces` are those of the host's own
    inputs that this commit consumed. `standing` holds the grants that the host's seats
    may answer from now on: those just made, and those that a bot seated just now finds
    waiting. `rooms` has, for each bot seated just now, the channels it is in, and the
    last `REMEMBERED_ROOMS` closed ones it was in: what there is to have heard.
    """

    seq: Count
    commit_sha256: Sha256
    prev: str
    at_ms: Count
    nonces: tuple[str, ...]
    events: tuple[EventField, ...]
    standing: tuple[StandingGrant, ...] = ()
    rooms: dict[Name, tuple[Name, ...]] = {}

    def entered(self) -> dict[str, list[str]]:
        """List the channels that bots have come to, or come anew to as they are seated."""
        entered = {bot: list(channels) for bot, channels in self.rooms.items()}
        for event in self.events:
            if isinstance(event, ChannelOpened | MemberJoined):
                come = event.members if isinstance(event, ChannelOpened) else (event.bot,)
                for bot in come:
                    entered.setdefault(bot, []).append(event.channel)
        return entered
