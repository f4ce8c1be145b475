"""Grade B, decisions: is every commit what its own inputs lead to? Pure.

    for finding in decisions_again(spec, dataset.commits()): print(finding)

Each commit is decided again from the state before it, and must come out byte for byte.
Where one does not, that is said, and it goes on from what the record says happened: so
that what is found next stands for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from orchestrator import engine
from orchestrator.batch import entry_place
from orchestrator.course import Course
from orchestrator.rules import Rules
from orchestrator.state import State
from utils.finding import Finding
from utils.journal import Consumed, Sealed, consume
from utils.lineage import eras_under
from utils.protocol import Branched, Event, Observed
from utils.spec import Spec

SHOWN_CHARACTERS = 60


def decisions_again(
    spec: Spec, commits: Iterable[Sealed], *, rules: Rules | None = None
) -> Iterator[Finding]:
    """Decide every commit again.

    Args:
        spec: The run's scenario.
        commits: Its journal, from commit 1, with all texts. The chain is grade A's to check.
        rules: What the run follows; by default what the scenario names and is installed, and
            in a fork's beginning what its parent's scenario names.

    Yields:
        The commits that do not follow, in order, each with its first event that differs.
        It ends early at a commit after which no state can be made.

    Raises:
        BadInput: World or policy of the scenario is not installed.
    """
    eras = eras_under(spec.scenario, spec)
    course = Course.of(eras) if rules is None else Course(eras[-1:], (rules,))
    state = engine.initial(course.first)
    for sealed in commits:
        finding, after = _again(course.at(sealed.seq), state, sealed)
        if finding is not None:
            yield finding
        if after is None:
            return
        state = after


def _again(rules: Rules, state: State, sealed: Sealed) -> tuple[Finding | None, State | None]:
    """Decide one commit; what is wrong with it, and the state it leads to by the record."""
    try:
        made = _advanced(rules, state, sealed)
    except _Undecidable as error:
        return _finding(state, sealed, (), str(error)), _evolved(rules, state, sealed)
    if made is not None and made[0].body == sealed.body:
        misread = next(filter(None, map(_misread, sealed.commit.inputs)), None)
        return (_finding(state, sealed, (), misread) if misread else None), made[1]
    what, differing = _difference(made and made[0], sealed)
    return _finding(state, sealed, differing, what), _evolved(rules, state, sealed)


class _Undecidable(Exception):
    """The rules cannot take this: it was forged, or they are a stranger's and broken."""


def _advanced(rules: Rules, state: State, sealed: Sealed) -> tuple[Sealed, State] | None:
    commit = sealed.commit
    causes = engine.Causes(inputs=commit.inputs, noticed=commit.noticed)
    cursor = _cursor(state, sealed)
    try:
        return engine.advance(rules, state, causes, at_ms=commit.at_ms, cursor=cursor)
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise _Undecidable(f"it cannot be decided again: {_shown(why)}") from error


def _cursor(state: State, sealed: Sealed) -> str:
    """Tell how far the floor is read; a commit that mends the journal may read some again."""
    commit = sealed.commit
    if commit.inputs:
        return commit.inputs[-1].id
    if any(isinstance(one, Branched) for one in commit.noticed):
        return "0-0"
    mends = any(isinstance(one, Observed) and one.name == "mended" for one in commit.noticed)
    if mends and entry_place(commit.cursor) <= entry_place(state.cursor):
        return commit.cursor
    return state.cursor


def _evolved(rules: Rules, state: State, sealed: Sealed) -> State | None:
    try:
        return _evolve(rules, state, sealed)
    except _Undecidable:
        return None


def _evolve(rules: Rules, state: State, sealed: Sealed) -> State:
    try:
        return engine.evolve(rules, state, sealed)
    except Exception as error:
        raise _Undecidable("no state can be made of it") from error


def _misread(consumed: Consumed) -> str | None:
    """Say why an input is not what was read of its text."""
    if consumed.malformed or consume(consumed.id, {"b": consumed.raw}) == consumed:
        return None
    return f"input {consumed.id} is not what its text says"


def _difference(made: Sealed | None, sealed: Sealed) -> tuple[str, tuple[Event, ...]]:
    """Say what differs first, and which events those are."""
    recorded, events = sealed.commit.events, made.commit.events if made else ()
    for number, (was, now) in enumerate(zip(recorded, events, strict=False), 1):
        if was != now:
            return f"event {number}, {_parting(was, now)}", (was, now)
    if len(recorded) > len(events):
        number, extra = len(events) + 1, recorded[len(events)]
        return f"event {number}, {extra.kind}, does not follow from its inputs", (extra,)
    if len(events) > len(recorded):
        number, lacking = len(recorded) + 1, events[len(recorded)]
        return f"event {number}, {lacking.kind}, follows and is not there", (lacking,)
    return _around_events(made, sealed), ()


def _around_events(made: Sealed | None, sealed: Sealed) -> str:
    """Say what differs though the events do not."""
    if made is not None:
        for name in ("seq", "prev", "at_ms", "cursor"):
            was, now = getattr(sealed.commit, name), getattr(made.commit, name)
            if was != now:
                return f"{name}: recorded {_shown(was)}, by the commits before it {_shown(now)}"
    return "its bytes are not as they are written"


def _parting(was: Event, now: Event) -> str:
    if was.kind != now.kind:
        return f"recorded {was.kind}, decided {now.kind}"
    old, new = was.model_dump(), now.model_dump()
    for name in [*old, *(new.keys() - old.keys())]:
        if old.get(name) != new.get(name):
            shown = f"recorded {_shown(old.get(name))}, decided {_shown(new.get(name))}"
            return f"{was.kind}, {name}: {shown}"
    return f"{was.kind}: recorded and decided are written differently"


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."


def _finding(state: State, sealed: Sealed, differing: Sequence[Event], what: str) -> Finding:
    """Say at which turn it stands: that of what differs, else of the commit, else of the run."""
    channel: str | None = None
    turn: int | None = None
    bot: str | None = None
    for event in (*differing, *sealed.commit.events):
        channel = getattr(event, "channel", None)
        if channel is not None:
            turn, bot = getattr(event, "turn", None), getattr(event, "bot", None)
            break
    if channel is None and len(state.floors) == 1:
        channel = next(iter(state.floors))
    if turn is None and channel is not None and channel in state.floors:
        turn = state.floors[channel].turn
    return Finding(what, sealed.seq, channel, turn, bot)
