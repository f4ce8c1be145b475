"""Who is in which channel, hears what there, and is answered: what tallies are made from.

A channel is forgotten when it closes: a run of a hundred thousand encounters holds no
more than are open at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from analytics.tallies import Tally
from utils.protocol import Heard


@dataclass(slots=True)
class Room:
    """One channel: who hears in it, and whether those who were addressed spoke.

    What all members hear is counted once, not once a member: a room of ten thousand
    costs no more a message than a room of two.

    Attributes:
        members: Member to what `heard_by_all` was when it joined.
        closed_turn: The last turn that closed, 0 before the first.
        turn: The last turn in which a bot spoke, and `speakers` those who did.
        asked: (speaker, addressee) of each message of that turn that named somebody.
        before: The same of the turn before it in which a bot spoke.
    """

    members: dict[str, int] = field(default_factory=dict)
    heard_by_all: int = 0
    closed_turn: int = 0
    turn: int = 0
    speakers: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    before: list[tuple[str, str]] = field(default_factory=list)

    def join(self, bot: str) -> None:
        """Let a bot hear from now on."""
        self.members.setdefault(bot, self.heard_by_all)

    def leave(self, bot: str) -> int:
        """Let a bot hear no more; how much of what all heard it had heard."""
        return self.heard_by_all - self.members.pop(bot, self.heard_by_all)

    def spoke(self, speaker: str, addressee: str | None, turn: int) -> list[str]:
        """Note who spoke to whom; the bots now known to have been ignored, once a message.

        Example:
            >>> room = Room()
            >>> room.spoke("ada", "bo", turn=1), room.spoke("cy", "ada", turn=2)
            ([], [])
            >>> room.spoke("ada", None, turn=3)
            ['ada']
        """
        ignored = []
        if turn != self.turn:
            ignored = self.ignored()
            self.before, self.asked = self.asked, []
            self.speakers, self.turn = set(), turn
        self.speakers.add(speaker)
        if addressee is not None:
            self.asked.append((speaker, addressee))
        return ignored

    def ignored(self) -> list[str]:
        """Name the speakers of the turn before whose addressees did not speak in the last."""
        return [speaker for speaker, addressee in self.before if addressee not in self.speakers]


class Rooms:
    """The channels that are open.

    Args:
        tally: Finds a bot's tally, to which what it heard is credited.
    """

    def __init__(self, tally: Callable[[str], Tally]) -> None:
        self._tally = tally
        self._open: dict[str, Room] = {}
        self._just_closed: dict[str, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def open(self, channel: str, members: Iterable[str]) -> None:
        """Let a channel be there."""
        room = self._open[channel] = Room()
        for bot in members:
            room.join(bot)

    def close(self, channel: str) -> None:
        """Credit what was heard in a channel, and forget it.

        Its members hear what is said there in the rest of the commit all the same.
        """
        room = self._open.pop(channel, None)
        if room is None:
            return
        self._just_closed[channel] = tuple(room.members)
        for bot in list(room.members):
            self._tally(bot).received += room.leave(bot)
        for bot in room.ignored():
            self._tally(bot).ignored += 1

    def close_all(self) -> None:
        """Credit what was heard in the channels that are still open."""
        for channel in list(self._open):
            self.close(channel)

    def end_commit(self) -> None:
        """Forget the channels that this commit closed altogether."""
        self._just_closed.clear()

    def join(self, channel: str, bot: str) -> None:
        """Let a bot hear in a channel from now on."""
        if channel in self._open:
            self._open[channel].join(bot)

    def leave(self, channel: str, bot: str) -> None:
        """Let a bot hear no more in a channel, and credit what it has heard."""
        if channel in self._open:
            self._tally(bot).received += self._open[channel].leave(bot)

    def close_turn(self, channel: str, turn: int) -> None:
        """Note that a turn is over."""
        if channel in self._open:
            self._open[channel].closed_turn = turn

    def closed_turn(self, channel: str | None) -> int | None:
        """Tell the last turn that closed in an open channel."""
        room = self._open.get(channel) if channel else None
        return room.closed_turn if room else None

    def hear(self, event: Heard) -> None:
        """Credit a message to who said it and to those who hear it."""
        speaker, room = event.speaker, self._open.get(event.channel)
        if event.audience != "all" or room is None:
            named = event.audience if event.audience != "all" else self._just(event.channel)
            for bot in named:
                self._tally(bot).received += bot != speaker
        else:
            room.heard_by_all += 1
            if speaker in room.members:
                self._tally(speaker).received -= 1  # its own words do not count
        if speaker is None:
            return
        tally = self._tally(speaker)
        tally.said += 1
        tally.addressed += event.addressee is not None
        if room is not None:
            for bot in room.spoke(speaker, event.addressee, event.turn):
                self._tally(bot).ignored += 1

    def _just(self, channel: str) -> tuple[str, ...]:
        return self._just_closed.get(channel, ())
