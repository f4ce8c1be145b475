"""A record is played again: what is waited for, where it begins, and what keys do to it."""

from __future__ import annotations

import os
import pty
import termios
from collections.abc import Iterator
from itertools import pairwise

import pytest

from analytics.observer.follow import Arrived
from analytics.observer.remote import Remote
from analytics.observer.replaying import AT_ONCE, START, Replaying, Seek
from tests.orchestrator.test_console import tell
from tests.scenes import Table, spec_of
from utils.clock import ManualClock
from utils.errors import BadInput
from utils.journal import Sealed
from utils.protocol import CallsCounted
from utils.spec import ChannelSpec

GAPS_MS = (5_000, 700, 30_000)


class Naps(ManualClock):
    """A clock that notes how long it is slept on."""

    def __init__(self) -> None:
        super().__init__()
        self.slept_ms: list[float] = []

    def sleep_s(self, seconds: float) -> None:
        self.slept_ms.append(round(seconds * 1000, 6))
        super().sleep_s(seconds)


def talked(gaps_ms: tuple[int, ...] = GAPS_MS) -> Table:
    table = Table(spec_of(turns=len(gaps_ms))).begin()
    for gap_ms in gaps_ms:
        table.now_ms += gap_ms
        table.propose()
    table.notice(CallsCounted(calls=0, last_id="0-0"))
    return table


@pytest.fixture
def clock() -> Naps:
    return Naps()


def gone_through(source: Replaying, *, block_ms: int = 200) -> list[tuple[int, bool]]:
    """Read to the end: the number of each commit, and whether it is new."""
    came: list[tuple[int, bool]] = []
    while not source.is_over:
        for one in source.read(block_ms=block_ms, count=3):
            assert isinstance(one, Arrived)
            came.append((one.sealed.seq, one.is_new))
    return came


@pytest.mark.parametrize(("speed", "part"), [(1.0, 1), (4.0, 4), (0.5, 0.5)])
def test_it_takes_as_long_as_it_took_divided_by_the_speed(
    clock: Naps, speed: float, part: float
) -> None:
    table = talked()
    source = Replaying(table.journal, speed=speed, clock=clock)
    came = gone_through(source, block_ms=1_000_000)
    assert came == [(sealed.seq, True) for sealed in table.journal]
    assert clock.slept_ms == [gap_ms / part for gap_ms in GAPS_MS]
    assert source.now_ms() == table.journal[-1].commit.at_ms


def test_nothing_is_waited_for_at_once(clock: Naps) -> None:
    table = talked()
    assert len(gone_through(Replaying(table.journal, speed=AT_ONCE, clock=clock))) == len(
        table.journal
    )
    assert clock.slept_ms == []


def test_a_wait_is_no_longer_than_it_may_be_and_the_time_between_goes_on(clock: Naps) -> None:
    table = talked()
    source = Replaying(table.journal, speed=2.0, clock=clock)
    times = []
    while not source.is_over:
        source.read(block_ms=200)
        times.append(source.now_ms())
    assert max(clock.slept_ms) == 200
    assert sum(clock.slept_ms) == sum(GAPS_MS) / 2
    steps = [after - before for before, after in pairwise(times)]
    assert set(steps) <= {0, 400, 5_000 % 400, 700 % 400, 30_000 % 400}


def test_what_comes_late_for_a_slow_screen_comes_at_once(clock: Naps) -> None:
    table = talked()
    source = Replaying(table.journal, clock=clock)
    source.read(block_ms=0)
    clock.advance(60_000)
    assert len(gone_through(source)) > 0
    assert clock.slept_ms == []


# --- where it begins ----------------------------------------------------------------------


def first_shown(journal: list[Sealed], seek: str, channel: str | None = None) -> Sealed:
    clock = Naps()
    source = Replaying(journal, seek=Seek.parse(seek, channel=channel), clock=clock)
    came = gone_through(source, block_ms=1_000_000)
    assert [seq for seq, _ in came] == [sealed.seq for sealed in journal], "all of it is folded"
    first = next(seq for seq, is_new in came if is_new)
    shown = [sealed.commit.at_ms for sealed in journal[first - 1 :]]
    assert sum(clock.slept_ms) == shown[-1] - shown[0], "nothing before it is waited for"
    return journal[first - 1]


def test_it_begins_at_a_commit_a_turn_or_a_run_time() -> None:
    journal = talked().journal
    assert first_shown(journal, "4").seq == 4
    granted = first_shown(journal, "turn:3").commit.events
    assert [event.turn for event in granted if event.kind == "granted"] == [3]  # type: ignore[union-attr]
    began_ms = journal[0].commit.at_ms
    for seek, ms in (("run:5s", 5_000), ("run:0.095min", 5_700), ("run:5001ms", 5_700)):
        assert first_shown(journal, seek).commit.at_ms == began_ms + ms


def test_time_in_a_pause_is_no_run_time() -> None:
    table = Table(spec_of(turns=2)).begin()
    tell(table, "pause")
    table.now_ms += 60_000
    tell(table, "resume")
    table.now_ms += 5_000
    table.propose()
    after = first_shown(table.journal, "run:3s")
    assert after.commit.at_ms == table.now_ms


def test_a_turn_may_be_that_of_one_channel() -> None:
    channels = [
        ChannelSpec(name="main", members=("ada", "bo"), turns=4),
        ChannelSpec(name="side", members=("cy", "dee"), turns=4),
    ]
    table = Table(spec_of(("ada", "bo", "cy", "dee"), channels=channels, turns=None)).begin()
    for channel in ("main", "main", "side", "side"):
        (grant,) = [one for one in table.state.live() if one.event.channel == channel]
        table.propose(grant)
    assert (
        first_shown(table.journal, "turn:2").seq < first_shown(table.journal, "turn:2", "side").seq
    )


@pytest.mark.parametrize("seek", ["99", "turn:99", "run:99h"])
def test_a_place_past_the_end_is_bad_input(seek: str, clock: Naps) -> None:
    journal = talked().journal
    why = rf"--seek: the record ends before {seek}, with commit {len(journal)}; name a place in it"
    with pytest.raises(BadInput, match=why):
        gone_through(Replaying(journal, seek=Seek.parse(seek), clock=clock))


@pytest.mark.parametrize("seek", ["", "turn:", "turn:x", "run:90", "-1", "run:1d", "9" * 40])
def test_what_is_no_place_is_bad_input(seek: str) -> None:
    with pytest.raises(BadInput, match="is no place in a run; name a commit, such as 40"):
        Seek.parse(seek)


def test_a_record_without_commits_is_over(clock: Naps) -> None:
    source = Replaying([], seek=START, clock=clock)
    assert source.is_over
    assert source.read(block_ms=200) == []


def test_a_record_is_read_as_it_is_played_and_not_before(clock: Naps) -> None:
    read = 0

    def counted() -> Iterator[Sealed]:
        nonlocal read
        for sealed in talked().journal:
            read += 1
            yield sealed

    source = Replaying(counted(), clock=clock)
    source.read()
    assert read == source.seq + 1


# --- keys -----------------------------------------------------------------------------------


def test_held_it_stands_still_and_then_goes_on_where_it_stood(clock: Naps) -> None:
    source = Replaying(talked().journal, clock=clock)
    source.read()
    clock.advance(2_000)
    held_ms = source.now_ms()
    source.hold()
    clock.advance(50_000)
    assert source.read(block_ms=200) == []
    assert (source.now_ms(), clock.slept_ms) == (held_ms, [200])
    source.hold()
    clock.slept_ms.clear()
    assert len(source.read(block_ms=1_000_000)) == 1
    assert clock.slept_ms == [3_000]


def test_hurried_it_waits_for_half_of_what_is_left(clock: Naps) -> None:
    source = Replaying(talked().journal, clock=clock)
    source.read()
    clock.advance(1_000)
    source.hurry(2.0)
    source.read(block_ms=1_000_000)
    assert clock.slept_ms == [2_000]
    for _ in range(99):
        source.hurry(0.5)
    assert source.speed == 1 / 64


def test_skipped_what_comes_next_comes_now_and_the_rest_keeps_its_distance(clock: Naps) -> None:
    source = Replaying(talked().journal, clock=clock)
    source.read()
    source.skip()
    assert len(source.read()) == 1
    assert clock.slept_ms == []
    source.read(block_ms=1_000_000)
    assert clock.slept_ms == [700]


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Two ends of a terminal: where keys are typed, and where they are read."""
    typing, reading = pty.openpty()
    yield typing, reading
    os.close(typing)
    os.close(reading)


def test_keys_do_what_they_say_and_the_terminal_is_as_it_was_afterwards(
    clock: Naps, terminal: tuple[int, int]
) -> None:
    typing, reading = terminal
    source = Replaying(talked().journal, clock=clock)
    before = termios.tcgetattr(reading)
    with Remote(source, terminal=reading) as remote:
        assert termios.tcgetattr(reading) != before
        os.write(typing, b" ++-\x1b[A?x")
        remote.look()
        assert (source.is_held, source.speed) == (True, 4.0)
        remote.look()
        os.write(typing, b" \x1b[B")
        remote.look()
        assert (source.is_held, source.speed) == (False, 2.0)
    assert termios.tcgetattr(reading) == before


def test_where_there_is_no_terminal_nothing_is_read(clock: Naps) -> None:
    read, write = os.pipe()
    os.write(write, b" ")
    source = Replaying(talked().journal, clock=clock)
    with Remote(source, terminal=read) as remote:
        remote.look()
    assert not source.is_held
    os.close(read)
    os.close(write)
