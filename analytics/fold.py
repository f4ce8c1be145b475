"""What the tables need to know of a run so far: a fold of its commits and its calls.

Mutable and local to one pass. It holds what grows with bots, channels and live grants,
never with messages: a run of a million messages takes no more than one of a thousand.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from analytics.records import Call
from analytics.tallies import Room, Tally, Totals
from utils.errors import BadEntry
from utils.protocol import (
    Acted,
    Began,
    ChannelClosed,
    ChannelOpened,
    Closed,
    Ended,
    Event,
    Gathered,
    Granted,
    Heard,
    MemberJoined,
    MemberLeft,
    Passed,
    Rejected,
    Revoked,
    Seated,
    TurnClosed,
    Unseated,
)
from utils.spec import BotSpec, ModelSpec, Spec

Closing = Acted | Passed | Revoked

UNHEARD = 1_024
"""Closed grants kept beside one for each bot, until what was said is heard."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the journal an event stands, and when that was."""

    seq: int
    index: int
    at_ms: int
    run_ms: int | None


@dataclass(frozen=True, slots=True)
class Held:
    """A grant, where it was made, and once it is closed how long that took and by whom."""

    event: Granted
    place: Place
    latency_ms: int | None = None
    host: str | None = None


class Fold:
    """A run so far.

    Attributes:
        phase: As the engine has it: new, gathering, running, ended, closed.
        began_ms, ended_ms, last_ms: Journal time; none before it is so.
        seats: Bot to its seat's number and the host that serves it.
        live: Epoch to live grant.
        unheard: Epoch to a grant that was acted on, for what is heard of it later.
        sha256: The hash of the last commit.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.bots: dict[str, BotSpec] = {bot.name: bot for bot in spec.bots}
        self.displays = spec.displays()
        self.phase = "new"
        self.began_ms: int | None = None
        self.ended: tuple[int, Ended] | None = None
        self.closed: Closed | None = None
        self.last_ms: int | None = None
        self.sha256 = ""
        self.spec_sha256: str | None = None
        self.seats: dict[str, tuple[int, str | None]] = {}
        self.live: dict[int, Held] = {}
        self.unheard: OrderedDict[int, Held] = OrderedDict()
        self.rooms: dict[str, Room] = {}
        self.tallies: dict[str, Tally] = {bot.name: Tally() for bot in spec.bots}
        self.totals = Totals()

    # --- asking ---------------------------------------------------------------------

    def model(self, bot: str | None) -> ModelSpec | None:
        """Find what answers for a bot of the scenario."""
        spec = self.bots.get(bot) if bot else None
        return self.spec.models.get(spec.model) if spec else None

    def tally(self, bot: str) -> Tally:
        """Find a bot's tally; a bot that came from outside gets one now."""
        tally = self.tallies.get(bot)
        if tally is None:
            tally = self.tallies[bot] = Tally()
        return tally

    def run_ms(self, at_ms: int) -> int | None:
        """Turn journal time into time since the run began; none before it has."""
        return None if self.began_ms is None else at_ms - self.began_ms

    def held(self, closing: Closing, place: Place) -> Held:
        """Find the grant that an event closes, with its latency and the host then.

        Raises:
            BadEntry: There is no such live grant: no engine wrote this.
        """
        held = self.live.get(closing.epoch)
        if held is None:
            raise BadEntry(f"journal {place.seq}", f"it closes epoch {closing.epoch}, not live")
        host = self.seats.get(closing.bot, (0, None))[1]
        return Held(held.event, held.place, place.at_ms - held.place.at_ms, host)

    @property
    def took_ms(self) -> int | None:
        """Run time at the last commit; none before the run began."""
        return None if self.last_ms is None else self.run_ms(self.last_ms)

    # --- taking in --------------------------------------------------------------------

    def take(self, event: Event, place: Place) -> None:
        """Take in one event."""
        change = _CHANGES.get(type(event))
        if change is not None:
            change(self, event, place)

    def take_call(self, call: Call) -> None:
        """Take in one attempt at a model."""
        record, totals = call.record, self.totals
        if record is None:
            totals.unreadable += 1
            return
        totals.calls[record.outcome] += 1
        totals.language_model.add(record.language_model)
        if record.model_digest:
            totals.digests.add(record.model_digest)
        tally = self.tally(record.bot)
        tally.calls[record.outcome] += 1
        tally.prompt_tokens = _sum(tally.prompt_tokens, record.prompt_tokens)
        tally.answer_tokens = _sum(tally.answer_tokens, record.answer_tokens)

    def settle(self) -> None:
        """Credit what is only known at the end: who had heard what in open channels."""
        for channel in list(self.rooms):
            self._close_room(channel)

    def _close_room(self, channel: str) -> None:
        room = self.rooms.pop(channel, None)
        if room is None:
            return
        for bot in list(room.members):
            self.tally(bot).received += room.leave(bot)
        for bot in room.ignored():
            self.tally(bot).ignored += 1

    def _room(self, channel: str) -> Room:
        room = self.rooms.get(channel)
        if room is None:
            room = self.rooms[channel] = Room()
        return room

    def _began(self, event: Began, place: Place) -> None:
        self.phase, self.began_ms, self.spec_sha256 = "gathering", place.at_ms, event.spec_sha256

    def _gathered(self, event: Gathered, place: Place) -> None:
        self.phase = "running"

    def _ended(self, event: Ended, place: Place) -> None:
        self.phase, self.ended = "ended", (place.at_ms, event)

    def _closed(self, event: Closed, place: Place) -> None:
        self.phase, self.closed = "closed", event

    def _opened(self, event: ChannelOpened, place: Place) -> None:
        room = self._room(event.channel)
        for bot in event.members:
            room.join(bot)

    def _channel_closed(self, event: ChannelClosed, place: Place) -> None:
        self._close_room(event.channel)

    def _joined(self, event: MemberJoined, place: Place) -> None:
        self._room(event.channel).join(event.bot)

    def _left(self, event: MemberLeft, place: Place) -> None:
        self.tally(event.bot).received += self._room(event.channel).leave(event.bot)

    def _seated(self, event: Seated, place: Place) -> None:
        self.seats[event.bot] = (event.seat, event.host)
        self.tally(event.bot).seatings += 1

    def _unseated(self, event: Unseated, place: Place) -> None:
        self.seats[event.bot] = (event.seat, None)

    def _granted(self, event: Granted, place: Place) -> None:
        self.live[event.epoch] = Held(event, place)
        self.tally(event.bot).granted += 1

    def _answered(self, event: Acted | Passed, place: Place) -> None:
        held, tally = self.held(event, place), self.tally(event.bot)
        del self.live[event.epoch]
        if held.latency_ms is not None:
            tally.latencies[held.latency_ms] += 1
        if isinstance(event, Passed):
            tally.passed += 1
            return
        tally.answered += 1
        self.unheard[event.epoch] = held
        if len(self.unheard) > UNHEARD + len(self.tallies):
            self.unheard.popitem(last=False)

    def _revoked(self, event: Revoked, place: Place) -> None:
        self.held(event, place)
        del self.live[event.epoch]
        self.tally(event.bot).revoked[event.reason] += 1

    def _turn_closed(self, event: TurnClosed, place: Place) -> None:
        self.totals.turns[event.outcome] += 1

    def _heard(self, event: Heard, place: Place) -> None:
        self.totals.messages += 1
        room, speaker = self._room(event.channel), event.speaker
        if event.audience == "all":
            room.heard_by_all += 1
            if speaker in room.members:
                self.tally(speaker).received -= 1  # its own words do not count
        else:
            for bot in event.audience:
                self.tally(bot).received += bot != speaker
        if speaker is not None:
            tally = self.tally(speaker)
            tally.said += 1
            tally.addressed += event.addressee is not None
            for bot in room.spoke(speaker, event.addressee, event.turn):
                self.tally(bot).ignored += 1

    def _rejected(self, event: Rejected, place: Place) -> None:
        self.totals.rejected += 1


def _sum(before: int | None, more: int | None) -> int | None:
    return before if more is None else (before or 0) + more


_CHANGES: dict[type, Callable[[Fold, Any, Place], None]] = {
    Acted: Fold._answered,
    Began: Fold._began,
    ChannelClosed: Fold._channel_closed,
    ChannelOpened: Fold._opened,
    Closed: Fold._closed,
    Ended: Fold._ended,
    Gathered: Fold._gathered,
    Granted: Fold._granted,
    Heard: Fold._heard,
    MemberJoined: Fold._joined,
    MemberLeft: Fold._left,
    Passed: Fold._answered,
    Rejected: Fold._rejected,
    Revoked: Fold._revoked,
    Seated: Fold._seated,
    TurnClosed: Fold._turn_closed,
    Unseated: Fold._unseated,
}
