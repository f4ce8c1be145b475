"""Where each event of a commit goes beside the journal: channels and inboxes. Pure.

A channel is told what is heard there, and who comes and goes. A host is told, in its
inbox, what it must act on for its own seats: so a commit wakes the hosts that have
something to do and no others, and a sealed answer or another bot's ask never reaches a
host before its time. That an answer was taken in is no reason to wake who gave it: the
bot's next grant says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestrator.state import Seat, State
from utils import keys
from utils.journal import Commit, Sealed
from utils.mail import ChannelEntry, InboxEntry, StandingGrant
from utils.protocol import (
    ChannelClosed,
    ChannelOpened,
    Ended,
    Event,
    Extended,
    Granted,
    Heard,
    MemberJoined,
    MemberLeft,
    Rejected,
    Revoked,
    Seated,
    TurnClosed,
    Unheard,
    Unseated,
)

IN_CHANNEL = (ChannelOpened, ChannelClosed, MemberJoined, MemberLeft, Heard, Unheard, TurnClosed)
IN_INBOX = (Seated, Unseated, Granted, Extended, Revoked)

Targets = dict[str, tuple[list[Event], list[str]]]


def targets(before: State, after: State, commit: Commit) -> Targets:
    """Sort a commit's events into the channels and inboxes they go to.

    Args:
        before: The state the commit stands on.
        after: The state it leads to.

    Returns:
        `channel:<name>` and `inbox:<host>` to the events that go there and, for an
        inbox, the nonces of that host's inputs in this commit.
    """
    routed: Targets = {}
    for event in commit.events:
        for target in _of(event, after):
            routed.setdefault(target, ([], []))[0].append(event)
    for consumed in commit.inputs:
        if f"inbox:{consumed.author}" in routed:
            routed[f"inbox:{consumed.author}"][1].append(consumed.nonce)
    return routed


def entries(before: State, after: State, sealed: Sealed) -> dict[str, str]:
    """Write the entries that go with a commit: target name to the entry's bytes."""
    bodies = {}
    for target, (events, nonces) in targets(before, after, sealed.commit).items():
        common: dict[str, Any] = {
            "seq": sealed.seq,
            "commit_sha256": sealed.sha256,
            "prev": before.tops.get(target, ""),
            "at_ms": sealed.commit.at_ms,
            "events": tuple(events),
        }
        entry: ChannelEntry | InboxEntry
        if target.startswith("channel:"):
            entry = ChannelEntry.model_construct(**common)
        else:
            seated = [event.bot for event in events if isinstance(event, Seated)]
            entry = InboxEntry.model_construct(
                **common,
                nonces=tuple(nonces),
                standing=_standing(events, after),
                rooms={bot: after.rooms.get(bot, ()) for bot in seated},
            )
        bodies[target] = entry.model_dump_json()
    return bodies


def channels_alone(beside: Mapping[str, str]) -> dict[str, str]:
    """Leave out the inboxes: a fork has the channels of its parent, and hosts of its own."""
    return {name: body for name, body in beside.items() if name.startswith("channel:")}


def _of(event: Event, after: State) -> list[str]:
    if isinstance(event, IN_CHANNEL):
        return [f"channel:{event.channel}", *_inboxes(_come(event), after)]
    if isinstance(event, Unseated):  # a parent's hosts have no inbox in the fork
        return [f"inbox:{event.host}"] if event.reason != "forked" else []
    if isinstance(event, Rejected):
        seated = any(seat.host == event.author for seat in after.seats.values())
        return [f"inbox:{event.author}"] if seated else []
    if isinstance(event, IN_INBOX):
        seat = after.seats.get(event.bot, Seat())
        return [f"inbox:{seat.host}"] if seat.host else []
    if isinstance(event, Ended):
        channels = [f"channel:{name}" for name in after.floors]
        return [*channels, *_inboxes(after.seats, after)]
    return []


def _come(event: Event) -> Sequence[str]:
    """List the bots that come to a channel by an event: their hosts are to listen to it."""
    if isinstance(event, ChannelOpened):
        return event.members
    return (event.bot,) if isinstance(event, MemberJoined) else ()


def _inboxes(bots: Iterable[str], after: State) -> list[str]:
    seats = [after.seats.get(bot, Seat()) for bot in bots]
    return [f"inbox:{host}" for host in dict.fromkeys(seat.host for seat in seats if seat.host)]


def _standing(events: list[Event], after: State) -> tuple[StandingGrant, ...]:
    """List the grants an inbox's host may answer from this commit on."""
    seated = {event.bot for event in events if isinstance(event, Seated)}
    granted = {event.epoch for event in events if isinstance(event, Granted)}
    return tuple(
        StandingGrant.model_construct(
            event=grant.event, seq=grant.seq, commit_sha256=grant.commit_sha256
        )
        for grant in after.live()
        if grant.event.bot in seated or grant.event.epoch in granted
    )


def target_key(run: str, target: str) -> str:
    """Name the key of a target: `channel:<name>` or `inbox:<host>`.

    Example:
        >>> target_key("tea", "inbox:h1")
        'parley:{tea}:inbox:h1'
    """
    kind, _, name = target.partition(":")
    return keys.channel(run, name) if kind == "channel" else keys.inbox(run, name)
