"""What was said and not yet taken in stays on the floor, whatever clocks did."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.recorder.process import Recorder
from analytics.recorder.trim import Trimmer
from orchestrator.leader import Leader
from tests.analytics.test_recorder import Brisk
from tests.court import T0, Court
from tests.scenes import spec_of
from tests.swarm import happened
from utils import keys
from utils.clock import ManualClock

WORDS = ["word 0", "word 1", "word 2"]


def rolled_back_and_led_on(upto: int) -> Court:
    """Fail over to a replica that lacks two seconds, and whose clock is a minute behind."""
    court = Court(spec_of(turns=None))
    court.leader = Leader.open(court.streams, court.run, hashed_every=20)
    court.now_ms = T0 + 60_000
    court.begin().talk(10)
    kept = court.leader.state
    court.now_ms += 2_000
    court.talk(15)
    floor = court.raw.xrange(court.leader.floor_key, max=kept.cursor)
    court.raw.delete(court.leader.floor_key)
    for entry_id, fields in floor:
        court.raw.xadd(court.leader.floor_key, fields, id=entry_id)
    court.forget(after=kept.seq)
    court.now_ms = T0
    at_ms = int(kept.cursor.partition("-")[0])  # a stream's ids never fall: same time, next number
    court.leader.recover(court.now_ms)
    while court.leader.state.seq < upto:
        court.arrive(court.answer(), at_ms=at_ms)
        court.consume()
    for word in WORDS:
        said = {"kind": "inject", "author": "person", "channel": "main", "text": word}
        court.arrive(said, at_ms=at_ms)
    return court


@pytest.mark.parametrize("upto", [65, 75, 95, 130])
def test_words_under_lower_ids_than_what_was_read_before_are_not_trimmed(
    upto: int, tmp_path: Path
) -> None:
    court = rolled_back_and_led_on(upto)
    before = len(court.journal)
    trimmer = Trimmer(keep=10)
    Recorder(court.streams, tmp_path, clock=ManualClock(), trim=trimmer, disk=Brisk()).run(
        until_idle=True
    )
    assert court.streams.count(keys.journal(court.run)) < before, "nothing was trimmed"
    court.consume()
    heard = happened(list(court.streams.journal(court.run)), "heard")
    assert [event.text for event in heard if event.speaker is None] == WORDS
