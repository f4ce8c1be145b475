"""What is counted while a run is folded: of each bot, of each channel, of the whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """What is counted of one bot. `latencies` is exact: milliseconds to how often."""

    seatings: int = 0
    said: int = 0
    received: int = 0
    addressed: int = 0
    ignored: int = 0
    granted: int = 0
    answered: int = 0
    passed: int = 0
    revoked: Counter[str] = field(default_factory=Counter)
    latencies: Counter[int] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    prompt_tokens: int | None = None
    answer_tokens: int | None = None


@dataclass(slots=True)
class Totals:
    """What is counted of the whole run."""

    commits: int = 0
    inputs: int = 0
    messages: int = 0
    rejected: int = 0
    incidents: int = 0
    turns: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    resent: int = 0
    digests: set[str] = field(default_factory=set)
    language_model: set[bool | None] = field(default_factory=set)

    @property
    def call_entries(self) -> int:
        """Entries of the stream of calls, those that could not be read among them."""
        return self.calls.total() + self.unreadable + self.resent


@dataclass(slots=True)
class Room:
    """One channel: who hears in it, and whether those who were addressed spoke.

    What all members hear is counted once, not once a member: a room of ten thousand
    costs no more a message than a room of two.

    Attributes:
        members: Member to what `heard_by_all` was when it joined.
        turn: The last turn in which a bot spoke, and `speakers` those who did.
        asked: (speaker, addressee) of each message of that turn that named somebody.
        before: The same of the turn before it in which a bot spoke.
    """

    members: dict[str, int] = field(default_factory=dict)
    heard_by_all: int = 0
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
