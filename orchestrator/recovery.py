"""What is due, and what is done about it: silence, lost hosts, the run's own timers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from orchestrator.draft import Draft
from orchestrator.floor import close_grant
from orchestrator.rules import Rules
from orchestrator.state import Grant, Seat, State
from orchestrator.world import end, revoked, tell_world
from utils.journal import MAX_EVENTS
from utils.protocol import (
    DeadlinePassed,
    FellBack,
    Gathered,
    HostLost,
    Notice,
    TimerRang,
    Unseated,
    WakeDue,
    Woke,
)
from worlds import seam

# Looked at several times a turn, and nearly never due: made once.
GATHER, MINUTES, SILENCE = (
    TimerRang(timer="gather"),
    TimerRang(timer="minutes"),
    TimerRang(timer="silence"),
)
_deadline = lru_cache(maxsize=1_024)(lambda epoch: DeadlinePassed(epoch=epoch))


def timers(rules: Rules, state: State) -> Iterator[tuple[int, Notice]]:
    """List everything that happens by itself, with the journal time it is due at."""
    spec = rules.spec
    if state.phase not in ("gathering", "running"):
        return
    for grant in state.live():
        yield grant.deadline_ms, _deadline(grant.event.epoch)
    if state.phase == "gathering" and not state.is_paused:
        yield state.acted_ms + round(spec.floor.gather_s * 1000), GATHER
    if state.paused_at_ms is None:
        if spec.end.minutes is not None:
            yield state.began_ms + state.paused_ms + round(spec.end.minutes * 60_000), MINUTES
        yield state.acted_ms + round(spec.end.silence_minutes * 60_000), SILENCE
    wake_ms = rules.world.wake_ms(state.world)
    if state.phase == "running" and wake_ms is not None and not state.is_paused:
        yield from _wakes(rules, state, wake_ms)


def _wakes(rules: Rules, state: State, wake_ms: int) -> Iterator[tuple[int, Notice]]:
    """Tell when the world is to be woken, by its pace; not at all while it has to wait."""
    pace, notice = rules.spec.pace, WakeDue(world_ms=wake_ms)
    if pace.kind == "realtime" and state.paused_at_ms is None:
        at_ms, world_ms = state.clock
        yield max(state.at_ms, at_ms + round((wake_ms - world_ms) / pace.scale)), notice
    elif not any(pace.kind == "turns" or _is_due(grant, wake_ms) for grant in state.live()):
        yield state.at_ms, notice  # as soon as may be


def _is_due(grant: Grant, world_ms: int) -> bool:
    return grant.event.due_ms is not None and grant.event.due_ms <= world_ms


def next_due_ms(rules: Rules, state: State) -> int | None:
    """Tell the journal time at which something is due next; none when nothing ever is."""
    return min((due_ms for due_ms, _ in timers(rules, state)), default=None)


def due(rules: Rules, state: State, *, by_ms: int) -> list[Notice]:
    """List what is due by a journal time, the earliest first."""
    ripe = [(due_ms, notice) for due_ms, notice in timers(rules, state) if due_ms <= by_ms]
    return [notice for _, notice in sorted(ripe, key=lambda pair: pair[0])]


def pass_deadline(draft: Draft, notice: DeadlinePassed) -> None:
    """Revoke a grant whose deadline passed, if it is still live."""
    grant = draft.state.grant(notice.epoch)
    if grant is None:
        return
    seat = draft.state.seats.get(grant.event.bot, Seat())
    reason = "deadline" if seat.host else "lost"
    close_grant(draft, grant, revoked(grant, reason))


def lose_host(draft: Draft, notice: HostLost) -> None:
    """Take the bots of a lost host off their seats. Their grants wait for another host.

    As many as fit in a commit; while any are left, the host is noticed again.
    """
    lost = [(bot, seat) for bot, seat in draft.state.seats.items() if seat.host == notice.host]
    for bot, seat in lost[: MAX_EVENTS // 2]:
        unseat(draft, bot, seat, "lost")


def unseat(draft: Draft, bot: str, seat: Seat, reason: str) -> None:
    """Take a bot off its seat, and tell the world."""
    draft.emit(unseated(bot, seat, reason))
    tell_world(draft, seam.BotLeft(bot))


def unseated(bot: str, seat: Seat, reason: str) -> Unseated:
    """Make the event that takes a bot off its seat."""
    return Unseated.model_validate(
        {"bot": bot, "seat": seat.number, "host": seat.host, "reason": reason}
    )


def ring(draft: Draft, notice: TimerRang) -> None:
    """Do what one of the run's own timers is there for."""
    if notice.timer != "gather":
        end(draft, notice.timer)
    elif draft.state.phase == "gathering":
        seats = draft.state.seats
        absent = [bot.name for bot in draft.rules.spec.bots if not _is_seated(seats.get(bot.name))]
        draft.emit(Gathered(absent=tuple(absent)))


def wake(draft: Draft, notice: WakeDue) -> None:
    """Let the world take its step; before it, let it act for the bots that are late."""
    world = draft.rules.world
    if draft.state.phase != "running" or world.wake_ms(draft.state.world) != notice.world_ms:
        return
    for grant in draft.state.live():
        event = grant.event
        action = None
        if _is_due(grant, notice.world_ms) and not grant.fell_back:
            action = world.fallback(draft.state.world, event.bot, event.ask)
        if action is not None:
            draft.emit(
                FellBack(
                    channel=event.channel,
                    turn=event.turn,
                    bot=event.bot,
                    epoch=event.epoch,
                    action=action,
                )
            )
    draft.emit(Woke(world_ms=notice.world_ms))
    tell_world(draft, seam.Woke())


def gather(draft: Draft) -> None:
    """Begin the turns once every bot of the scenario has a seat."""
    if draft.state.phase == "gathering" and all(
        _is_seated(draft.state.seats.get(bot.name)) for bot in draft.rules.spec.bots
    ):
        draft.emit(Gathered(absent=()))


def end_when_done(draft: Draft) -> None:
    """End the run when it has had its turns, every channel its own, or a measure is met."""
    limit = draft.rules.spec.end.turns
    if draft.state.phase != "running":
        return
    for reached in draft.rules.spec.end.measures:
        if reached.holds(draft.state.measured.get(reached.measure)):
            end(draft, "measure", detail=f"{reached.measure} is {reached.bound}")
    floors = draft.state.floors.values()
    if (limit is not None and draft.state.turns >= limit) or (
        floors and all(floor.is_done for floor in floors)
    ):
        end(draft, "turns")


def _is_seated(seat: Seat | None) -> bool:
    return seat is not None and seat.host is not None
