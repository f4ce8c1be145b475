"""What each event does to a run's state. Pure, and the only place that says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from orchestrator.parting import go_on, taken_back
from orchestrator.rules import Rules
from orchestrator.state import VANISHED, Floor, Grant, Seat, State, with_floor
from utils.mail import REMEMBERED_ROOMS
from utils.protocol import (
    Acted,
    Began,
    ChannelChanged,
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
    Incident,
    Measured,
    MemberJoined,
    MemberLeft,
    Muted,
    Pass,
    Passed,
    Paused,
    Resumed,
    Revoked,
    Seated,
    Triggered,
    TurnClosed,
    Unheard,
    Unmuted,
    Unseated,
    Woke,
)
from worlds.measures import count
from worlds.seam import Answer

E = TypeVar("E")


def apply(rules: Rules, state: State, event: Event, *, seq: int, at_ms: int) -> State:
    """Take one event into the state; an event of an unknown kind only into the world's.

    Args:
        seq: The number of the commit the event is in.
        at_ms: That commit's time.
    """
    change = _CHANGES.get(type(event))
    if change is not None:
        state = change(state, event, seq, at_ms)
    if isinstance(event, Forked):
        state = state._replace(world=rules.world.forked(state.world, rules.spec))
    if rules.measures and isinstance(event, Heard) and event.speaker is not None:
        counted = count(state.counted, event.speaker, event.text, keep=rules.window)
        state = state._replace(counted=counted)
    world = rules.world.evolve(state.world, event)
    return state if world is state.world else state._replace(world=world)


def _began(state: State, event: Began, seq: int, at_ms: int) -> State:
    return state._replace(run=event.run, phase="gathering", began_ms=at_ms, acted_ms=at_ms)


def _gathered(state: State, event: Gathered, seq: int, at_ms: int) -> State:
    absent = {bot: state.seats.get(bot, Seat())._replace(absent=True) for bot in event.absent}
    return state._replace(
        phase="running",
        seats={**state.seats, **absent},
        acted_ms=at_ms,
        clock=(at_ms, state.world_ms),
    )


def _opened(state: State, event: ChannelOpened, seq: int, at_ms: int) -> State:
    floor = Floor(
        channel=event.channel,
        members=event.members,
        hears=event.hears,
        policy=event.policy,
        turns=event.turns,
    )
    return _enter(with_floor(state, floor), event.channel, event.members)


def _channel_changed(state: State, event: ChannelChanged, seq: int, at_ms: int) -> State:
    floor = state.floors[event.channel]
    return with_floor(state, floor._replace(hears=event.hears, policy=event.policy))


def _channel_closed(state: State, event: ChannelClosed, seq: int, at_ms: int) -> State:
    floors = {name: floor for name, floor in state.floors.items() if name != event.channel}
    return state._replace(floors=floors)


def _enter(state: State, channel: str, bots: Sequence[str]) -> State:
    """Note that bots come to a channel, and forget the rooms they left longest ago."""
    rooms = dict(state.rooms)
    for bot in bots:
        been = tuple(room for room in rooms.get(bot, ()) if room != channel)
        over = sum(1 for room in been if room not in state.floors) - REMEMBERED_ROOMS
        for _ in range(over):
            oldest = next(index for index, room in enumerate(been) if room not in state.floors)
            been = been[:oldest] + been[oldest + 1 :]
        rooms[bot] = (*been, channel)
    return state._replace(rooms=rooms)


def _member_joined(state: State, event: MemberJoined, seq: int, at_ms: int) -> State:
    floor = state.floors[event.channel]
    state = with_floor(state, floor._replace(members=(*floor.members, event.bot)))
    return _enter(state, event.channel, (event.bot,))


def _member_left(state: State, event: MemberLeft, seq: int, at_ms: int) -> State:
    floor = state.floors[event.channel]
    members = tuple(member for member in floor.members if member != event.bot)
    return with_floor(state, floor._replace(members=members))


def _seated(state: State, event: Seated, seq: int, at_ms: int) -> State:
    seat = Seat(number=event.seat, host=event.host)
    return state._replace(seats={**state.seats, event.bot: seat}, seatings=event.seat)


def _unseated(state: State, event: Unseated, seq: int, at_ms: int) -> State:
    seat = state.seats[event.bot]._replace(host=None)
    return state._replace(seats={**state.seats, event.bot: seat})


def _granted(state: State, event: Granted, seq: int, at_ms: int) -> State:
    floor = state.floors[event.channel]
    live = (*floor.live, Grant(event=event, seq=seq))
    again = tuple(bot for bot in floor.again if floor.asked and bot != event.bot)
    floor = floor._replace(live=live, asked=event.asked, round=event.round, again=again)
    state = with_floor(state, floor)
    return state._replace(epochs=event.epoch)


def _extended(state: State, event: Extended, seq: int, at_ms: int) -> State:
    return _with_grant(state, event, extended_ms=event.deadline_ms)


def _answered(state: State, event: Acted | Passed, seq: int, at_ms: int) -> State:
    floor = _close_grant(state.floors[event.channel], event)
    answer = Answer(
        bot=event.bot,
        epoch=event.epoch,
        action=event.action if isinstance(event, Acted) else Pass(why=event.why),
        call_sha256=event.call_sha256,
    )
    state = with_floor(state, floor._replace(answers=(*floor.answers, answer)))
    return state._replace(acted_ms=at_ms)


def _revoked(state: State, event: Revoked, seq: int, at_ms: int) -> State:
    if event.reason == "forked":
        return with_floor(state, taken_back(state.floors[event.channel], event))
    floor = _close_grant(state.floors[event.channel], event)
    state = with_floor(state, floor._replace(revoked=(*floor.revoked, event.bot)))
    if event.reason != "lost":
        return state
    seat = state.seats.get(event.bot, Seat())._replace(absent=True)
    return state._replace(seats={**state.seats, event.bot: seat})


def _turn_closed(state: State, event: TurnClosed, seq: int, at_ms: int) -> State:
    floor = state.floors[event.channel]
    fresh = floor._replace(
        turn=floor.turn + 1,
        asked=0,
        answers=(),
        revoked=(),
        again=(),
        addressee=floor.addressee if event.outcome == "acted" else None,
    )
    steps = max(0, state.steps - 1)
    return with_floor(state, fresh)._replace(turns=state.turns + 1, steps=steps)


def _heard(state: State, event: Heard, seq: int, at_ms: int) -> State:
    floor = state.floors.get(event.channel)
    if floor is None or event.speaker is None:
        return state
    heard = floor._replace(last_speaker=event.speaker, addressee=event.addressee)
    return with_floor(state, heard)


def _unheard(state: State, event: Unheard, seq: int, at_ms: int) -> State:
    floor = state.floors[event.channel]
    return with_floor(
        state, floor._replace(last_speaker=event.last_speaker, addressee=event.addressee)
    )


def _woke(state: State, event: Woke, seq: int, at_ms: int) -> State:
    return state._replace(world_ms=event.world_ms)


def _fell_back(state: State, event: FellBack, seq: int, at_ms: int) -> State:
    return _with_grant(state, event, fell_back=True)


def _paused(state: State, event: Paused, seq: int, at_ms: int) -> State:
    since_ms = at_ms if state.paused_at_ms is None else state.paused_at_ms
    return state._replace(paused_at_ms=since_ms, steps=event.turns)


def _resumed(state: State, event: Resumed, seq: int, at_ms: int) -> State:
    return state._replace(
        paused_at_ms=None,
        paused_ms=state.paused_ms + event.paused_ms,
        acted_ms=min(at_ms, state.acted_ms + event.paused_ms),
        steps=0,
        clock=(at_ms, state.world_ms),
    )


def _muted(state: State, event: Muted, seq: int, at_ms: int) -> State:
    return state._replace(muted=(*state.muted, event.bot))


def _unmuted(state: State, event: Unmuted, seq: int, at_ms: int) -> State:
    return state._replace(muted=tuple(bot for bot in state.muted if bot != event.bot))


def _measured(state: State, event: Measured, seq: int, at_ms: int) -> State:
    if event.channel is not None or event.bot is not None:
        return state
    return state._replace(measured={**state.measured, event.name: event.value})


def _triggered(state: State, event: Triggered, seq: int, at_ms: int) -> State:
    times = state.fired.get(event.trigger, 0) + 1
    return state._replace(fired={**state.fired, event.trigger: times})


def _incident(state: State, event: Incident, seq: int, at_ms: int) -> State:
    return state._replace(missed=(state.epochs, event.detail)) if event.name == VANISHED else state


def _over(state: State, event: Ended | Closed, seq: int, at_ms: int) -> State:
    return state._replace(phase=event.kind)


def _with_grant(state: State, event: Extended | FellBack, **changes: Any) -> State:
    """Change the live grant that an event names."""
    floor = state.floors[event.channel]
    live = tuple(
        grant._replace(**changes) if grant.event.epoch == event.epoch else grant
        for grant in floor.live
    )
    return with_floor(state, floor._replace(live=live))


def _close_grant(floor: Floor, event: Acted | Passed | Revoked) -> Floor:
    live = tuple(grant for grant in floor.live if grant.event.epoch != event.epoch)
    return floor._replace(live=live, held={**floor.held, event.bot: event.turn})


_CHANGES: dict[type, Callable[[State, Any, int, int], State]] = {
    Acted: _answered,
    Began: _began,
    ChannelChanged: _channel_changed,
    ChannelClosed: _channel_closed,
    ChannelOpened: _opened,
    Closed: _over,
    Ended: _over,
    Extended: _extended,
    FellBack: _fell_back,
    Forked: go_on,
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
    Resumed: _resumed,
    Revoked: _revoked,
    Seated: _seated,
    Triggered: _triggered,
    TurnClosed: _turn_closed,
    Unheard: _unheard,
    Unmuted: _unmuted,
    Unseated: _unseated,
    Woke: _woke,
}
