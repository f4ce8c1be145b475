"""Every prompt is built again from the journal: what was asked follows."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import pytest

from bots.offline.faults import Fault, FaultPlan, Kind
from bots.offline.server import OfflineServer
from tests.bots.prompted import Was, asked_a_server, outcomes, played, recorded, salon
from tests.scenes import POLICIES, spec_of
from tests.swarm import Swarm, fake_swarm, happened
from tests.worlds.grid_played import grid_spec
from tests.worlds.naming_played import game
from utils import keys
from utils.callfile import read_call
from utils.spec import ChannelSpec, FloorSpec, GuardsSpec, MemorySpec, ModelSpec, RepetitionGuard


@pytest.fixture(scope="module")
def talk() -> Was:
    return played(salon())


def test_a_salon_in_two_rooms_follows(talk: Was) -> None:
    assert talk.found() == []
    assert len(talk.calls) == 14 + 2 * 3


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    "memory",
    [
        MemorySpec(amount=40, unit="tokens"),
        MemorySpec(amount=2, unit="rounds", scope="all"),
        MemorySpec(kind="none"),
    ],
    ids=lambda memory: f"{memory.kind}-{memory.unit}",
)
def test_every_policy_and_memory_follows(policy: str, memory: MemorySpec) -> None:
    model = ModelSpec(mind="rule", rule="echo")
    assert played(spec_of(policy=policy, turns=8, memory=memory, model=model)).found() == []


def test_a_naming_game_and_a_grid_follow() -> None:
    naming = played(game(8, encounters=60), hosts=(5, 3))
    assert naming.found() == []
    assert len(naming.calls) == 120
    spec = grid_spec(decay=0.2, ticks=30, allow_s=60)
    grid = played(spec, hosts=(3, 2))
    assert grid.found() == []
    assert len(grid.calls) > 30


@pytest.mark.parametrize("fault", ["error_500", "cut", "empty", "think_tags", "other_name", "huge"])
def test_an_offline_model_follows_with_what_guards_kept_back_and_what_failed(fault: Kind) -> None:
    guards = GuardsSpec(empty=True, repetition=RepetitionGuard(share=0.5))
    with OfflineServer(faults=FaultPlan(faults=(Fault(fault=fault, every=3),))) as server:
        one = asked_a_server(server, salon(guards=guards, floor=FloorSpec(allow_s=60)))
    assert one.found() == []
    assert all(call.record and call.record.request_sha256 for call in one.calls)
    seen = outcomes(one)
    if fault in ("error_500", "cut"):
        assert seen.keys() >= {"server" if fault == "error_500" else "truncated"}
    elif fault == "empty":
        assert seen["guarded"] > 0


def test_an_action_that_was_asked_for_again_follows() -> None:
    with OfflineServer(faults=FaultPlan(faults=(Fault(fault="thinking_only", every=3),))) as server:
        one = asked_a_server(server, game(4, encounters=12))
    assert one.found() == []
    assert outcomes(one)["malformed"] > 0


def test_who_comes_and_goes_and_is_told_aside_follows() -> None:
    with fake_swarm(lease_ms=60_000) as swarm:
        swarm.orchestrator()
        swarm.host(2)
        swarm.host(2)
        channels = [
            ChannelSpec(name="main", members=("ada", "bo", "cy", "dot"), opening="Well?"),
            ChannelSpec(name="side", members=("ada", "bo"), policy="random"),
        ]
        spec = spec_of(("ada", "bo", "cy", "dot"), channels=channels, turns=60)
        run = swarm.seed(spec)
        for number, said in enumerate(TOLD):
            at = 6 * (number + 1)
            closed = partial(happened_in, swarm, run, at)
            swarm.until(closed)
            body = {"author": "console", "nonce": f"n{number}", **said}
            swarm.streams.append(keys.floor(run), json.dumps(body))
            if number == 4:
                swarm.hosts.pop().leave()
                swarm.host(4)
        one = recorded(swarm, run, spec, swarm.finish(run))
    assert one.found() == []
    assert {"member_left", "member_joined", "unseated"} <= {
        event.kind for sealed in one.journal for event in sealed.commit.events
    }


def happened_in(swarm: Swarm, run: str, turns: int) -> bool:
    return len(happened(swarm.journal(run), "turn_closed")) >= turns


TOLD = (
    {"kind": "kick", "channel": "main", "bot": "dot"},
    {"kind": "inject", "channel": "main", "text": "Rain!"},
    {"kind": "whisper", "channel": "main", "bot": "bo", "text": "Hush."},
    {"kind": "add", "channel": "side", "bot": "dot"},
    {"kind": "mute", "bot": "ada"},
    {"kind": "add", "channel": "main", "bot": "dot"},
    {"kind": "unmute", "bot": "ada"},
    {"kind": "kick", "channel": "side", "bot": "bo"},
)


def test_who_was_there_when_a_bot_was_asked_counts_not_who_is_there_when_it_answers() -> None:
    with fake_swarm(lease_ms=60_000) as swarm:
        leader = swarm.orchestrator()
        host = swarm.host(3)
        channels = [ChannelSpec(name="main", members=("ada", "bo"), turns=4)]
        spec = spec_of(channels=channels, turns=None)
        run = swarm.seed(spec)
        while True:
            leader.step(block_ms=0)
            if happened_in(swarm, run, 1):
                break
            host.step(block_ms=0)
        body = {"kind": "add", "author": "console", "nonce": "n", "channel": "main", "bot": "cy"}
        swarm.streams.append(keys.floor(run), json.dumps(body))
        leader.step(block_ms=0)
        journal = swarm.journal(run)
        (joined,) = happened(journal, "member_joined")
        assert happened(journal, "granted")[-1].turn == 2
        assert (joined.bot, len(happened(journal, "turn_closed"))) == ("cy", 1)
        one = recorded(swarm, run, spec, swarm.finish(run))
    assert one.found() == []


def test_a_call_that_comes_late_follows_all_the_same(talk: Was) -> None:
    late = replace(talk, calls=[*talk.calls[1:], talk.calls[0]])
    assert late.found() == []
    assert replace(talk, calls=[*talk.calls, *talk.calls]).found() == []


def test_what_cannot_be_read_is_passed_over(talk: Was) -> None:
    assert replace(talk, calls=[read_call("1-1", "garbage"), *talk.calls]).found() == []
