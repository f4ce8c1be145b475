"""An orchestrator whose server breaks, forgets, or holds what is not fit to be led."""

from __future__ import annotations

import json
from contextlib import closing, suppress

import pytest
import redis

from orchestrator import engine
from orchestrator.kept import KEPT_COMMITS
from orchestrator.runtime import Orchestrator
from parley.starting import start
from tests.court import Court, an_answer, forget
from tests.scenes import spec_of
from tests.swarm import FakeStreams, fake_swarm, transcript
from utils import keys
from utils.clock import ManualClock, fresh_id
from utils.errors import ServerGone
from utils.journal import chain
from utils.protocol import Acted, Incident, Observed
from utils.streams import Streams


def a_long_journal(court: Court) -> None:
    """Write more commits than a leader keeps."""
    state, rules = court.leader.state, court.leader.rules
    pipe = court.raw.pipeline()
    for number in range(KEPT_COMMITS + 50):
        causes = engine.Causes(noticed=(Observed(name="rain", detail=str(number)),))
        sealed = engine.compose(rules, state, causes, at_ms=court.now_ms, cursor=state.cursor)
        assert sealed
        state = engine.evolve(rules, state, sealed)
        fields = {"b": sealed.body, "h": sealed.sha256}
        pipe.xadd(keys.journal(court.run), fields, id=f"{sealed.seq}-0")
    pipe.execute()


def leads_after_a_lease(one: Orchestrator) -> None:
    """Let an orchestrator that finds a run under way wait for whoever led it."""
    one.step(block_ms=0)
    assert not one.led
    one.clock.sleep_s(one.lease_ms / 1_000)
    one.step(block_ms=0)
    assert one.led


def an_orchestrator(streams: Streams, run: str | None = None) -> Orchestrator:
    """One whose leases outlast the test, and who never waits."""
    return Orchestrator(streams, clock=ManualClock(), name=fresh_id(), lease_ms=600_000, only=run)


def test_a_hole_deeper_than_a_leader_keeps_halts_the_run_with_an_incident() -> None:
    court = Court()
    court.now_ms = court.streams.time_ms()
    a_long_journal(court.begin())
    one = an_orchestrator(court.streams)
    leads_after_a_lease(one)
    court.forget(after=20)
    court.streams.breaks = "at the read"
    for _ in range(3):
        one.step(block_ms=0)
    last = court.journal[-1].commit
    assert (last.seq, last.noticed[0].kind) == (21, "observed")
    assert [event.kind for event in last.events] == ["incident", "revoked", "ended"]
    assert court.events("incident")[-1].name == "hole"
    (ended,) = court.events("ended")
    assert ended.reason == "halted"
    assert ended.detail == f"the server's journal ends at 20, mine at {KEPT_COMMITS + 52}"


def test_a_server_that_forgot_even_the_spec_does_not_take_the_orchestrator_along() -> None:
    court = Court()
    court.now_ms = court.streams.time_ms()
    a_long_journal(court.begin())
    one = an_orchestrator(court.streams)
    one.step(block_ms=0)
    court.raw.flushall()
    other = start(court.streams, spec_of())
    court.streams.breaks = "at the read"
    for _ in range(3):
        one.step(block_ms=0)
    assert list(one.led) == [other]


def test_a_run_that_cannot_be_led_does_not_keep_an_orchestrator_from_the_others() -> None:
    court = Court()
    court.streams.register("newer", spec='{"parley": 2}', entry="{}", now_ms=1)
    one = an_orchestrator(court.streams)
    one.step(block_ms=0)
    assert list(one.led) == [court.run]
    assert [event.kind for event in court.events("began")] == ["began"]


def test_a_run_that_cannot_be_read_does_not_keep_a_host_from_the_others() -> None:
    with fake_swarm() as swarm:
        swarm.host(3)
        swarm.orchestrator()
        swarm.streams.register("newer", spec='{"parley": 2}', entry="{}", now_ms=1)
        run = swarm.seed(spec_of(turns=3))
        swarm.until(lambda: run not in swarm.streams.live_runs())
        assert len(transcript(swarm.journal(run))) == 4


def led_to_the_fourth_turn() -> tuple[Court, Orchestrator]:
    """A run whose leader holds two turns that its server forgot, with the lease."""
    court = Court()
    court.now_ms = court.streams.time_ms()
    one = Orchestrator(court.streams, clock=ManualClock(), name="one", lease_ms=5_000)
    one.step(block_ms=0)
    court.leader = one.led[court.run]
    court.begin()
    court.talk(2)
    kept = court.leader.state.seq
    court.talk(2)
    court.forget(after=kept)
    court.raw.delete(keys.leader(court.run))
    return court, one


@pytest.mark.parametrize("waits_ms", [0, 5_000])
def test_an_orchestrator_that_is_new_leaves_a_lease_to_whoever_may_hold_lost_commits(
    waits_ms: int,
) -> None:
    court, one = led_to_the_fourth_turn()
    clock = ManualClock()
    new = Orchestrator(FakeStreams(court.server), clock=clock, name="new", lease_ms=5_000)
    new.step(block_ms=0)
    clock.advance(waits_ms)
    new.step(block_ms=0)
    court.streams.breaks = "at the read"
    for _ in range(3):
        one.step(block_ms=0)
    is_first = waits_ms == 0
    assert (list(one.led) == [court.run], list(new.led) == [court.run]) == (is_first, not is_first)
    heard = {event.turn for event in court.events("heard") if event.speaker}
    assert (4 in heard) == is_first
    said = "mended" if is_first else "vanished"
    assert [event.name for event in court.events("incident")] == [said]


def test_an_orchestrator_that_is_new_leads_a_run_that_has_no_commits_at_once() -> None:
    court = Court()
    one = Orchestrator(court.streams, clock=ManualClock(), name="one", lease_ms=5_000)
    one.step(block_ms=0)
    assert list(one.led) == [court.run]


def test_an_orchestrator_mends_what_the_server_forgot_between_two_steps(real_server: str) -> None:
    with (
        closing(Streams(real_server)) as streams,
        closing(Streams(real_server)) as other,
        closing(redis.Redis.from_url(real_server)) as raw,
    ):
        run = start(streams, spec_of())
        one = an_orchestrator(streams, run)
        one.step(block_ms=0)
        leader = one.led[run]
        for bot in ("ada", "bo", "cy"):
            joined = {"kind": "joined", "author": f"host-{bot}", "nonce": "j", "bot": bot}
            other.append(leader.floor_key, json.dumps(joined))
        one.step(block_ms=0)
        for _ in range(4):
            other.append(leader.floor_key, json.dumps(an_answer(leader)))
            one.step(block_ms=0)
        known = list(chain(other.journal(run)))
        assert len(known) == 6
        other.append(leader.floor_key, json.dumps(an_answer(leader)))
        forget(raw, run, after=3)
        raw.client_kill_filter(_type="normal", skipme=True)
        for _ in range(3):
            one.step(block_ms=0)
        with suppress(ServerGone):  # its connection was cut like everybody's
            other.top(leader.floor_key)
        journal = list(chain(other.journal(run)))
        one.hand_over()
        streams.retire(run)
    assert journal[:6] == known
    events = [event for sealed in journal for event in sealed.commit.events]
    assert [event.name for event in events if isinstance(event, Incident)] == ["mended"]
    assert [event.turn for event in events if isinstance(event, Acted)] == [1, 2, 3, 4, 5]
