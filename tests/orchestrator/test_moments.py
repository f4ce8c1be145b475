"""Moments at which somebody is cut off or comes anew, each as small as it gets."""

from __future__ import annotations

import fakeredis

from orchestrator.runtime import Orchestrator
from parley.starting import start
from tests.court import T0, Lossy
from tests.scenes import spec_of
from tests.swarm import FakeStreams, Swarm, fake_swarm, happened
from utils import keys
from utils.calls import CallRecord
from utils.clock import ManualClock
from utils.errors import ServerGone
from utils.streams import Entry, Streams


def test_a_leader_cut_off_before_its_first_commit_begins_the_run_all_the_same() -> None:
    streams = Lossy(fakeredis.FakeServer())
    run = start(streams, spec_of())
    one = Orchestrator(streams, clock=ManualClock(), name="one", lease_ms=600_000)
    streams.breaks = "before the commit"
    for _ in range(3):
        one.step(block_ms=0)
    assert [event.run for event in happened(streams.journal(run), "began")] == [run]


def test_a_seat_taken_anew_recalls_what_was_said_before_it_came() -> None:
    with fake_swarm() as swarm:
        leader, host = swarm.orchestrator(), swarm.host(3)
        run = swarm.seed(spec_of(turns=12))
        swarm.until(lambda: run in leader.led and leader.led[run].state.turns >= 6)
        company = host.places.companies[run]
        cy = company.seats["cy"].bot
        seat = company.seat(cy, now_ms=0)
        while leader.led[run].state.turns < 8:  # the host hears the others meanwhile
            swarm.step()
        host.places.join(company, seat)
        journal = swarm.finish(run)
        calls = [
            CallRecord.model_validate_json(entry.body)
            for entry in swarm.streams.all(keys.calls(run))
        ]
    heard = [event.message_id for event in happened(journal, "heard")]
    last = [call for call in calls if call.bot == "cy"][-1]
    assert [one.item for one in last.exposures if one.seen] == heard[: last.turn]


class CutAtItsInbox(FakeStreams):
    """A connection that breaks when its host first looks at its inbox."""

    was_cut = False

    def another(self, name: str = "") -> Streams:
        return CutAtItsInbox(self.server)

    def top(self, key: str) -> Entry | None:
        if ":inbox:" in key and not self.was_cut:
            self.was_cut = True
            raise ServerGone("cut")
        return super().top(key)


def test_a_host_cut_off_while_it_gets_to_know_a_run_reads_its_mail_all_the_same() -> None:
    server = fakeredis.FakeServer()
    swarm = Swarm(lambda: CutAtItsInbox(server), clock=ManualClock(now_ms=T0))
    swarm.orchestrator()
    swarm.host(3)
    run = swarm.seed(spec_of(turns=3))
    journal = swarm.finish(run)
    assert len(happened(journal, "turn_closed")) == 3
