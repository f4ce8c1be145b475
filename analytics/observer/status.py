"""How a run stands: who holds the floor, who serves whom, what is missing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TypedDict

from analytics.observer.pace import left_ms, paused, turns_per_minute
from analytics.observer.runs import spec_of, view_of
from analytics.observer.view import Channel, View
from analytics.observer.words import lasting, listed, measure, rate
from utils import keys
from utils.names import counted
from utils.streams import Streams

MAX_FLOORS = 12
"""Channels listed one by one."""
MAX_WORLD_ROWS = 12


@dataclass(frozen=True, slots=True)
class Standing:
    """A run as it stands.

    Attributes:
        leader: Who leads it, if anybody does.
        silent: Hosts that hold seats and whose presence has lapsed.
        now_ms: Server time.
    """

    view: View
    leader: str | None
    silent: frozenset[str]
    now_ms: int


class HolderRecord(TypedDict):
    """A bot that holds the floor, as JSON."""

    bot: str
    turn: int
    tries: int
    left_ms: int


def standing(streams: Streams, run: str) -> Standing:
    """Read how a run stands. Writes nothing. Raises `BadInput` when there is no such run."""
    view = view_of(streams, run, spec_of(streams, run))
    now_ms = streams.time_ms()
    present = {host for host, until_ms in streams.presences().items() if until_ms >= now_ms}
    hosts = {host for host in view.seats.values() if host}
    return Standing(
        view=view,
        leader=streams.lease_owners([keys.leader(run)])[0],
        silent=frozenset(hosts - present),
        now_ms=now_ms,
    )


def report(at: Standing) -> list[str]:
    """Write it for a person, a line a thing."""
    view = at.view
    rows = [("turns", _turns(at))]
    rows += [("world", row) for row in _world(view)]
    if not _is_over(view):
        rows += [("floor", floor) for floor in _floors(at)]
        rows += [("seats", seat) for seat in _seats(at)]
        if view.muted:
            rows.append(("muted", listed([view.display(bot) for bot in view.muted])))
        rows.append(("leader", at.leader or "nobody leads this run: parley orchestrator"))
    rows.append(("last word", _last_word(at)))
    rows.append(("trouble", _trouble(view)))
    lines = [f"run {view.plan.run} · {view.plan.scenario} · {_phase(at)}"]
    said = ""
    for name, text in rows:
        lines.append(f"  {name if name != said else '':<10}{text}")
        said = name
    return lines


def record(at: Standing) -> dict[str, object]:
    """Write it for a program: one JSON object."""
    view = at.view
    return {
        "run": view.plan.run,
        "scenario": view.plan.scenario,
        "phase": view.phase,
        "end": view.end or None,
        "turns": view.turns,
        "turns_asked": view.plan.turns_asked,
        "end_measures": {one.measure: one.bound for one in view.plan.measures},
        "turns_per_minute": turns_per_minute(view, at.now_ms),
        "left_ms": left_ms(view, at.now_ms),
        **_time_record(at),
        "measured": dict(view.measured),
        "channels_open": len(view.channels),
        "channels_opened": view.opened,
        "floor": {name: _holders(one, at.now_ms) for name, one in view.channels.items()},
        "seats": dict(view.seats),
        "muted": list(view.muted),
        "absent": sorted(view.absent),
        "silent_hosts": sorted(at.silent),
        "leader": at.leader,
        "spoken": dict(view.spoken),
        "last_word": None if view.last_word is None else asdict(view.last_word),
        "given_up": view.given_up,
        "passed": view.passed,
        "revoked": view.revoked,
        "fell_back": view.fell_back,
        "rejected": view.rejected,
        "incidents": view.incidents,
        "commits": view.seq,
        "at_ms": at.now_ms,
    }


def _time_record(at: Standing) -> dict[str, object]:
    """Write run time, pauses and the world's time; of a run that is over, as it ended."""
    view = at.view
    until_ms = view.ended_ms if _is_over(view) else at.now_ms
    since_ms = None if _is_over(view) else view.paused_at_ms
    return {
        "run_ms": view.run_ms(until_ms) if view.began_ms else None,
        "paused": since_ms is not None,
        "paused_for_ms": None if since_ms is None else at.now_ms - since_ms,
        "steps": view.steps if since_ms is not None else 0,
        "world_ms": view.world_ms,
    }


def _is_over(view: View) -> bool:
    return view.phase in ("ended", "closed")


def _phase(at: Standing) -> str:
    view = at.view
    if view.phase == "new":
        return "not begun"
    if view.phase == "gathering":
        left = lasting(view.began_ms + view.plan.gather_ms - at.now_ms)
        waits = f"waits for its bots, {left} yet"
        return waits if view.paused_at_ms is None else f"{waits}; {paused(view, at.now_ms)}"
    if view.phase == "running":
        ran = lasting(view.run_ms(at.now_ms) - view.gathered_run_ms)
        if view.paused_at_ms is None:
            return f"running for {ran}"
        return f"{paused(view, at.now_ms)}, after running for {ran}"
    ago = lasting(at.now_ms - view.ended_ms)
    detail = f" ({view.end_detail})" if view.end_detail else ""
    if view.phase == "closed":
        return f"closed; ended {ago} ago: {view.end}{detail}"
    return f"ended {ago} ago: {view.end}{detail}; the record is not closed yet"


def _turns(at: Standing) -> str:
    view = at.view
    parts = [view.plan.progress(view.turns)]
    pace, left = turns_per_minute(view, at.now_ms), left_ms(view, at.now_ms)
    if pace is not None:
        parts.append(rate(pace))
    if left is not None and view.phase == "running" and view.paused_at_ms is None:
        parts.append(f"{'at most ' if view.plan.measures else ''}about {lasting(left)} left")
    return ", ".join(parts)


def _world(view: View) -> list[str]:
    """Tell the world's time, its channels where they come and go, and what it measures."""
    rows = []
    if view.world_ms:
        rows.append(f"its time is {view.world_ms / 1000:g} s")
    if view.opened > max(len(view.channels), len(view.plan.channels)):
        rows.append(f"{len(view.channels)} channels open, of {view.opened} opened")
    ends = {one.measure: one.bound for one in view.plan.measures}
    rows += [
        measure(name, last, ends.get(name, "")) for name, last in sorted(view.measured.items())
    ]
    if len(rows) > MAX_WORLD_ROWS:
        rows = [*rows[: MAX_WORLD_ROWS - 1], f"and {len(rows) - MAX_WORLD_ROWS + 1} more measures"]
    return rows


def _floors(at: Standing) -> list[str]:
    view = at.view
    held = [channel for channel in view.channels.values() if channel.holders]
    floors = [
        f"{channel.name}: {view.display(holder.bot)} holds turn {holder.turn}"
        + (f", try {holder.tries + 1}" if holder.tries else "")
        + f", {_left(holder.deadline_ms - at.now_ms)}"
        for channel in held
        for holder in channel.holders
    ]
    if not floors and view.is_paused:
        return ["nobody holds it: the run is paused"]
    if len(floors) > MAX_FLOORS:
        return [*floors[: MAX_FLOORS - 1], f"and {len(floors) - MAX_FLOORS + 1} more"]
    return floors or ["nobody holds it"]


def _left(left: int) -> str:
    return f"{lasting(left)} left" if left >= 0 else f"{lasting(-left)} overdue"


def _seats(at: Standing) -> list[str]:
    """Tell which host serves whom, host by host, then whom nobody serves."""
    view = at.view
    served: dict[str, list[str]] = {}
    for bot in view.plan.bots:
        host = view.seats.get(bot)
        if host:
            served.setdefault(host, []).append(view.display(bot))
    rows = [
        f"{listed(names)} at {host}" + (", not heard from" if host in at.silent else "")
        for host, names in served.items()
    ]
    if view.unserved:
        names = listed([view.display(bot) for bot in view.unserved])
        rows.append(f"no host serves {names}: parley bots")
    passed_over = [bot for bot in view.unserved if bot in view.absent]
    if passed_over and view.phase == "running":
        verb = "is" if len(passed_over) == 1 else "are"
        rows.append(f"{listed([view.display(bot) for bot in passed_over])} {verb} passed over")
    return rows


def _last_word(at: Standing) -> str:
    word = at.view.last_word
    if word is None:
        return "none yet"
    nobody = f"({word.author or ('outside' if word.turn else 'opening')})"
    speaker = nobody if word.speaker is None else at.view.display(word.speaker)
    text = word.text if len(word.text) <= 100 else f"{word.text[:97].rstrip()}..."
    ago = lasting(at.now_ms - word.at_ms)
    return f"[{word.channel} {word.turn}] {speaker}: {text} ({ago} ago)"


def _trouble(view: View) -> str:
    counts = [
        (view.given_up, "turn given up", "turns given up"),
        (view.revoked, "grant revoked", "grants revoked"),
        (view.fell_back, "answer not there when due", "answers not there when due"),
        (view.rejected, "input rejected", "inputs rejected"),
    ]
    parts = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
    if view.incidents:
        parts.insert(0, counted(view.incidents, "incident"))
    return ", ".join(parts) or "none"


def _holders(channel: Channel, now_ms: int) -> list[HolderRecord]:
    return [
        {
            "bot": holder.bot,
            "turn": holder.turn,
            "tries": holder.tries,
            "left_ms": holder.deadline_ms - now_ms,
        }
        for holder in channel.holders
    ]
