"""What a person sees of a run: a fold of its journal, frozen. Pure.

    view = evolve(view, sealed)

All times are journal time, server milliseconds; what depends on now takes `now_ms`.
Texts and names in a view are printable already. A view does not grow with the
conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from analytics.observer.plan import Plan
from utils.journal import Sealed
from utils.printable import printable_line
from utils.protocol import (
    Acted,
    Began,
    ChannelClosed,
    ChannelOpened,
    Closed,
    Ended,
    Gathered,
    Granted,
    Heard,
    Incident,
    MemberJoined,
    MemberLeft,
    Passed,
    Rejected,
    Revoked,
    Seated,
    TurnClosed,
    Unseated,
)

Phase = Literal["new", "gathering", "running", "ended", "closed"]

PACE_TURNS = 20
"""How many of the last turns the pace is measured over."""
LAST_WORD_CHARS = 500


@dataclass(frozen=True, slots=True)
class Holder:
    """A bot that holds the floor of a channel, since and until journal times."""

    bot: str
    turn: int
    tries: int
    epoch: int
    since_ms: int
    deadline_ms: int


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that is open; `turn` is the last one closed, `asked` that of the open one."""

    name: str
    members: tuple[str, ...]
    turn: int = 0
    asked: int = 0
    holders: tuple[Holder, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """Something that was heard: its beginning."""

    message_id: str
    channel: str
    turn: int
    speaker: str | None
    text: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class View:
    """A run at commit `seq`, for a screen.

    Attributes:
        began_ms, gathered_ms, ended_ms: Journal time, 0 while it has not happened.
        end: Why the run ended, and `end_detail` the words given with it.
        turns: Turns closed, in all channels; `given_up` and `passed` of them.
        revoked, rejected, incidents, calls: Counts; calls are known once it is closed.
        pace: Journal times: the start, then the last turns closed, the oldest first.
        seats: Every bot to its host, none while nobody serves it.
        spoken: Every bot to the number of things it was heard to say.
    """

    plan: Plan
    phase: Phase = "new"
    seq: int = 0
    at_ms: int = 0
    began_ms: int = 0
    gathered_ms: int = 0
    ended_ms: int = 0
    end: str = ""
    end_detail: str = ""
    turns: int = 0
    given_up: int = 0
    passed: int = 0
    revoked: int = 0
    rejected: int = 0
    incidents: int = 0
    calls: int = 0
    pace: tuple[int, ...] = ()
    channels: Mapping[str, Channel] = field(default_factory=dict)
    seats: Mapping[str, str | None] = field(default_factory=dict)
    spoken: Mapping[str, int] = field(default_factory=dict)
    last_word: Word | None = None

    def display(self, bot: str) -> str:
        """Tell the name a bot is shown by."""
        return self.plan.displays.get(bot) or printable_line(bot)

    @property
    def unserved(self) -> tuple[str, ...]:
        """The bots that no host serves, in the spec's order."""
        return tuple(bot for bot in self.plan.bots if self.seats.get(bot) is None)


def blank(plan: Plan) -> View:
    """Make the view of a run without a journal."""
    return View(
        plan=plan,
        seats=dict.fromkeys(plan.bots),
        spoken=dict.fromkeys(plan.bots, 0),
    )


def evolve(view: View, sealed: Sealed) -> View:
    """Take a commit into the view; events of unknown kinds change nothing."""
    at_ms = sealed.commit.at_ms
    for event in sealed.commit.events:
        change = _CHANGES.get(type(event))
        if change is not None:
            view = change(view, event, at_ms)
    return replace(view, seq=sealed.seq, at_ms=at_ms)


# --- each event -----------------------------------------------------------------------


def _began(view: View, event: Began, at_ms: int) -> View:
    return replace(view, phase="gathering", began_ms=at_ms)


def _gathered(view: View, event: Gathered, at_ms: int) -> View:
    return replace(view, phase="running", gathered_ms=at_ms, pace=(at_ms,))


def _opened(view: View, event: ChannelOpened, at_ms: int) -> View:
    return _with(view, Channel(name=event.channel, members=event.members))


def _channel_closed(view: View, event: ChannelClosed, at_ms: int) -> View:
    kept = {name: one for name, one in view.channels.items() if name != event.channel}
    return replace(view, channels=kept)


def _member_joined(view: View, event: MemberJoined, at_ms: int) -> View:
    channel = view.channels[event.channel]
    return _with(view, replace(channel, members=(*channel.members, event.bot)))


def _member_left(view: View, event: MemberLeft, at_ms: int) -> View:
    channel = view.channels[event.channel]
    members = tuple(member for member in channel.members if member != event.bot)
    return _with(view, replace(channel, members=members))


def _seated(view: View, event: Seated, at_ms: int) -> View:
    return replace(view, seats={**view.seats, event.bot: event.host})


def _unseated(view: View, event: Unseated, at_ms: int) -> View:
    return replace(view, seats={**view.seats, event.bot: None})


def _granted(view: View, event: Granted, at_ms: int) -> View:
    channel = view.channels[event.channel]
    holder = Holder(
        bot=event.bot,
        turn=event.turn,
        tries=event.tries,
        epoch=event.epoch,
        since_ms=at_ms,
        deadline_ms=event.deadline_ms,
    )
    return _with(view, replace(channel, asked=event.asked, holders=(*channel.holders, holder)))


def _answered(view: View, event: Acted | Passed, at_ms: int) -> View:
    return _without_holder(view, event)


def _revoked(view: View, event: Revoked, at_ms: int) -> View:
    return replace(_without_holder(view, event), revoked=view.revoked + 1)


def _turn_closed(view: View, event: TurnClosed, at_ms: int) -> View:
    channel = replace(view.channels[event.channel], turn=event.turn, asked=0)
    return replace(
        _with(view, channel),
        turns=view.turns + 1,
        given_up=view.given_up + (event.outcome == "given_up"),
        passed=view.passed + (event.outcome == "passed"),
        pace=(*view.pace[-PACE_TURNS:], at_ms),
    )


def _heard(view: View, event: Heard, at_ms: int) -> View:
    word = Word(
        message_id=event.message_id,
        channel=event.channel,
        turn=event.turn,
        speaker=event.speaker,
        text=printable_line(event.text, most=LAST_WORD_CHARS),
        at_ms=at_ms,
    )
    view = replace(view, last_word=word)
    if event.speaker is None or event.speaker not in view.spoken:
        return view
    return replace(view, spoken={**view.spoken, event.speaker: view.spoken[event.speaker] + 1})


def _rejected(view: View, event: Rejected, at_ms: int) -> View:
    return replace(view, rejected=view.rejected + 1)


def _incident(view: View, event: Incident, at_ms: int) -> View:
    return replace(view, incidents=view.incidents + 1)


def _ended(view: View, event: Ended, at_ms: int) -> View:
    detail = printable_line(event.detail)
    return replace(view, phase="ended", ended_ms=at_ms, end=event.reason, end_detail=detail)


def _closed(view: View, event: Closed, at_ms: int) -> View:
    return replace(view, phase="closed", calls=event.calls)


def _with(view: View, channel: Channel) -> View:
    return replace(view, channels={**view.channels, channel.name: channel})


def _without_holder(view: View, closing: Acted | Passed | Revoked) -> View:
    channel = view.channels[closing.channel]
    left = tuple(holder for holder in channel.holders if holder.epoch != closing.epoch)
    return _with(view, replace(channel, holders=left))


_CHANGES: dict[type, Callable[[View, Any, int], View]] = {
    Acted: _answered,
    Began: _began,
    ChannelClosed: _channel_closed,
    ChannelOpened: _opened,
    Closed: _closed,
    Ended: _ended,
    Gathered: _gathered,
    Granted: _granted,
    Heard: _heard,
    Incident: _incident,
    MemberJoined: _member_joined,
    MemberLeft: _member_left,
    Passed: _answered,
    Rejected: _rejected,
    Revoked: _revoked,
    Seated: _seated,
    TurnClosed: _turn_closed,
    Unseated: _unseated,
}
