"""What the tables need to know of a run so far: a fold of its commits and its calls.

Mutable and local to one pass. It holds what grows with bots, open channels and live
grants, never with messages: a run of a million messages takes no more than one of a
thousand, and one of a million encounters no more than are open at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from analytics.places import Held, Place
from analytics.rooms import Rooms
from analytics.stopwatch import Stopwatch
from analytics.tallies import LOAD_NS, Tally, Totals, sum_known
from utils.callfile import RecordedCall
from utils.errors import BadEntry
from utils.protocol import (
    Acted,
    Began,
    ChannelClosed,
    ChannelOpened,
    Closed,
    Ended,
    Event,
    Extended,
    FellBack,
    Forked,
    Gathered,
    Granted,
    Heard,
    Intervened,
    Measured,
    MemberJoined,
    MemberLeft,
    OpenEvent,
    Passed,
    Paused,
    Rejected,
    Resumed,
    Revoked,
    Say,
    Seated,
    TurnClosed,
    Unseated,
    Woke,
)
from utils.spec import BotSpec, ModelSpec, Spec

Closing = Acted | Passed | Revoked

UNHEARD = 1_024
"""Closed grants kept beside one for each bot, until what was said is heard."""


class Fold:
    """A run so far.

    Attributes:
        phase: As the engine has it: new, gathering, running, ended, closed.
        time: Tells run time.
        world_ms: The world's time: 0 before it is first woken.
        ended, last_ms: Journal time of the end, with why, and of the last commit.
        told, forked: What it was told last, and its last fork; and where.
        seats: Bot to its seat's number and the host that serves it.
        live: Epoch to live grant.
        unheard: Epoch to a grant that was acted on, for what is heard of it later.
        sha256: The hash of the last commit.
    """

    def __init__(self, spec: Spec) -> None:
        self.follow(spec)
        self.phase, self.time = "new", Stopwatch()
        self.world_ms, self.sha256 = 0, ""
        self.ended: tuple[int, Ended] | None = None
        self.closed: Closed | None = None
        self.last_ms: int | None = None
        self.seats: dict[str, tuple[int, str | None]] = {}
        self.live: dict[int, Held] = {}
        self.unheard: OrderedDict[int, Held] = OrderedDict()
        self.told: tuple[Place, Intervened] | None = None
        self.forked: tuple[Place, Forked] | None = None
        self.tallies: dict[str, Tally] = {bot.name: Tally() for bot in spec.bots}
        self.rooms = Rooms(self.tally)
        self.totals = Totals()

    def follow(self, spec: Spec) -> None:
        """Go by a scenario from here on."""
        self.spec, self.displays = spec, spec.displays()
        self.bots: dict[str, BotSpec] = {bot.name: bot for bot in spec.bots}

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
        """Turn journal time into run time: since the run began, pauses left out."""
        return self.time.run_ms(at_ms)

    def held(self, closing: Closing | Extended | FellBack, place: Place) -> Held:
        """Find the grant that an event is about, with its latency and the host then.

        Raises:
            BadEntry: There is no such live grant: no engine wrote this.
        """
        held = self.live.get(closing.epoch)
        if held is None:
            raise BadEntry(f"journal {place.seq}", f"it names epoch {closing.epoch}, not live")
        _, host = self.seats.get(closing.bot, (0, None))
        return replace(held, latency_ms=place.at_ms - held.place.at_ms, host=host)

    def is_late(self, granted: Granted) -> bool | None:
        """Whether the world was woken when an answer was due; none where none was."""
        return None if granted.due_ms is None else self.world_ms >= granted.due_ms

    def outsider(self, heard: Heard, place: Place) -> str | None:
        """Name the person whose words these are, if the event before says that they are."""
        where, told = self.told or (place, None)
        if told is None or heard.epoch is not None:
            return None
        is_just_before = (where.seq, where.index + 1) == (place.seq, place.index)
        is_it = (told.channel, told.text) == (heard.channel, heard.text)
        return told.author if is_just_before and is_it else None

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

    def take_call(self, call: RecordedCall) -> None:
        """Take in one attempt at a model."""
        record, totals = call.record, self.totals
        if record is None:
            totals.unreadable += 1
            return
        totals.calls[record.outcome] += 1
        totals.language_model.add(record.language_model)
        totals.calls_cut += any(rule != "space" for rule, _ in record.cut)
        totals.loads += (record.load_ns or 0) >= LOAD_NS
        if record.model_digest:
            totals.digests.add(record.model_digest)
        tally = self.tally(record.bot)
        tally.calls[record.outcome] += 1
        tally.prompt_tokens = sum_known(tally.prompt_tokens, record.prompt_tokens)
        tally.answer_tokens = sum_known(tally.answer_tokens, record.answer_tokens)

    def end_commit(self) -> None:
        """Take in that a commit has no more events."""
        self.rooms.end_commit()

    def settle(self) -> None:
        """Credit what is only known at the end: who had heard what in open channels."""
        self.rooms.close_all()

    def _began(self, event: Began, place: Place) -> None:
        self.phase = "gathering"

    def _forked(self, event: Forked, place: Place) -> None:
        self.phase, self.forked = "gathering", (place, event)

    def _gathered(self, event: Gathered, place: Place) -> None:
        self.phase = "running"

    def _paused(self, event: Paused, place: Place) -> None:
        self.time.pause(place.at_ms)

    def _resumed(self, event: Resumed, place: Place) -> None:
        self.time.resume(place.at_ms)

    def _woke(self, event: Woke, place: Place) -> None:
        self.world_ms = event.world_ms

    def _ended(self, event: Ended, place: Place) -> None:
        self.phase, self.ended = "ended", (place.at_ms, event)

    def _closed(self, event: Closed, place: Place) -> None:
        self.phase, self.closed = "closed", event

    def _opened(self, event: ChannelOpened, place: Place) -> None:
        self.totals.channels += 1
        self.rooms.open(event.channel, event.members)

    def _channel_closed(self, event: ChannelClosed, place: Place) -> None:
        self.rooms.close(event.channel)

    def _joined(self, event: MemberJoined, place: Place) -> None:
        self.rooms.join(event.channel, event.bot)

    def _left(self, event: MemberLeft, place: Place) -> None:
        self.rooms.leave(event.channel, event.bot)

    def _seated(self, event: Seated, place: Place) -> None:
        self.seats[event.bot] = (event.seat, event.host)
        self.tally(event.bot).seatings += 1

    def _unseated(self, event: Unseated, place: Place) -> None:
        self.seats[event.bot] = (event.seat, None)

    def _granted(self, event: Granted, place: Place) -> None:
        self.live[event.epoch] = Held(event, place)
        self.tally(event.bot).granted += 1

    def _extended(self, event: Extended, place: Place) -> None:
        self.held(event, place)
        self.live[event.epoch] = replace(self.live[event.epoch], extended_ms=event.deadline_ms)

    def _answered(self, event: Acted | Passed, place: Place) -> None:
        held, tally = self.held(event, place), self.tally(event.bot)
        del self.live[event.epoch]
        if held.latency_ms is not None:
            tally.latencies[held.latency_ms] += 1
        if isinstance(event, Passed):
            tally.passed += 1
            return
        tally.answered += 1
        tally.late += bool(self.is_late(held.event))
        self.totals.actions += not isinstance(event.action, Say)
        self.unheard[event.epoch] = held
        if len(self.unheard) > UNHEARD + len(self.tallies):
            self.unheard.popitem(last=False)

    def _revoked(self, event: Revoked, place: Place) -> None:
        del self.live[self.held(event, place).event.epoch]
        self.tally(event.bot).revoked[event.reason] += 1

    def _fell_back(self, event: FellBack, place: Place) -> None:
        self.tally(event.bot).fell_back += 1
        self.totals.actions += 1

    def _turn_closed(self, event: TurnClosed, place: Place) -> None:
        self.totals.turns[event.outcome] += 1
        self.rooms.close_turn(event.channel, event.turn)

    def _heard(self, event: Heard, place: Place) -> None:
        self.totals.messages += 1
        self.rooms.hear(event)

    def _intervened(self, event: Intervened, place: Place) -> None:
        self.totals.interventions += 1
        self.told = (place, event)

    def _measured(self, event: Measured, place: Place) -> None:
        self.totals.measures += 1

    def _own(self, event: OpenEvent, place: Place) -> None:
        self.totals.world_events += 1

    def _rejected(self, event: Rejected, place: Place) -> None:
        self.totals.rejected += 1


_CHANGES: dict[type, Callable[[Fold, Any, Place], None]] = {
    Acted: Fold._answered,
    Began: Fold._began,
    ChannelClosed: Fold._channel_closed,
    ChannelOpened: Fold._opened,
    Closed: Fold._closed,
    Ended: Fold._ended,
    Extended: Fold._extended,
    FellBack: Fold._fell_back,
    Forked: Fold._forked,
    Gathered: Fold._gathered,
    Granted: Fold._granted,
    Heard: Fold._heard,
    Intervened: Fold._intervened,
    Measured: Fold._measured,
    MemberJoined: Fold._joined,
    MemberLeft: Fold._left,
    OpenEvent: Fold._own,
    Passed: Fold._answered,
    Paused: Fold._paused,
    Rejected: Fold._rejected,
    Resumed: Fold._resumed,
    Revoked: Fold._revoked,
    Seated: Fold._seated,
    TurnClosed: Fold._turn_closed,
    Unseated: Fold._unseated,
    Woke: Fold._woke,
}
