"""The engine: what follows from what came in, and what a run then is. Pure.

    events = decide(rules, state, causes, at_ms=...)
    state = evolve(rules, state, sealed)

`decide` is run by the leader, and again by a verifier. `evolve` is the fold by which
leader, standby, screen and export all see the same run.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator import floor, intake, measuring, recovery
from orchestrator.apply import apply
from orchestrator.draft import Draft
from orchestrator.fork import branch
from orchestrator.routes import targets
from orchestrator.rules import Rules
from orchestrator.snapshot import state_sha256
from orchestrator.state import Floor, Grant, Nonces, State, remember
from orchestrator.world import end, tell_world
from utils.journal import Commit, Consumed, Sealed, parse, seal
from utils.protocol import (
    Began,
    Branched,
    CallsCounted,
    ChannelClosed,
    Closed,
    DeadlinePassed,
    Event,
    HostLost,
    Incident,
    Notice,
    Observed,
    Started,
    StateHashed,
    TimerRang,
    WakeDue,
)
from worlds import seam


@dataclass(frozen=True, slots=True)
class Causes:
    """What one commit answers: inputs in floor order, then what was noticed."""

    inputs: tuple[Consumed, ...] = ()
    noticed: tuple[Notice, ...] = ()


def initial(rules: Rules) -> State:
    """Make the state of a run without a journal."""
    return State(world=rules.world.initial(rules.spec))


def decide(rules: Rules, state: State, causes: Causes, *, at_ms: int) -> list[Event]:
    """Tell what follows.

    Args:
        rules: Scenario, world and policies.
        state: The run so far.
        causes: What came in and what was noticed.
        at_ms: Journal time, at least `state.at_ms`.

    Returns:
        The events of the next commit, in order: at least one for every input. Empty
        when what was noticed has become void, such as the deadline of a closed grant.
    """
    return _draft(rules, state, causes, at_ms=at_ms).events


def _draft(rules: Rules, state: State, causes: Causes, *, at_ms: int) -> Draft:
    draft = Draft(rules, state, at_ms=at_ms)
    for consumed in causes.inputs:
        arrived = parse(consumed)
        intake.take(draft, consumed, arrived)
        if consumed.author:
            nonces = _remember(rules, draft.state.nonces, consumed)
            draft.state = draft.state._replace(nonces=nonces)
    for notice in causes.noticed:
        _notice(draft, notice)
    recovery.gather(draft)
    measuring.measure(draft, state.measured)
    recovery.end_when_done(draft)
    floor.open_turns(draft)
    if draft.events and state.seq and state.seq % rules.hashed_every == 0:
        draft.emit(StateHashed(state_sha256=state_sha256(state)))
    return draft


def evolve(rules: Rules, state: State, sealed: Sealed) -> State:
    """Take a commit into the state. Its chain is the caller's to check."""
    commit = sealed.commit
    after = state
    for event in commit.events:
        after = apply(rules, after, event, seq=commit.seq, at_ms=commit.at_ms)
    nonces = after.nonces
    for consumed in commit.inputs:
        if consumed.author:
            nonces = _remember(rules, nonces, consumed)
    return _sealed(state, after._replace(nonces=nonces), sealed)


def compose(
    rules: Rules, state: State, causes: Causes, *, at_ms: int, cursor: str
) -> Sealed | None:
    """Decide, and make the commit of it; none when nothing follows.

    A verifier calls this with a commit's own inputs, notices, time and cursor, and
    must get the same bytes.
    """
    made = advance(rules, state, causes, at_ms=at_ms, cursor=cursor)
    return made and made[0]


def advance(
    rules: Rules, state: State, causes: Causes, *, at_ms: int, cursor: str
) -> tuple[Sealed, State] | None:
    """Compose a commit, and give the state it leads to: what `evolve` makes of it.

    Not by `evolve`, which would apply again what was applied while it was decided.
    """
    draft = _draft(rules, state, causes, at_ms=at_ms)
    if not draft.events:
        return None
    sealed = seal(
        Commit(
            seq=state.seq + 1,
            prev=state.sha256,
            at_ms=at_ms,
            cursor=cursor,
            inputs=causes.inputs,
            noticed=causes.noticed,
            events=tuple(draft.events),
        )
    )
    return sealed, _sealed(state, draft.state, sealed)


def _remember(rules: Rules, nonces: Nonces, consumed: Consumed) -> Nonces:
    return remember(nonces, consumed.author, consumed.nonce, bots=len(rules.spec.bots))


def _sealed(before: State, after: State, sealed: Sealed) -> State:
    """Note in the state that the events led to which commit they are now in."""
    commit = sealed.commit
    after = after._replace(
        seq=commit.seq,
        sha256=sealed.sha256,
        at_ms=commit.at_ms,
        cursor=commit.cursor,
        floors={name: _fenced(at, sealed) for name, at in after.floors.items()},
    )
    named = targets(before, after, commit)
    if not named:
        return after
    tops = {**before.tops, **dict.fromkeys(named, f"{commit.seq}:{sealed.sha256}")}
    for event in commit.events:
        if isinstance(event, ChannelClosed):
            tops.pop(f"channel:{event.channel}", None)
    return after._replace(tops=tops)


def _notice(draft: Draft, notice: Notice) -> None:
    match notice:
        case Started():
            _begin(draft, notice)
        case Branched():
            branch(draft, notice)
        case DeadlinePassed():
            recovery.pass_deadline(draft, notice)
        case HostLost():
            recovery.lose_host(draft, notice)
        case TimerRang():
            recovery.ring(draft, notice)
        case WakeDue():
            recovery.wake(draft, notice)
        case CallsCounted():
            draft.emit(Closed(calls=notice.calls, last_call_id=notice.last_id))
        case Observed():
            draft.emit(Incident(name=notice.name, detail=notice.detail))
            if notice.name == "hole":
                end(draft, "halted", detail=notice.detail)


def _begin(draft: Draft, started: Started) -> None:
    spec = draft.rules.spec
    draft.emit(
        Began(
            run=started.run,
            scenario=spec.scenario,
            spec_sha256=started.spec_sha256,
            seed=spec.seed,
            labels=spec.labels,
        )
    )
    tell_world(draft, seam.Began())


def _fenced(at: Floor, sealed: Sealed) -> Floor:
    """Give the grants of this commit its hash, by which a proposal must name them."""
    if all(grant.commit_sha256 for grant in at.live):
        return at
    return at._replace(live=tuple(_hashed(grant, sealed) for grant in at.live))


def _hashed(grant: Grant, sealed: Sealed) -> Grant:
    return grant if grant.commit_sha256 else grant._replace(commit_sha256=sealed.sha256)
