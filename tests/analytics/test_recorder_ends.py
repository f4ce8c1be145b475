"""However a run ends, and whatever becomes of the server just then, its recording is closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from analytics.recorder.process import Recorder
from analytics.recorder.recording import CLOSED
from analytics.recorder.trim import Trimmer
from orchestrator.leader import Leader
from tests.analytics.recorded import RUN
from tests.analytics.test_recorder import LAST, Brisk, Studio, close, perform, played, read
from tests.court import Court
from tests.scenes import spec_of
from tests.swarm import FakeStreams
from utils import keys
from utils.clock import ManualClock
from utils.errors import ServerGone, StreamError
from utils.journal import to_line
from utils.streams import Entry


def a_court(turns: int) -> Court:
    """Lead a run to its end, and close its record."""
    court = Court(spec_of(turns=turns)).begin()
    court.talk(turns)
    assert court.leader.close_record(court.now_ms + 60_000, wait_ms=0)
    return court


def is_recorded_to_its_end(court: Court, folder: Path) -> bool:
    """Record a run that came to its end before, or while it was recorded."""
    Recorder(court.streams, folder, clock=ManualClock(), disk=Brisk()).run(until_idle=True)
    return (folder / court.run / CLOSED).exists()


def test_a_last_commit_that_holds_a_hash_after_the_close(tmp_path: Path) -> None:
    court = Court(spec_of(turns=2))
    court.leader = Leader.open(court.streams, court.run, hashed_every=1)
    court.begin().talk(2)
    assert court.leader.close_record(court.now_ms + 60_000, wait_ms=0)
    assert [event.kind for event in court.journal[-1].commit.events] == ["closed", "state_hashed"]
    assert is_recorded_to_its_end(court, tmp_path)
    (tmp_path / court.run / CLOSED).unlink()
    assert is_recorded_to_its_end(court, tmp_path)


def test_an_incident_after_the_close(tmp_path: Path) -> None:
    """A leader that mends what the server forgot says so, be the record closed."""
    court = a_court(turns=2)
    court.forget(after=court.leader.state.seq - 1)
    court.leader.recover(court.now_ms)
    assert [one.commit.events[0].kind for one in court.journal[-2:]] == ["closed", "incident"]
    assert is_recorded_to_its_end(court, tmp_path)
    (tmp_path / court.run / CLOSED).unlink()
    assert is_recorded_to_its_end(court, tmp_path)


def test_an_incident_after_a_close_that_was_recorded(tmp_path: Path) -> None:
    court = a_court(turns=2)
    assert is_recorded_to_its_end(court, tmp_path)
    court.forget(after=court.leader.state.seq - 1)
    court.leader.recover(court.now_ms)
    assert is_recorded_to_its_end(court, tmp_path)
    assert len(list(read(tmp_path / court.run / "journal"))) == len(court.journal)


class Breaking(FakeStreams):
    """A connection that breaks at the first look at a snapshot."""

    breaks = True

    def read_snapshot(self, run: str) -> str | None:
        if self.breaks:
            self.breaks, self.connects = False, self.connects + 1
            raise ServerGone("cut")
        return super().read_snapshot(run)


def test_a_recorder_that_is_cut_off_after_the_last_commit(tmp_path: Path) -> None:
    court = a_court(turns=120)
    streams = Breaking(court.server)
    recorder = Recorder(
        streams, tmp_path, clock=ManualClock(), trim=Trimmer(keep=100), disk=Brisk()
    )
    recorder.run(until_idle=True)
    assert not streams.breaks
    assert (tmp_path / court.run / CLOSED).exists()


def test_a_run_that_went_on_otherwise_to_another_end_while_the_recorder_was_away(
    tmp_path: Path,
) -> None:
    studio = Studio(tmp_path)
    perform(studio)
    assert (studio.folder / CLOSED).exists()
    studio.lose(after=5)
    otherwise = played(otherwise=True).table.journal
    studio.write(6, len(otherwise), otherwise=True)
    studio.streams.retire(RUN)
    studio.record()
    assert studio.journal() == [to_line(one) for one in otherwise]


def test_a_run_that_was_closed_again_as_it_was(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    perform(studio)
    studio.lose(after=5)
    studio.write(6, LAST)
    close(studio)
    studio.streams.retire(RUN)
    studio.record()
    assert (studio.folder / CLOSED).exists()


def test_a_run_whose_last_call_the_server_lost_for_good(tmp_path: Path) -> None:
    """Its leader appended its commits again; nobody has the call's record any more."""
    studio = Studio(tmp_path)
    studio.write(1, LAST)
    close(studio)
    studio.redis.xdel(keys.calls(RUN), f"{LAST}-1", f"{LAST}-9")
    studio.record()
    assert (studio.folder / CLOSED).exists()
    assert len(list(read(studio.folder / "calls"))) == LAST - 1


def test_a_run_whose_last_call_the_recorder_alone_has(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    studio.write(1, LAST)
    studio.record()
    close(studio)
    studio.redis.xdel(keys.calls(RUN), f"{LAST}-1", f"{LAST}-9")
    studio.recorder = studio._begin()
    studio.record()
    assert (studio.folder / CLOSED).exists()
    assert len(list(read(studio.folder / "calls"))) == LAST


def test_a_run_whose_name_is_no_name_has_no_folder(tmp_path: Path) -> None:
    """Anybody may list a run under any name; the others are recorded."""
    court, out = a_court(turns=2), tmp_path / "recordings"
    for name in ("../outside", "a\0b", "", ".", "a/b", "x" * 300, "\udcff"):
        live = name.encode(errors="surrogateescape")
        court.raw.zadd(keys.LIVE, {live: 1})
        court.raw.xadd(keys.journal(name).encode(errors="surrogateescape"), {"b": "x", "h": "y"})
    assert is_recorded_to_its_end(court, out)
    assert [path.name for path in out.iterdir()] == [court.run]
    assert [path.name for path in tmp_path.iterdir()] == ["recordings"]


class Typed(FakeStreams):
    """Refuses to read what is no stream, as a real server does."""

    def read(self, after: Mapping[str, str], **given: int) -> list[Entry]:
        for key in after:
            self.count(key)
        return super().read(after, **given)

    def count(self, key: str) -> int:
        if self._redis.type(key) not in ("stream", "none"):
            raise StreamError("WRONGTYPE")
        return super().count(key)


@pytest.mark.parametrize("of", [keys.journal, keys.calls])
def test_a_run_that_is_spoiled_while_another_one_is_recorded(
    of: Callable[[str], str], tmp_path: Path
) -> None:
    """The key is no stream any more: that run is recorded no further, the other to its end."""
    studio = Studio(tmp_path)
    studio.write(1, LAST)
    studio.start("spoiled")
    studio.recorder = Recorder(Typed(studio.server), studio.out, clock=ManualClock(), disk=Brisk())
    studio.recorder.step(block_ms=0)
    assert set(studio.recorder.recordings) == {RUN, "spoiled"}
    studio.redis.set(of("spoiled"), "no stream")
    close(studio)
    studio.record()
    assert (studio.folder / CLOSED).exists()
    assert not studio.recorder.recordings
