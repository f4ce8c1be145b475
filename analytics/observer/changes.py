"""What each event does to a view of a run, as `view = evolve(view, sealed)`. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from analytics.observer.remarks import action
from analytics.observer.view import Channel, Holder, View, Word
from utils.journal import Sealed
from utils.printable import printable_line
from utils.protocol import (
    Acted,
    Began,
    ChannelClosed,
    ChannelOpened,
    Closed,
    Ended,
    Extended,
    FellBack,
    Forked,
    Gathered,
    Granted,
    Heard,
    Incident,
    Intervened,
    Measured,
    MemberJoined,
    MemberLeft,
    Muted,
    Passed,
    Paused,
    Rejected,
    Resumed,
    Revoked,
    Say,
    Seated,
    TurnClosed,
    Unmuted,
    Unseated,
    Woke,
)

PACE_TURNS = 20
"""How many of the last turns the pace is measured over."""
LAST_WORD_CHARS = 500


def evolve(view: View, sealed: Sealed) -> View:
    """Take a commit into the view; events of unknown kinds change nothing."""
    at_ms = sealed.commit.at_ms
    for event in sealed.commit.events:
        change = _CHANGES.get(type(event))
        if change is not None:
            view = change(view, event, at_ms)
    word = view.last_word
    if word is not None and word.speaker is None and word.author is None:
        view = replace(view, last_word=replace(word, author=_author(word, sealed)))
    return replace(view, seq=sealed.seq, at_ms=at_ms)


# --- each event -----------------------------------------------------------------------


def _began(view: View, event: Began, at_ms: int) -> View:
    return replace(view, phase="gathering", began_ms=at_ms)


def _forked(view: View, event: Forked, at_ms: int) -> View:
    paused_ms = view.paused_ms + event.paused_ms
    view = replace(view, paused_at_ms=None, paused_ms=paused_ms, steps=0)
    return replace(view, phase="gathering", absent=frozenset())


def _gathered(view: View, event: Gathered, at_ms: int) -> View:
    run_ms = view.run_ms(at_ms)
    return replace(
        view,
        phase="running",
        gathered_ms=at_ms,
        gathered_run_ms=run_ms,
        pace=(run_ms,),
        absent=view.absent | set(event.absent),
    )


def _paused(view: View, event: Paused, at_ms: int) -> View:
    since_ms = at_ms if view.paused_at_ms is None else view.paused_at_ms
    return replace(view, paused_at_ms=since_ms, steps=event.turns)


def _resumed(view: View, event: Resumed, at_ms: int) -> View:
    paused_ms = view.paused_ms + event.paused_ms
    return replace(view, paused_at_ms=None, paused_ms=paused_ms, steps=0)


def _opened(view: View, event: ChannelOpened, at_ms: int) -> View:
    view = replace(view, opened=view.opened + 1)
    return _with(view, Channel(name=event.channel, members=event.members))


def _channel_closed(view: View, event: ChannelClosed, at_ms: int) -> View:
    kept = {name: one for name, one in view.channels.items() if name != event.channel}
    return replace(view, channels=kept)


def _member_joined(view: View, event: MemberJoined, at_ms: int) -> View:
    channel = view.channels.get(event.channel)
    if channel is None:
        return view
    return _with(view, replace(channel, members=(*channel.members, event.bot)))


def _member_left(view: View, event: MemberLeft, at_ms: int) -> View:
    channel = view.channels.get(event.channel)
    if channel is None:
        return view
    members = tuple(member for member in channel.members if member != event.bot)
    return _with(view, replace(channel, members=members))


def _seated(view: View, event: Seated, at_ms: int) -> View:
    seats = {**view.seats, event.bot: event.host}
    return replace(view, seats=seats, absent=view.absent - {event.bot})


def _unseated(view: View, event: Unseated, at_ms: int) -> View:
    return replace(view, seats={**view.seats, event.bot: None})


def _muted(view: View, event: Muted, at_ms: int) -> View:
    return replace(view, muted=(*view.muted, event.bot))


def _unmuted(view: View, event: Unmuted, at_ms: int) -> View:
    return replace(view, muted=tuple(bot for bot in view.muted if bot != event.bot))


def _granted(view: View, event: Granted, at_ms: int) -> View:
    channel = view.channels.get(event.channel)
    if channel is None:
        return view
    holder = Holder(
        bot=event.bot,
        turn=event.turn,
        tries=event.tries,
        epoch=event.epoch,
        since_ms=at_ms,
        deadline_ms=event.deadline_ms,
        is_due=event.due_ms is not None,
    )
    return _with(view, replace(channel, asked=event.asked, holders=(*channel.holders, holder)))


def _extended(view: View, event: Extended, at_ms: int) -> View:
    channel = view.channels.get(event.channel)
    if channel is None:
        return view
    holders = tuple(
        replace(one, deadline_ms=event.deadline_ms) if one.epoch == event.epoch else one
        for one in channel.holders
    )
    return _with(view, replace(channel, holders=holders))


def _answered(view: View, event: Acted | Passed, at_ms: int) -> View:
    view = _without_holder(view, event)
    channel = view.channels.get(event.channel)
    if channel is None or channel.asked < 2 or isinstance(event, Passed):
        return view
    if isinstance(event.action, Say):
        return view
    done = (event.bot, event.epoch, action(event.action))
    return _with(view, replace(channel, done=(*channel.done, done)))


def _revoked(view: View, event: Revoked, at_ms: int) -> View:
    absent = view.absent | ({event.bot} if event.reason == "lost" else set())
    return replace(_without_holder(view, event), revoked=view.revoked + 1, absent=absent)


def _fell_back(view: View, event: FellBack, at_ms: int) -> View:
    return replace(view, fell_back=view.fell_back + 1)


def _woke(view: View, event: Woke, at_ms: int) -> View:
    return replace(view, world_ms=event.world_ms)


def _measured(view: View, event: Measured, at_ms: int) -> View:
    if event.channel is not None or event.bot is not None:
        return view
    return replace(view, measured={**view.measured, event.name: event.value})


def _turn_closed(view: View, event: TurnClosed, at_ms: int) -> View:
    channel = view.channels.get(event.channel)
    if channel is not None:
        view = _with(view, replace(channel, turn=event.turn, asked=0, done=()))
    is_stepped = view.paused_at_ms is not None
    pace = view.pace if is_stepped else (*view.pace[-PACE_TURNS:], view.run_ms(at_ms))
    return replace(
        view,
        turns=view.turns + 1,
        given_up=view.given_up + (event.outcome == "given_up"),
        passed=view.passed + (event.outcome == "passed"),
        stepped=view.stepped + is_stepped,
        steps=max(0, view.steps - 1),
        pace=pace,
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


def _author(word: Word, sealed: Sealed) -> str | None:
    """Name the person whose words these are, if this commit says that they are somebody's."""
    last = None
    for event in sealed.commit.events:
        if isinstance(event, Heard) and event.message_id == word.message_id:
            is_it = last is not None and (last.channel, last.text) == (event.channel, event.text)
            return last.author if last is not None and is_it else None
        last = event if isinstance(event, Intervened) else None
    return None


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
    channel = view.channels.get(closing.channel)
    if channel is None:
        return view
    left = tuple(holder for holder in channel.holders if holder.epoch != closing.epoch)
    return _with(view, replace(channel, holders=left))


_CHANGES: dict[type, Callable[[View, Any, int], View]] = {
    Acted: _answered,
    Began: _began,
    ChannelClosed: _channel_closed,
    ChannelOpened: _opened,
    Closed: _closed,
    Ended: _ended,
    Extended: _extended,
    FellBack: _fell_back,
    Forked: _forked,
    Gathered: _gathered,
    Granted: _granted,
    Heard: _heard,
    Incident: _incident,
    Measured: _measured,
    MemberJoined: _member_joined,
    MemberLeft: _member_left,
    Muted: _muted,
    Passed: _answered,
    Paused: _paused,
    Rejected: _rejected,
    Resumed: _resumed,
    Revoked: _revoked,
    Seated: _seated,
    TurnClosed: _turn_closed,
    Unmuted: _unmuted,
    Unseated: _unseated,
    Woke: _woke,
}
