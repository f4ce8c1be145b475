"""What a commit looks like to a person: a few lines. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from analytics.observer.view import View
from analytics.observer.words import lasting, listed
from utils.journal import Sealed
from utils.names import counted
from utils.printable import printable, printable_line
from utils.protocol import (
    Act,
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
    Incident,
    MemberJoined,
    MemberLeft,
    OpenEvent,
    Passed,
    Rejected,
    Revoked,
    Seated,
    TurnClosed,
    Unseated,
)

DETAIL_CHARS = 160
SHOWN_REJECTIONS = 3
"""Rejections a commit shows one by one; more are counted, so that no flood is shown."""

Tone = Literal["said", "outside", "quiet", "warning", "end"]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to show. All of its text is printable.

    Attributes:
        tone: What is heard (`said` by a bot, or from `outside`), or how a remark sounds.
        text: What was said, with newlines; or a remark, on one line.
        channel, turn: Where it belongs; none for what concerns the whole run.
        bot: Who said it, or whom it is about.
        speaker: The name to show before what is heard.
    """

    tone: Tone
    text: str
    at_ms: int
    channel: str | None = None
    turn: int | None = None
    bot: str | None = None
    speaker: str = ""


def lines(before: View, after: View, sealed: Sealed) -> list[Line]:
    """Tell what a person sees of a commit: nothing, or a few lines.

    Args:
        before: The view the commit stands on.
        after: `evolve(before, sealed)`.
        sealed: The commit.
    """
    events, at_ms = sealed.commit.events, sealed.commit.at_ms
    shown: list[Line] = []
    for place, event in enumerate(events):
        shown += _of(event, events[place + 1 :], before, after, at_ms)
    return [*_seats(events, before, after, at_ms), *shown, *_rejections(events, at_ms)]


def _of(
    event: Event, rest: Sequence[Event], before: View, after: View, at_ms: int
) -> Iterator[Line]:
    match event:
        case Heard():
            yield _heard(event, after, at_ms)
        case Revoked():
            text = _revoked(event, rest, before, after)
            yield Line("warning", text, at_ms, event.channel, event.turn, event.bot)
        case Passed():
            text = f"{after.display(event.bot)} passes"
            yield Line("quiet", text, at_ms, event.channel, event.turn, event.bot)
        case Acted(action=Act() as act):
            text = f"{after.display(event.bot)}: {act.name} {_short(act.args)}"
            yield Line("quiet", text, at_ms, event.channel, event.turn, event.bot)
        case TurnClosed(outcome="given_up"):
            text = f"turn {event.turn} given up: nobody answered{_tries(event, before)}"
            yield Line("warning", text, at_ms, event.channel, event.turn)
        case ChannelOpened() | ChannelClosed() | MemberJoined() | MemberLeft():
            if before.phase != "new":
                yield Line("quiet", _channel(event, after), at_ms, event.channel)
        case Began() | Gathered() | Incident() | Ended() | Closed() | OpenEvent():
            tone, text = _remark(event, after)
            yield Line(tone, text, at_ms)


def _heard(event: Heard, view: View, at_ms: int) -> Line:
    speaker = "opening" if event.turn == 0 else "outside"
    return Line(
        tone="outside" if event.speaker is None else "said",
        text=printable(event.text).strip("\n"),
        at_ms=at_ms,
        channel=event.channel,
        turn=event.turn,
        bot=event.speaker,
        speaker=f"({speaker})" if event.speaker is None else view.display(event.speaker),
    )


def _revoked(event: Revoked, rest: Sequence[Event], before: View, after: View) -> str:
    channel = before.channels.get(event.channel)
    holders = channel.holders if channel else ()
    allowed_ms = next(
        (one.deadline_ms - one.since_ms for one in holders if one.epoch == event.epoch), 0
    )
    why = {
        "deadline": f"no answer within {lasting(allowed_ms)}",
        "lost": f"no host served it within {lasting(allowed_ms)}",
        "failed": f"its mind failed: {_short(event.detail)}".rstrip(": "),
        "ended": "the run ended",
        "channel_closed": "the channel was closed",
        "forked": "the run was forked here",
    }[event.reason]
    text = f"{after.display(event.bot)}'s turn {event.turn} revoked: {why}"
    for later in rest:
        if isinstance(later, Granted) and (later.channel, later.turn) == (
            event.channel,
            event.turn,
        ):
            whom = "" if later.bot == event.bot else f" to {after.display(later.bot)}"
            return f"{text}; granted again{whom}, try {later.tries + 1}"
    return text


def _tries(event: TurnClosed, before: View) -> str:
    channel = before.channels.get(event.channel)
    made = max((holder.tries + 1 for holder in channel.holders), default=0) if channel else 0
    return f" in {made} tries" if made > 1 else ""


def _channel(event: ChannelOpened | ChannelClosed | MemberJoined | MemberLeft, view: View) -> str:
    match event:
        case ChannelOpened():
            members = listed([view.display(bot) for bot in event.members])
            return f"channel {event.channel} opens for {members}"
        case ChannelClosed():
            return f"channel {event.channel} closes"
        case MemberJoined():
            return f"{view.display(event.bot)} joins channel {event.channel}"
        case MemberLeft():
            return f"{view.display(event.bot)} leaves channel {event.channel}"


def _remark(
    event: Began | Gathered | Incident | Ended | Closed | OpenEvent, view: View
) -> tuple[Tone, str]:
    match event:
        case Began():
            bots = listed([view.display(bot) for bot in view.plan.bots])
            return "quiet", f"run {event.run}: {event.scenario}, seed {event.seed}: {bots}"
        case Gathered(absent=()):
            return "quiet", "all bots are seated: turns begin"
        case Gathered():
            absent = listed([view.display(bot) for bot in event.absent])
            return "warning", f"turns begin without {absent}: no host serves them"
        case Incident():
            return "warning", f"incident {event.name}: {_short(event.detail)}".rstrip(": ")
        case Ended():
            return _ended(event)
        case Closed():
            turns, calls = counted(view.turns, "turn"), counted(event.calls, "model call")
            return "end", f"the record is closed: {turns}, {calls}"
        case OpenEvent():
            return "quiet", f"{printable_line(event.kind)} {_short(event.model_extra)}"


def _ended(event: Ended) -> tuple[Tone, str]:
    why = {
        "turns": "all its turns are done",
        "minutes": "its minutes are over",
        "silence": "nobody said anything for too long",
        "stopped": "it was stopped",
        "halted": "halted",
    }[event.reason]
    detail = _short(event.detail)
    tone: Tone = "end" if event.reason in ("turns", "minutes") else "warning"
    return tone, f"the run has ended: {why}" + (f": {detail}" if detail else "")


def _seats(events: Sequence[Event], before: View, after: View, at_ms: int) -> Iterator[Line]:
    """Tell who got a host and who lost one, host by host."""
    if before.phase in ("ended", "closed"):
        return
    taken: dict[str, list[str]] = {}
    lost: dict[str, list[str]] = {}
    for event in events:
        if isinstance(event, Seated):
            taken.setdefault(event.host, []).append(event.bot)
        elif isinstance(event, Unseated) and event.reason != "replaced":
            how = "left" if event.reason == "left" else "was lost"
            lost.setdefault(f"{event.host} {how}", []).append(event.bot)
    for why, bots in lost.items():
        names = listed([after.display(bot) for bot in bots])
        yield Line("warning", f"no host serves {names}: {why}", at_ms, bot=bots[0])
    for host, bots in taken.items():
        names = listed([after.display(bot) for bot in bots])
        verb = "is" if len(bots) == 1 else "are"
        yield Line("quiet", f"{names} {verb} served by {host}", at_ms, bot=bots[0])


def _rejections(events: Sequence[Event], at_ms: int) -> Iterator[Line]:
    rejected = [event for event in events if isinstance(event, Rejected)]
    if len(rejected) > SHOWN_REJECTIONS:
        why = Counter(event.why for event in rejected)
        counts = ", ".join(f"{count} {reason}" for reason, count in sorted(why.items()))
        yield Line("warning", f"{len(rejected)} inputs rejected: {counts}", at_ms)
        return
    for event in rejected:
        author = printable_line(event.author, most=64) or "nobody known"
        detail = f" ({_short(event.detail)})" if event.detail else ""
        what = event.why.replace("_", " ")
        yield Line("warning", f"an input from {author} rejected: {what}{detail}", at_ms)


def _short(value: object) -> str:
    """Show any JSON value of an event, short and printable."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return printable_line(text, most=DETAIL_CHARS)
