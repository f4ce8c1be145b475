"""What a commit looks like to a person: a few lines. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from analytics.observer import remarks
from analytics.observer.remarks import short
from analytics.observer.view import View
from analytics.observer.words import listed
from utils.journal import Sealed
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
    FellBack,
    Forked,
    Gathered,
    Heard,
    Incident,
    Intervened,
    Measured,
    MemberJoined,
    MemberLeft,
    OpenEvent,
    Passed,
    Rejected,
    Revoked,
    Seated,
    Triggered,
    TurnClosed,
    Unseated,
    Woke,
)

ENCOUNTER_MEMBERS = 2
"""A channel of no more members that opens in the middle of a run is an encounter."""
SHOWN_REJECTIONS = 3
"""Rejections a commit shows one by one; more are counted, so that no flood is shown."""

Tone = Literal["said", "did", "outside", "quiet", "warning", "end"]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to show. All of its text is printable.

    Attributes:
        tone: What is heard (`said` by a bot, or from `outside`), what a bot `did`, or how
            a remark sounds.
        text: What was said, with newlines; what was done, or a remark, on one line.
        channel, turn: Where it belongs; none for what concerns the whole run.
        bot: Who said it, or whom it is about.
        speaker: The name to show before what is heard or done.
        is_extra: Shown only to those who want every event: it comes too often to be read,
            or says how the world works inside.
    """

    tone: Tone
    text: str
    at_ms: int
    channel: str | None = None
    turn: int | None = None
    bot: str | None = None
    speaker: str = ""
    is_extra: bool = False


def lines(before: View, after: View, sealed: Sealed, *, every: bool = False) -> list[Line]:
    """Tell what a person sees of a commit: nothing, or a few lines.

    Args:
        before: The view the commit stands on.
        after: `evolve(before, sealed)`.
        sealed: The commit.
        every: Tell also what is measured, the coming and going of encounters, what the
            world does for late bots, and what happens at a tick of its clock.
    """
    events, at_ms = sealed.commit.events, sealed.commit.at_ms
    shown: list[Line] = []
    for place, event in enumerate(events):
        scene = _Scene(events, place, before, after, at_ms, every)
        shown += [line for line in _of(event, scene) if every or not line.is_extra]
    return [*_seats(events, before, after, at_ms), *shown, *_rejections(events, at_ms)]


@dataclass(frozen=True, slots=True)
class _Scene:
    """An event among those of its commit, and the run around it."""

    events: Sequence[Event]
    place: int
    before: View
    after: View
    at_ms: int
    every: bool

    @property
    def rest(self) -> Sequence[Event]:
        return self.events[self.place + 1 :]

    @property
    def told(self) -> Intervened | None:
        """What somebody told the run last, in this commit and before this event."""
        earlier = reversed(self.events[: self.place])
        return next((one for one in earlier if isinstance(one, Intervened)), None)

    @property
    def is_after_tick(self) -> bool:
        return any(isinstance(one, Woke) for one in self.events[: self.place])


def _of(event: Event, scene: _Scene) -> Iterator[Line]:
    at_ms, after = scene.at_ms, scene.after
    match event:
        case Heard():
            yield _heard(event, scene)
        case Acted() | Passed() | Revoked() | FellBack() | TurnClosed():
            yield from _of_turn(event, scene)
        case ChannelOpened() | ChannelClosed() | MemberJoined() | MemberLeft():
            yield from _of_channel(event, scene)
        case Intervened():
            text = remarks.intervened(event, scene.rest, after)
            if text:
                yield Line("quiet", text, at_ms, event.channel, bot=event.bot)
        case Measured():
            yield Line("quiet", remarks.measured(event, after), at_ms, event.channel, is_extra=True)
        case Triggered():
            yield Line("quiet", remarks.triggered(event), at_ms)
        case OpenEvent():
            text = remarks.own(event)
            yield Line("quiet", text, at_ms, _named(event), is_extra=scene.is_after_tick)
        case Began() | Forked() | Gathered() | Incident() | Ended() | Closed():
            yield Line(_tone(event), remarks.of_run(event, after), at_ms)


def _heard(event: Heard, scene: _Scene) -> Line:
    if event.speaker is None:
        speaker = f"({remarks.outsider(event, scene.told, scene.after)})"
    else:
        speaker = scene.after.display(event.speaker)
    return Line(
        tone="outside" if event.speaker is None else "said",
        text=printable(event.text).strip("\n"),
        at_ms=scene.at_ms,
        channel=event.channel,
        turn=event.turn,
        bot=event.speaker,
        speaker=speaker,
    )


def _of_turn(
    event: Acted | Passed | Revoked | FellBack | TurnClosed, scene: _Scene
) -> Iterator[Line]:
    at_ms, before, after = scene.at_ms, scene.before, scene.after
    where = (at_ms, event.channel, event.turn)
    match event:
        case Acted(action=Act() as act):
            name, text = after.display(event.bot), remarks.action(act)
            yield Line("did", text, *where, event.bot, name, is_extra=_is_told_else(event, scene))
        case Passed():
            yield Line("quiet", f"{after.display(event.bot)} passes", *where, event.bot)
        case Revoked():
            text = remarks.revoked(event, scene.rest, before, after)
            is_usual = event.reason in ("channel_closed", "forked")
            yield Line("warning", text, *where, event.bot, is_extra=is_usual)
        case FellBack():
            text = f"the world acts for {after.display(event.bot)}: {remarks.action(event.action)}"
            yield Line("quiet", text, *where, event.bot, is_extra=True)
        case TurnClosed(outcome="given_up"):
            yield Line("warning", remarks.given_up(event, before), *where)
        case TurnClosed() if not scene.every:
            yield from _done_in_round(event, scene)


def _is_told_else(event: Acted, scene: _Scene) -> bool:
    """Tell whether an action is told of in another line, or done at a tick of a clock.

    What a turn asks of several at once is told when it closes: until then it is sealed.
    """
    channel = scene.before.channels.get(event.channel)
    holder = channel.holder(event.epoch) if channel else None
    is_at_tick = holder is not None and holder.is_due
    is_sealed = channel is not None and channel.asked > 1
    return is_at_tick or is_sealed or _is_heard(event.bot, event.epoch, scene.rest)


def _done_in_round(event: TurnClosed, scene: _Scene) -> Iterator[Line]:
    channel = scene.before.channels.get(event.channel)
    if channel is None or channel.asked < 2 or any(one.is_due for one in channel.holders):
        return
    now = [
        (one.bot, one.epoch, remarks.action(one.action))
        for one in scene.events[: scene.place]
        if isinstance(one, Acted) and isinstance(one.action, Act) and one.channel == event.channel
    ]
    for bot, epoch, text in (*channel.done, *now):
        if not _is_heard(bot, epoch, scene.rest):
            where = (scene.at_ms, event.channel, event.turn, bot)
            yield Line("did", text, *where, scene.after.display(bot))


def _is_heard(bot: str, epoch: int, rest: Sequence[Event]) -> bool:
    """Tell whether the world lets what a bot did be heard: that says what it was."""
    return any(isinstance(one, Heard) and (one.speaker, one.epoch) == (bot, epoch) for one in rest)


def _of_channel(
    event: ChannelOpened | ChannelClosed | MemberJoined | MemberLeft, scene: _Scene
) -> Iterator[Line]:
    if scene.before.phase == "new":
        return
    if isinstance(event, MemberJoined | MemberLeft):
        told = scene.told
        if told and (told.channel, told.bot) == (event.channel, event.bot):
            return  # who did it is told, and that says what
        is_extra = False
    else:
        is_extra = len(_members(event, scene)) <= ENCOUNTER_MEMBERS
    text = remarks.channel(event, scene.after)
    yield Line("quiet", text, scene.at_ms, event.channel, is_extra=is_extra)


def _members(event: ChannelOpened | ChannelClosed, scene: _Scene) -> Sequence[str]:
    if isinstance(event, ChannelOpened):
        return event.members
    closed = scene.before.channels.get(event.channel)
    return closed.members if closed else ()


def _named(event: OpenEvent) -> str | None:
    """Find the channel that an event of a world's own kind names, if it names one."""
    channel = (event.model_extra or {}).get("channel")
    return printable_line(channel, most=64) if isinstance(channel, str) else None


def _tone(event: Began | Forked | Gathered | Incident | Ended | Closed) -> Tone:
    match event:
        case Closed():
            return "end"
        case Ended():
            is_good = event.reason in ("turns", "minutes", "measure", "world")
            return "end" if is_good else "warning"
        case Incident():
            return "warning"
        case Gathered():
            return "warning" if event.absent else "quiet"
        case Began() | Forked():
            return "quiet"


def _seats(events: Sequence[Event], before: View, after: View, at_ms: int) -> Iterator[Line]:
    """Tell who got a host and who lost one, host by host."""
    if before.phase in ("ended", "closed"):
        return
    taken: dict[str, list[str]] = {}
    lost: dict[str, list[str]] = {}
    for event in events:
        if isinstance(event, Seated):
            taken.setdefault(event.host, []).append(event.bot)
        elif isinstance(event, Unseated) and event.reason in ("left", "lost"):
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
        detail = f" ({short(event.detail)})" if event.detail else ""
        what = event.why.replace("_", " ")
        yield Line("warning", f"an input from {author} rejected: {what}{detail}", at_ms)
