"""What happened, in words: one line an event, printable and bounded. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from analytics.observer.view import View
from analytics.observer.words import fields, lasting, listed, value
from utils.names import counted
from utils.printable import printable_line
from utils.protocol import (
    Action,
    Began,
    ChannelClosed,
    ChannelOpened,
    Closed,
    Ended,
    Event,
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
    OpenEvent,
    Pass,
    Paused,
    Resumed,
    Revoked,
    Say,
    Triggered,
    TurnClosed,
    Unmuted,
)

DETAIL_CHARS = 160


def short(text: str) -> str:
    """Write a stranger's text on one line, its beginning only when it is long."""
    return printable_line(text, most=DETAIL_CHARS)


def action(done: Action) -> str:
    """Write what a bot did, or what was done for it."""
    if isinstance(done, Say):
        return short(done.text)
    if isinstance(done, Pass):
        return "nothing"
    return f"{done.name} {_json(done.args)}".rstrip()


def own(event: OpenEvent) -> str:
    """Write an event of a world's own kind."""
    return short(f"{event.kind} {fields(event.model_extra or {})}")


def measured(event: Measured, view: View) -> str:
    """Write what was measured, and of what."""
    of = f" of {view.display(event.bot)}" if event.bot else ""
    return f"measured {event.name}{of}: {event.value:g}"


def triggered(event: Triggered) -> str:
    """Write what came to a value for which the scenario has something to do."""
    return f"{event.measure} is {event.value:.4g}: the scenario acts"


def outsider(event: Heard, told: Intervened | None, view: View) -> str:
    """Name who said what no bot said: a person, or nobody; and to whom, if not to all."""
    who = "opening" if event.turn == 0 else "outside"
    if told is not None and (told.channel, told.text) == (event.channel, event.text):
        who = told.author
    if event.audience == "all":
        return who
    return f"{who} to {listed([view.display(bot) for bot in event.audience], most=3)}"


def intervened(event: Intervened, rest: Sequence[Event], view: View) -> str:
    """Tell who told the run what; nothing of words, which are told where they are heard.

    Args:
        rest: The events after it in its commit: a world's own verb may be called `pause`
            and do something else, so what it did decides.
    """
    then = rest[0] if rest else None
    by_fork = _by_fork(event)
    if by_fork:
        return by_fork
    if isinstance(then, Heard) and (then.channel, then.text) == (event.channel, event.text):
        return ""
    is_stop = any(isinstance(one, Ended) and one.reason == "stopped" for one in rest)
    did = "stops the run" if is_stop else _did(then, view) or _moved(event, view)
    if did:
        return f"{event.author} {did}"
    if event.text:
        return f"{event.author} remarks: {short(event.text)}"
    return f"{event.author} tells the world: {event.verb} {_json(event.args)}".rstrip()


def _by_fork(event: Intervened) -> str:
    """Tell what a fork changes: there is nobody who told the run so."""
    match event.verb, event.args:
        case "change", {"key": str(key), "value": given}:
            return f"the fork sets {short(key)} to {short(value(given))}"
        case "unhear", {"unheard": str(message)}:
            return f"the fork takes message {short(message)} back"
        case "reword", {"unheard": str(message)}:
            return f"the fork has other words heard in place of message {short(message)}"
    return ""


def _did(then: Event | None, view: View) -> str:
    match then:
        case Paused(turns=0):
            return "pauses the run"
        case Paused():
            return f"steps the run: {counted(then.turns, 'turn')} may close"
        case Resumed():
            return f"resumes the run after {lasting(then.paused_ms)}"
        case Muted():
            return f"mutes {view.display(then.bot)}"
        case Unmuted():
            return f"lets {view.display(then.bot)} speak again"
    return ""


def _moved(event: Intervened, view: View) -> str:
    """Tell who was put where; a world's own verbs name neither channel nor bot."""
    if event.channel is None or event.bot is None:
        return ""
    bot = view.display(event.bot)
    is_in = event.verb == "add"
    return f"puts {bot} into {event.channel}" if is_in else f"takes {bot} out of {event.channel}"


def revoked(event: Revoked, rest: Sequence[Event], before: View, after: View) -> str:
    """Tell why a grant was revoked, and who has the turn now."""
    channel = before.channels.get(event.channel)
    holders = channel.holders if channel else ()
    allowed_ms = next(
        (one.deadline_ms - one.since_ms for one in holders if one.epoch == event.epoch), 0
    )
    why = {
        "deadline": f"no answer within {lasting(allowed_ms)}",
        "lost": f"no host served it within {lasting(allowed_ms)}",
        "failed": f"its mind failed: {short(event.detail)}".rstrip(": "),
        "ended": "the run ended",
        "channel_closed": "the channel was closed",
        "left": "it left the channel",
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


def given_up(event: TurnClosed, before: View) -> str:
    """Tell that a turn was given up, and how often it was tried."""
    channel = before.channels.get(event.channel)
    made = max((holder.tries + 1 for holder in channel.holders), default=0) if channel else 0
    tries = f" in {made} tries" if made > 1 else ""
    return f"turn {event.turn} given up: nobody answered{tries}"


def channel(event: ChannelOpened | ChannelClosed | MemberJoined | MemberLeft, view: View) -> str:
    """Tell who comes and goes."""
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


def of_run(event: Began | Forked | Gathered | Incident | Ended | Closed, view: View) -> str:
    """Tell what concerns the whole run."""
    match event:
        case Began():
            bots = listed([view.display(bot) for bot in view.plan.bots])
            return f"run {event.run}: {event.scenario}, seed {event.seed}: {bots}"
        case Forked():
            where = f"{event.parent} at commit {event.parent_seq}"
            return f"run {event.run} goes on from {where}, seed {event.seed}"
        case Gathered(absent=()):
            return "all bots are seated: turns begin"
        case Gathered():
            absent = listed([view.display(bot) for bot in event.absent])
            return f"turns begin without {absent}: no host serves them"
        case Incident():
            return f"incident {event.name}: {short(event.detail)}".rstrip(": ")
        case Ended():
            return f"the run has ended: {_why(event)}"
        case Closed():
            turns, calls = counted(view.turns, "turn"), counted(event.calls, "call")
            return f"the record is closed: {turns}, {calls}"


def _why(event: Ended) -> str:
    why = {
        "turns": "all its turns are done",
        "minutes": "its minutes are over",
        "silence": "nobody said anything for too long",
        "measure": "what it waited for is measured",
        "world": "its world is done",
        "stopped": "it was stopped",
        "halted": "halted",
    }[event.reason]
    detail = short(event.detail)
    return f"{why}: {detail}" if detail else why


def _json(args: JsonValue) -> str:
    if args is None:
        return ""
    return short(fields(args) if isinstance(args, dict) else value(args))
