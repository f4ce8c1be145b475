"""An orchestrator whose server breaks, forgets, or holds what is not fit to be led."""

from __future__ import annotations

import json
from contextlib import closing, suppress

import redis

from orchestrator import engine
from orchestrator.kept import KEPT_COMMITS
from orchestrator.runtime import Orchestrator
from parley.starting import start
from tests.court import Court, an_answer, forget
from tests.scenes import spec_of
from tests.swarm import fake_swarm, transcript
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


def an_orchestrator(streams: Streams, run: str | None = None) -> Orchestrator:
    """One whose leases outlast the test, and who never waits."""
    return Orchestrator(streams, clock=ManualClock(), name=fresh_id(), lease_ms=600_000, only=run)


def test_a_hole_deeper_than_a_leader_keeps_halts_the_run_with_an_incident() -> None:
    court = Court()
    court.now_ms = court.streams.time_ms()
    a_long_journal(court.begin())
    one = an_orchestrator(court.streams)
    one.step(block_ms=0)
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
