"""The protocol's model walked whole: nothing ever goes wrong, and every broken rule shows.

This file is over 300 lines because what must hold is one list.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, get_args

import pytest

from tests.orchestrator.protocol_model import (
    Budget,
    Commit,
    Host,
    Input,
    Leader,
    Letter,
    Model,
    Mutant,
    State,
    Step,
    with_host,
    written,
)

DOCS = Path(__file__).parents[2] / "docs" / "model.md"

# --- what must hold ---------------------------------------------------------------------

CHAIN = "the journal is a chain"
FENCE = "no old seat and no stale epoch speaks"
CLOSED_ONCE = "an epoch is closed once"
SPEAKER = "a turn has one speaker"
CONSUMED_ONCE = "an input is consumed once"
HEARD_ONCE = "nothing is heard twice"
NOTHING_LOST = "no input is lost"
TURNS_TAKEN = "every turn is taken"
CONVERGE = "readers converge with the journal"
PROGRESS = "an end can be reached"


class Checks:
    """The invariants; what was found of a journal or a reader is remembered."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._known: dict[tuple[int, ...], str] = {}

    def violated(self, state: State) -> str:
        """Name what does not hold in a state, or nothing."""
        found = self._once(state.journal, self._of_journal)
        for place in 0, 1:
            host = state.hosts[place]
            if not host.is_cut and host.sent:
                found = found or self._once((0, *host.read), self._of_reader)
                found = found or self._of_letters(state, place)
        return found

    def violated_at_end(self, state: State) -> str:
        """Name what does not hold when nothing more will happen, or nothing."""
        commits = [self.model.commits[number] for number in state.journal]
        if [one.heard for one in commits if one.heard] != [*range(1, state.left.turns + 1)]:
            return TURNS_TAKEN
        if {one.closed for one in commits} != {one.granted for one in commits}:
            return CLOSED_ONCE
        for place in 0, 1:
            fresh = with_host(state, place, state.hosts[place]._replace(read=()))
            if list(state.hosts[place].read) != list(self.model.unread(fresh, place)):
                return CONVERGE
        return ""

    def _once(self, numbers: tuple[int, ...], check: Callable[[tuple[int, ...]], str]) -> str:
        if numbers not in self._known:
            self._known[numbers] = check(numbers)
        return self._known[numbers]

    def _of_journal(self, journal: tuple[int, ...]) -> str:
        above, seat = 0, (0, (0, 0))
        nonces: set[object] = set()
        closed: set[int] = set()
        turns: set[int] = set()
        granted: dict[int, int] = {}
        for number in journal:
            commit = self.model.commits[number]
            given = commit.given
            if commit.prev != above:
                return CHAIN
            if given and commit.why != "duplicate":
                if given[:2] in nonces:
                    return CONSUMED_ONCE
                nonces.add(given[:2])
            if commit.heard:
                assert given
                if (given.seat, given.author) != seat or granted[commit.closed] != given.grant:
                    return FENCE
                if commit.heard in turns:
                    return SPEAKER
                turns.add(commit.heard)
            if commit.closed in closed:
                return CLOSED_ONCE
            closed |= {commit.closed} - {0}
            granted[commit.granted] = number
            if commit.seated:
                assert given
                seat = (commit.seated, given.author)
            above = number
        return ""

    def _of_reader(self, read: tuple[int, ...]) -> str:
        turns = [self.model.commits[number].heard for number in read]
        heard = [turn for turn in turns if turn]
        return HEARD_ONCE if len(heard) > len(set(heard)) else ""

    def _of_letters(self, state: State, place: int) -> str:
        """Look for what a connected host waits for, and nobody will take in any more."""
        run = self.model.runs[state.journal[-1]]
        coming = {letter.input for letter in state.floor if letter.id > run.cursor}
        for given in self.model.waiting(state.hosts[place]):
            is_open = not run.is_over and given.grant in (0, run.grant)
            if is_open and given[:2] not in run.nonces and given not in coming:
                return NOTHING_LOST
        return ""


# --- the walk ---------------------------------------------------------------------------


class Walk(NamedTuple):
    """What was found: a violation and the steps to it, or none and all that there is."""

    states: int
    ends: frozenset[tuple[object, ...]]
    violated: str = ""
    trace: tuple[str, ...] = ()


def walk(model: Model, *, is_settled: bool = True) -> Walk:
    """Visit every state, breadth first, up to the first that violates anything."""
    first = model.initial
    numbers, states = {first: 0}, [first]
    came: list[tuple[int, str]] = [(0, "")]
    checks, ends = Checks(model), []
    before: list[array[int]] = [array("I")]  # the states from which one is reached without a fault
    for here, state in enumerate(states):
        violated = checks.violated(state)
        is_end = True
        for label, after in () if violated else model.steps(state):
            after = settled(model, after) if is_settled else after
            there = numbers.setdefault(after, len(states))
            if there == len(states):
                states.append(after)
                came.append((here, label))
                before.append(array("I"))
            if not label.startswith("!"):
                is_end = False
                before[there].append(here)
        if is_end:
            ends.append(here)
            violated = violated or checks.violated_at_end(state)
        if violated:
            return Walk(len(states), frozenset(), violated, steps_to(here, came))
    stuck = set(range(len(states))) - reached(ends, before)
    shapes = frozenset(shape(model, states[here]) for here in ends)
    return Walk(len(states), shapes, PROGRESS if stuck else "")


def steps_to(here: int, came: list[tuple[int, str]]) -> tuple[str, ...]:
    trace = []
    while here:
        here, label = came[here]
        trace.append(label)
    return tuple(reversed(trace))


def reached(ends: list[int], before: list[array[int]]) -> set[int]:
    """Walk back from the ends: the states from which one is reached without a fault."""
    found, todo = set(ends), list(ends)
    while todo:
        fresh = set(before[todo.pop()]) - found
        found |= fresh
        todo.extend(fresh)
    return found


def shape(model: Model, state: State) -> tuple[object, ...]:
    """Tell a journal without its hashes and ids."""
    commits = (model.commits[number] for number in state.journal)
    return tuple(
        (one.given and (one.given.author, one.given.epoch), one.why, *one[6:]) for one in commits
    )


# --- steps taken at once ----------------------------------------------------------------


def settled(model: Model, state: State) -> State:
    """Take at once the steps whose moment makes no difference to any other.

    A leader that is behind, or elsewhere, can only fold; of two that hold the same beyond
    the journal's end, one is enough. Once the server forgets no more, a host reads what it
    will not answer. Once nothing can go wrong any more, the floor is consumed as it comes.
    """
    state = leaders_settled(model, state)
    left, top = state.left, state.journal[-1]
    if left.losses:
        return state
    is_calm = not (left.cuts or left.deadlines or any(isinstance(x, int) for x in state.wire))
    if is_calm and state.floor and state.leaders == (Leader(top), Leader(top)):
        state = consumed(model, state)
    return readers_settled(model, state)


def consumed(model: Model, state: State) -> State:
    for letter in state.floor:
        top = state.journal[-1]
        if letter.id > model.runs[top].cursor and not model.runs[top].is_over:
            state = written(state, model.decide(state, top, letter))
    leader = Leader(state.journal[-1])
    return state._replace(leaders=(leader, leader), floor=())


def leaders_settled(model: Model, state: State) -> State:
    top = state.journal[-1]
    if not state.wire and state.leaders[0] == state.leaders[1] == Leader(top):
        return state
    held = [model.histories[leader.top] for leader in state.leaders]
    ahead = [one[one.index(top) :] if top in one else (top,) for one in held]
    first, second = sorted(Leader(one[-1]) for one in ahead)
    wire = tuple(
        item
        for item in state.wire
        if not isinstance(item, int) or any(model.commits[item].prev in one for one in ahead)
    )
    return state._replace(wire=wire, leaders=(Leader(top) if first == second else first, second))


def readers_settled(model: Model, state: State) -> State:
    for place in 0, 1:
        host = state.hosts[place]
        while host.sent and not host.is_cut and model.to_say(state, place) is None:
            entry = next(model.unread(state, place), None)
            if entry is None:
                break
            host = host._replace(read=(*host.read, entry))
            state = with_host(state, place, host)
    if not state.floor:
        return state
    run = model.runs[state.journal[-1]]
    waiting = [letter for letter in state.floor if letter.id > run.cursor and not run.is_over]
    return state._replace(floor=tuple(Letter(one.id, one.input, 0) for one in waiting))


# --- the tests --------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    """Millions of tuples and no cycle among them: to look for one takes a fifth of the time."""
    gc.disable()
    yield
    gc.enable()


BOUNDS = [
    (Budget(crashes=1, cuts=1), 12_000),
    (Budget(crashes=1, deadlines=1), 4_500),
    (Budget(cuts=1, deadlines=1), 8_500),
    (Budget(cuts=2), 7_400),
    (Budget(deadlines=2), 2_200),
    (Budget(losses=1), 19_000),
    (Budget(losses=1, crashes=1, depth=3, turns=1), 42_000),
    (Budget(losses=1, cuts=1, depth=2, turns=1), 60_000),
    (Budget(losses=1, deadlines=1, depth=2, turns=1), 39_000),
    (Budget(losses=1, crashes=1, cuts=1, deadlines=1, depth=1, hosts=1), 100_000),
    (Budget(losses=1, crashes=1, cuts=1, depth=3, hosts=1), 11_000),
    (Budget(losses=2, crashes=1, depth=3, hosts=1), 16_000),
    (Budget(losses=2, cuts=1, depth=3, hosts=1), 40_000),
    (Budget(losses=2, deadlines=1, depth=3, hosts=1), 35_000),
]


@pytest.mark.parametrize(("bound", "states"), BOUNDS, ids=lambda given: str(given))
def test_nothing_goes_wrong_in_any_state_within_the_bound(bound: Budget, states: int) -> None:
    found = walk(Model(bound))
    assert (found.violated, found.trace) == ("", ())
    assert found.states >= states
    assert len(found.ends) > 1


LOSS = Budget(losses=1, depth=3)
BROKEN: list[tuple[Mutant, Budget, str, int]] = [
    ("compare seq only", LOSS, CHAIN, 6),
    ("id greater than top", LOSS, CHAIN, 5),
    ("epoch alone as fence", Budget(), FENCE, 7),
    ("no consumed cursor", Budget(), CONSUMED_ONCE, 4),
    ("no look back on reconnect", LOSS._replace(turns=1), CONVERGE, 11),
    ("a divergence is a hole", LOSS, TURNS_TAKEN, 8),
    ("the server's clock goes back", LOSS, NOTHING_LOST, 5),
]


@pytest.mark.parametrize(("mutant", "bound", "violated", "steps"), BROKEN)
def test_a_broken_rule_breaks_an_invariant_and_the_whole_rule_does_not(
    mutant: Mutant, bound: Budget, violated: str, steps: int
) -> None:
    found = walk(Model(bound, mutant), is_settled=False)
    assert found.violated == violated
    assert len(found.trace) == steps, found.trace
    assert walk(Model(bound)).violated == ""


def test_the_bounds_and_what_each_broken_rule_breaks_are_documented() -> None:
    page = " ".join(DOCS.read_text("utf-8").split())
    for _, states in BOUNDS:
        assert f"| {states:,} |" in page
    for mutant, _, violated, steps in BROKEN:
        assert f"| {mutant} | {violated} | {steps} steps. " in page
    assert {mutant for mutant, *_ in BROKEN} == {*get_args(Mutant)}


@pytest.mark.parametrize(
    "bound",
    [
        Budget(),
        Budget(deadlines=1, turns=1),
        Budget(crashes=1, cuts=1, deadlines=1, hosts=1, turns=1),
        Budget(losses=1, cuts=1, depth=2, hosts=1, turns=1),
        Budget(losses=2, depth=2, hosts=1, turns=1),
    ],
    ids=str,
)
def test_steps_taken_at_once_lead_to_the_same_ends_as_one_after_the_other(bound: Budget) -> None:
    quick, slow = walk(Model(bound)), walk(Model(bound), is_settled=False)
    assert slow.violated == ""
    assert quick.ends == slow.ends
    assert quick.states < slow.states


# --- what no broken rule shows first ------------------------------------------------------


def made(model: Model, *commits: Commit) -> State:
    """Write a journal by hand, each commit on top of the one before."""
    state = model.initial
    for commit in commits:
        top = state.journal[-1]
        state = written(state, model.hashed(commit._replace(prev=top, seq=len(state.journal) + 1)))
    return state


def test_closing_twice_speaking_twice_and_hearing_twice_are_found() -> None:
    model = Model(Budget())
    me = (0, 0)
    begun = made(model, Commit(0, 0, given=Input(me, 1), seated=1, granted=1))
    grant = begun.journal[-1]
    answers = [Input(me, number, 1, grant, 1) for number in (2, 3)]
    first, again = (Commit(0, 0, given=one, closed=1, heard=1) for one in answers)
    seated = model.commits[grant]
    checks = Checks(model)
    assert checks.violated(made(model, seated, first)) == ""
    assert checks.violated(made(model, seated, first, again)) == SPEAKER
    assert checks.violated(made(model, seated, first, again._replace(heard=2))) == CLOSED_ONCE
    read = made(model, seated, first, again).journal[1:]
    deaf = with_host(begun, 0, Host(read=read, sent=(Input(me, 1),)))
    assert checks.violated(deaf) == HEARD_ONCE


def test_a_run_that_can_never_end_is_found() -> None:
    class Restless(Model):
        def steps(self, state: State) -> Iterator[Step]:
            yield "nothing happens", state

    assert walk(Restless(Budget())).violated == PROGRESS
