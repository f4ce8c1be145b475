"""What the simulation found and was mended, each as small as it gets."""

from __future__ import annotations

from typing import Any

import fakeredis
import pytest

from orchestrator.runtime import Orchestrator
from parley.starting import start
from tests.court import T0, Court, Lossy
from tests.scenes import Table, spec_of
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


def rolled_back(seconds: int) -> Court:
    """Lead a talk whose server lost its last two turns, and its clock so many seconds."""
    court = Court().begin()
    court.talk(2)
    kept = court.leader.state
    court.now_ms += seconds * 1_000
    court.talk(2)
    floor: Any = court.raw.xrange(court.leader.floor_key, max=kept.cursor)
    court.raw.delete(court.leader.floor_key)
    for entry_id, fields in floor:
        court.raw.xadd(court.leader.floor_key, fields, id=entry_id)
    court.forget(after=kept.seq)
    court.now_ms = T0 + 5
    court.arrive({"kind": "mark", "author": "cy", "text": "Is anybody there?"})
    return court


def test_what_is_said_to_a_server_whose_clock_went_back_over_a_lost_tail_is_read() -> None:
    court = rolled_back(seconds=60)
    court.leader.recover(court.now_ms)
    court.consume()
    assert [event.turn for event in court.events("acted")] == [1, 2, 3, 4]
    assert [event.verb for event in court.events("intervened")] == ["mark"]


def test_a_leader_cut_off_while_it_mends_owns_up_to_all_it_mended() -> None:
    court = rolled_back(seconds=60)
    since, upto = len(court.journal) + 1, court.leader.state.seq
    court.streams.breaks = "after the commit"
    with pytest.raises(ServerGone):
        court.leader.recover(court.now_ms)
    assert len(court.journal) == since, "one of two is appended again"
    court.leader.recover(court.now_ms)
    court.consume()
    mended = [event.detail for event in court.events("incident")]
    assert mended == [f"server forgot commits {since} to {upto}; appended again"]
    assert [event.verb for event in court.events("intervened")] == ["mark"]


def test_a_host_of_200_seats_that_asks_for_all_of_them_again_is_seated_once() -> None:
    bots = [f"bot-{number:03}" for number in range(200)]
    table = Table(spec_of(bots)).begin()
    joins = [{"kind": "joined", "author": "one", "nonce": bot, "bot": bot} for bot in bots]
    for _ in range(2):
        for at in range(0, len(joins), 100):
            table.say(*joins[at : at + 100])
    seated = [event for event in table.events("seated") if event.host == "one"]
    assert len(seated) == len(bots)
    assert len(table.events("rejected")) == len(bots)
