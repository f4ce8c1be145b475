"""Three bots, the real client, real HTTP, and a server that goes wrong in every way there is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, get_args

import pytest

from bots.offline.faults import LOST, Fault, FaultPlan, Kind
from bots.offline.server import OfflineServer
from tests.scenes import spec_of
from tests.swarm import Pace, fake_swarm, happened
from utils import keys
from utils.calls import CallRecord
from utils.journal import Sealed
from utils.protocol import Acted, Granted, Passed, Revoked
from utils.spec import ChannelSpec, FloorSpec, ModelSpec, Spec

TURNS, MANY_TURNS = 50, 300
ROOMS = 10
"""Channels of the run in which every call goes wrong: so many turns waste their time at once."""
ROOMY = FloorSpec(allow_s=3, tries=3)
ONCE = FloorSpec(allow_s=10, tries=1)
HURRIED = FloorSpec(allow_s=0.5, tries=1)
TIGHT = FloorSpec(allow_s=0.4, tries=2)
"""For faults that take all the time there is: each costs a grant its whole life."""


@dataclass(frozen=True)
class Expected:
    """What a fault looks like in the record.

    Attributes:
        outcomes: What its attempts may be called; the first is there for sure.
        passes: Why turns are passed for it, if they are.
        plan: When it happens, in the fault plan's words.
    """

    outcomes: tuple[str, ...]
    passes: str = ""
    floor: FloorSpec = ROOMY
    plan: tuple[tuple[str, Any], ...] = (("every", 2),)


EATS_TIME = {"latency", "drip"} | {"busy", "error_500", "error_body", "error_line"}
EATS_TIME |= {"cut", "reset", "refuse"}
"""Faults that hang, or that are tried again: at every call, each costs a whole allowance."""

SOMETIMES = (("every", 7), ("seconds", 0.8))
FAULTS: dict[Kind, Expected] = {
    "latency": Expected(("timeout",), floor=TIGHT, plan=SOMETIMES),
    "drip": Expected(("timeout",), floor=TIGHT, plan=(("every", 7), ("seconds", 0.1))),
    "busy": Expected(("overloaded",)),
    "error_500": Expected(("server",)),
    "missing": Expected(("not_found",)),
    "error_body": Expected(("server",)),
    "error_line": Expected(("server",)),
    "no_done": Expected(("truncated",)),
    "cut": Expected(("truncated",)),
    "half_line": Expected(("protocol",)),
    "garbage_line": Expected(("protocol",)),
    "blank_line": Expected(("protocol",)),
    "reset": Expected(("unreachable",)),
    "refuse": Expected(("unreachable",), plan=(("every", 5), ("seconds", 0.05))),
    "empty": Expected((), passes="empty answer"),
    "think_tags": Expected(()),
    "thinking_only": Expected((), passes="nothing but thoughts"),
    "other_name": Expected((), passes="spoke for others only"),
    "same_token": Expected(("truncated",)),
    "invalid_utf8": Expected(("protocol",)),
    "line_separators": Expected(()),
    "huge": Expected(()),
    "wrong_model": Expected(("protocol",)),
    "html": Expected(("protocol",)),
    "digest": Expected(()),
}


@dataclass
class Run:
    """What became of a run."""

    spec: Spec
    server: OfflineServer
    journal: list[Sealed]
    calls: list[CallRecord]

    def heard(self) -> list[str]:
        return [one.text for one in happened(self.journal, "heard") if one.speaker]

    def outcomes(self) -> Counter[str]:
        return Counter(call.outcome for call in self.calls)


@contextmanager
def finished(
    plan: FaultPlan,
    *,
    turns: int,
    floor: FloorSpec,
    channels: tuple[ChannelSpec, ...] | None = None,
) -> Iterator[Run]:
    """Run three bots to the end over a server with a fault plan."""
    with OfflineServer(faults=plan) as server, fake_swarm(lease_ms=60_000) as swarm:
        model = ModelSpec(mind="ollama", model="parley-offline", host=server.url)
        spec = spec_of(turns=turns, model=model, floor=floor, channels=channels)
        swarm.settings = swarm.settings.model_copy(update={"slots": ROOMS})
        swarm.orchestrator()
        swarm.host(ROOMS)
        run = swarm.seed(spec)
        journal = Pace(swarm).finish(run)
        entries = swarm.streams.all(keys.calls(run))
        calls = [CallRecord.model_validate_json(entry.body) for entry in entries]
        yield Run(spec, server, journal, calls)


def check(run: Run, *, turns: int) -> None:
    """Hold what must be true of every run, whatever went wrong."""
    closed = happened(run.journal, "turn_closed")
    assert len(closed) == turns
    assert {one.outcome for one in closed} <= {"acted", "passed", "given_up"}
    assert happened(run.journal, "ended")[0].reason == "turns"
    check_deadlines(run)
    check_calls(run)
    said = run.heard()
    assert not [text for text in said if LOST in text]
    failed = [call for call in run.calls if call.outcome != "answered"]
    assert all(call.said is None for call in failed)
    assert all(call.error for call in failed)


def check_deadlines(run: Run) -> None:
    granted: dict[int, int] = {}
    lives: list[int] = []
    for sealed in run.journal:
        for event in sealed.commit.events:
            if isinstance(event, Granted):
                granted[event.epoch] = sealed.commit.at_ms
            elif isinstance(event, Acted | Passed | Revoked):
                lives.append(sealed.commit.at_ms - granted.pop(event.epoch))
    assert granted == {}
    assert max(lives) <= 2 * run.spec.floor.allow_ms


def check_calls(run: Run) -> None:
    """Every attempt is there: each request the server saw, numbered without a gap."""
    assert len(run.calls) >= run.server.calls
    attempts = defaultdict(list)
    for call in run.calls:
        attempts[call.call_id].append(call.attempt)
    assert all(sorted(one) == list(range(1, len(one) + 1)) for one in attempts.values())
    epochs = {event.epoch for event in happened(run.journal, "granted")}
    assert {call.epoch for call in run.calls} == epochs
    named = {
        event.call_sha256
        for event in happened(run.journal, "acted", "passed", "revoked")
        if event.call_sha256
    }
    assert len(named) >= sum(call.outcome == "answered" for call in run.calls)


def test_every_fault_is_in_the_table() -> None:
    assert set(FAULTS) == set(get_args(Kind))


@pytest.mark.parametrize("kind", FAULTS)
def test_a_run_of_50_turns_ends_well_whatever_goes_wrong(kind: Kind) -> None:
    expected = FAULTS[kind]
    plan = FaultPlan(faults=(Fault.model_validate({"fault": kind, **dict(expected.plan)}),))
    with finished(plan, turns=TURNS, floor=expected.floor) as run:
        check(run, turns=TURNS)
        assert run.server.played[kind] >= TURNS // 10
        outcomes = run.outcomes()
        assert set(outcomes) <= {"answered", *expected.outcomes}, run.calls
        assert outcomes["answered"] >= TURNS // 3
        assert all(outcomes[outcome] for outcome in expected.outcomes)
        whys = {event.why for event in happened(run.journal, "passed")}
        assert whys == ({expected.passes} if expected.passes else set())
        check_kind(kind, run)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_at_every_call_costs_turns_and_never_the_run(kind: Kind) -> None:
    seconds = {"latency": 2.0, "drip": 0.1}.get(kind, 0.02)
    plan = FaultPlan(faults=(Fault(fault=kind, every=1, seconds=seconds),))
    rooms = tuple(
        ChannelSpec(name=f"room-{n}", members=("ada", "bo", "cy"), turns=TURNS // ROOMS)
        for n in range(ROOMS)
    )
    eats_time = kind in EATS_TIME
    floor, channels = (HURRIED, rooms) if eats_time else (ONCE, None)
    late = {"timeout", "cancelled", "overloaded"} if eats_time else set()
    with finished(plan, turns=TURNS, floor=floor, channels=channels) as run:
        check(run, turns=TURNS)
        assert run.server.played[kind] == run.server.calls >= TURNS // 5
        outcomes = run.outcomes()
        assert set(outcomes) <= {*(FAULTS[kind].outcomes or ("answered",)), *late}
        assert all(outcomes[outcome] for outcome in FAULTS[kind].outcomes)
        closed = {one.outcome for one in happened(run.journal, "turn_closed")}
        if FAULTS[kind].outcomes:
            assert closed == {"given_up"}
            assert run.heard() == []
        else:
            assert closed <= {"passed" if FAULTS[kind].passes else "acted", "given_up"}


def check_kind(kind: Kind, run: Run) -> None:
    """Look at what is special about a fault."""
    answered = [call for call in run.calls if call.outcome == "answered"]
    if kind == "think_tags":
        assert {call.thinking for call in answered} == {"", LOST}
    elif kind == "thinking_only":
        assert {call.done_reason for call in answered} == {"stop", "length"}
    elif kind == "line_separators":
        assert [text for text in run.heard() if "one\u2028two\u0085three" in text]
    elif kind == "huge":
        assert max(len(call.response) for call in answered) == 1_000_000
        assert max(map(len, run.heard())) <= run.spec.floor.max_chars
    elif kind == "digest":
        assert len({call.model_digest for call in answered}) == 1 + TURNS // 2
        assert sum("model_changed" in call.noticed for call in answered) == TURNS // 2
    elif kind == "same_token":
        told = {call.error for call in run.calls if call.outcome == "truncated"}
        assert told == {
            "the answer ended without done: the server gave up on a model that repeats 'the'"
        }
    elif kind in ("error_line", "cut", "half_line", "garbage_line", "blank_line", "no_done"):
        assert {call.response for call in run.calls if call.outcome != "answered"} <= {LOST, ""}


def test_a_run_of_300_turns_with_every_fault_mixed_at_a_fifth_ends_well() -> None:
    share = 0.2 / len(FAULTS)
    slow = {"latency": 0.05, "drip": 0.3, "refuse": 0.05}
    faults = tuple(Fault(fault=kind, share=share, seconds=slow.get(kind, 0.0)) for kind in FAULTS)
    floor = FloorSpec(allow_s=2, tries=3)
    with finished(FaultPlan(seed=7, faults=faults), turns=MANY_TURNS, floor=floor) as run:
        check(run, turns=MANY_TURNS)
        played = run.server.played
        assert played.total() >= MANY_TURNS * 0.15
        assert len(played) >= 20
        known = {"answered", *(name for one in FAULTS.values() for name in one.outcomes)}
        assert set(run.outcomes()) <= known
        passed = {event.why for event in happened(run.journal, "passed")}
        assert passed <= {one.passes for one in FAULTS.values()}
