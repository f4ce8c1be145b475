"""Which runs there are, and how far each is. Reads only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from analytics.observer.changes import evolve
from analytics.observer.plan import plan_of
from analytics.observer.view import Phase, View, blank
from utils import keys
from utils.errors import BadEntry, BadInput
from utils.journal import Sealed, chain, first_field
from utils.names import Name, check_name, nearest, shown
from utils.protocol import (
    Acted,
    ChannelOpened,
    Count,
    Granted,
    Passed,
    Revoked,
    Short,
    TurnClosed,
)
from utils.spec import Spec
from utils.streams import Streams, unseal_entry

PAGE = 50


class Registered(BaseModel):
    """An entry of the registry: a run that was started. Fields it may gain are let by."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run: Name
    scenario: Name
    spec_sha256: str
    labels: dict[Name, Short] = {}
    started_ms: Count


@dataclass(frozen=True, slots=True)
class Glance:
    """How far a run is, at a glance.

    Attributes:
        phase: `unreadable` when its spec or its journal is not what it should be.
        turns_asked: Turns after which it ends; none when nothing bounds them.
        leader: Who leads it, if anybody does.
        is_paused: Whether nothing new is granted until somebody says so.
        is_most: Whether it may end before those turns, by what it measures.
    """

    entry: Registered
    phase: Phase | Literal["unreadable"]
    turns: int
    turns_asked: int | None
    leader: str | None
    is_paused: bool = False
    is_most: bool = False


def registered(streams: Streams) -> list[Registered]:
    """List all runs there are, the last started first. Entries that are none are left out."""
    return list(_readable(streams))[::-1]


def spec_of(streams: Streams, run: str) -> Spec:
    """Read a run's spec.

    Raises:
        BadInput: There is no such run; the line names the nearest there is.
        BadEntry: The spec cannot be read.
    """
    body = streams.spec(check_name(run, "run"))
    if body is None:
        close = nearest(run, [entry.run for entry in registered(streams)])
        mend = f"did you mean {shown(close)}?" if close else "parley runs lists what there is"
        raise BadInput(f"unknown run {shown(run)}", mend=mend)
    try:
        return Spec.model_validate_json(body)
    except ValidationError as error:
        raise BadEntry(keys.spec(run), f"no spec: {first_field(error)}") from error


def check_channel(journal: Iterable[Sealed], run: str, spec: Spec, channel: str) -> str:
    """Return a channel's name if the run has or had such a channel.

    Args:
        journal: Its commits; read only where the scenario does not name the channel.

    Raises:
        BadInput: It has none; the line names the nearest, or all there are.
    """
    known = {one.name for one in spec.channels}
    if channel not in known:  # a world may open more: only its journal knows
        for sealed in journal:
            opened = (one for one in sealed.commit.events if isinstance(one, ChannelOpened))
            known |= {one.channel for one in opened}
    if channel in known:
        return channel
    close = nearest(channel, known)
    some = ", ".join(sorted(known)[:8]) or "none yet"
    mend = f"did you mean {shown(close)}?" if close else f"there is {some}"
    raise BadInput(f"run {run} has no channel {shown(channel)}", where="--channel", mend=mend)


def newest_live(streams: Streams) -> str | None:
    """Name the run that was started last of those that are not closed; none if all are."""
    live = set(streams.live_runs())
    return next((entry.run for entry in registered(streams) if entry.run in live), None)


def view_of(streams: Streams, run: str, spec: Spec) -> View:
    """Fold a run's whole journal, its chain checked."""
    view = blank(plan_of(run, spec))
    for sealed in chain(streams.journal(run)):
        view = evolve(view, sealed)
    return view


def glance(streams: Streams, entry: Registered) -> Glance:
    """Look how far a run is, without reading more of its journal than needed."""
    leader = streams.lease_owners([keys.leader(entry.run)])[0]
    try:
        spec = spec_of(streams, entry.run)
        phase, turns, is_paused = _far(streams, entry.run, spec)
    except (BadInput, BadEntry):  # one bad run must not hide the others
        return Glance(entry, "unreadable", turns=0, turns_asked=None, leader=leader)
    plan = plan_of(entry.run, spec)
    return Glance(
        entry,
        phase,
        turns=turns,
        turns_asked=plan.turns_asked,
        leader=leader,
        is_paused=is_paused,
        is_most=bool(plan.measures),
    )


def _readable(streams: Streams) -> Iterator[Registered]:
    for entry in streams.all(keys.RUNS):
        try:
            yield Registered.model_validate_json(entry.body)
        except ValidationError:
            continue


def _far(streams: Streams, run: str, spec: Spec) -> tuple[Phase, int, bool]:
    """Tell a run's phase, the turns it has closed, and whether it is paused.

    A turn's number is its channel's own count, so the last closed turn of each channel
    gives the sum: the journal is read backwards, page by page, until each channel was
    met. In a run of few channels that is its last commits. Only the whole journal tells
    where a world opens and closes channels, and whether a run in which nobody holds a
    grant is paused.
    """
    if spec.world.name == "salon":
        phase, turns, is_granted = _glimpsed(streams, run, len(spec.channels))
        if is_granted or phase not in ("gathering", "running"):
            return phase, turns, False
    return _counted(streams, run)


def _counted(streams: Streams, run: str) -> tuple[Phase, int, bool]:
    """Count through a whole journal, by the kinds of its events alone.

    A list of runs may not take as long as folds of them all; nothing is checked here.
    """
    phase: Phase = "new"
    turns, steps = 0, -1  # no steps below 0: the run is not paused
    for entry in streams.all(keys.journal(run)):
        try:
            for event in json.loads(entry.body)["events"]:
                kind = event["kind"]
                if kind == "turn_closed":
                    turns, steps = turns + 1, steps - 1 if steps > 0 else steps
                elif kind == "paused":
                    steps = event["turns"]
                elif kind == "resumed":
                    steps = -1
                phase = _phase(kind) or ("gathering" if kind == "began" else phase)
        except (ValueError, KeyError, TypeError) as error:
            raise BadEntry(f"journal {entry.id}", "no commit") from error
    return phase, turns, steps == 0 and phase in ("gathering", "running")


def _glimpsed(streams: Streams, run: str, channels: int) -> tuple[Phase, int, bool]:
    """Read as much of a journal, from its end, as tells phase, turns, and if any is granted."""
    phase: Phase | None = None
    turns: dict[str, int] = {}
    closed: set[int] = set()
    begun = is_granted = False
    for sealed in _backwards(streams, run):
        begun = True
        for event in reversed(sealed.commit.events):
            if isinstance(event, TurnClosed):
                turns.setdefault(event.channel, event.turn)
            elif isinstance(event, Acted | Passed | Revoked):
                closed.add(event.epoch)
            elif isinstance(event, Granted):
                is_granted = is_granted or event.epoch not in closed
            if phase is None:
                phase = _phase(event.kind)
        if phase is not None and len(turns) == channels:
            break
    return phase or ("gathering" if begun else "new"), sum(turns.values()), is_granted


def _phase(kind: str) -> Phase | None:
    """Tell the phase a run is in when this is the last of the events that tell one."""
    match kind:
        case "closed":
            return "closed"
        case "ended":
            return "ended"
        case "forked":
            return "gathering"
        case "gathered" | "turn_closed":
            return "running"
        case _:
            return None


def _backwards(streams: Streams, run: str) -> Iterator[Sealed]:
    """Read a journal from its last commit to its first."""
    key = keys.journal(run)
    top = streams.top(key)
    last = int(top.id.partition("-")[0]) if top else 0
    while last > 0:
        first = max(0, last - PAGE)
        page = streams.range(key, after=f"{first}-0", count=last - first)
        yield from (unseal_entry(entry) for entry in reversed(page))
        last = first
