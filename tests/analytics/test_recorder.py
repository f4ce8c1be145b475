"""What a recorder leaves on disk is the run's, whatever becomes of recorder and server.

This file is over 300 lines because every test plays the same small run.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import fakeredis
import pytest

from analytics.recorder.disk import Disk
from analytics.recorder.process import Recorder, claimed
from analytics.recorder.segments import Segments, SegmentWriter
from tests.analytics.recorded import RUN, Recorded, every_file
from tests.scenes import spec_of
from tests.swarm import Killed, fake_streams
from utils import keys
from utils.callfile import call_from_line
from utils.clock import ManualClock
from utils.errors import BadEntry, BadInput
from utils.journal import Commit, chain, from_line, seal, to_line
from utils.protocol import Closed

SIZE = 5
"""Lines of a segment: small, so that a short run has several."""


class Brisk(Disk):
    """A disk that nobody waits for: who is killed loses nothing by that."""

    def settle(self, file: int) -> None:
        pass


class MortalDisk(Brisk):
    """A disk whose user is killed at its `at`-th act: before it, in its middle, or after it."""

    def __init__(self, at: int = 0, when: str = "before") -> None:
        self.at, self.when, self.acts = at, when, 0

    def _act(self, act: Callable[[], None], half: Callable[[], None] | None = None) -> None:
        self.acts += 1
        if self.acts != self.at:
            act()
            return
        if self.when == "after":
            act()
        elif self.when == "amid" and half is not None:
            half()
        raise Killed

    def make(self, folder: Path) -> None:
        self._act(lambda: super(MortalDisk, self).make(folder))

    def append(self, path: Path, pieces: Iterable[bytes]) -> None:
        octets = b"".join(pieces)
        write = super().append
        self._act(lambda: write(path, [octets]), lambda: write(path, [octets[: len(octets) // 2]]))

    def cut(self, path: Path, octets: int) -> None:
        self._act(lambda: super(MortalDisk, self).cut(path, octets))

    def rename(self, path: Path, name: Path) -> None:
        self._act(lambda: super(MortalDisk, self).rename(path, name))

    def remove(self, path: Path) -> None:
        self._act(lambda: super(MortalDisk, self).remove(path))


@cache
def played(*, otherwise: bool = False) -> Recorded:
    """Play a run of 14 turns to its end, or one that takes another way in its sixth."""
    run = Recorded(spec_of(turns=None)).begin().talk(5)
    run.say("Something else altogether." if otherwise else "Line 5.")
    return run.talk(8).close().write()


class Studio:
    """A run that comes to a server bit by bit, and its recorder, begun again when killed."""

    def __init__(self, out: Path, disk: Disk | None = None) -> None:
        self.server = fakeredis.FakeServer()
        self.streams = fake_streams(self.server)
        self.redis: Any = self.streams._redis
        self.start(RUN)
        self.out, self.disk = out, disk or Brisk()
        self.deaths = 0
        self.recorder = self._begin()

    def start(self, run: str) -> None:
        entry = next(played().streams.all(keys.RUNS)).body.replace(RUN, run)
        assert self.streams.register(run, spec=played().body, entry=entry, now_ms=5)

    def write(self, first: int, last: int, *, otherwise: bool = False) -> None:
        """Bring commits to the server; with each of them a call, under an id of its own."""
        run = played(otherwise=otherwise)
        for sealed in run.table.journal[first - 1 : last]:
            fields = {"b": sealed.body, "h": sealed.sha256}
            self.redis.xadd(keys.journal(RUN), fields, id=f"{sealed.seq}-0")
            body = f"{'other ' * otherwise}call {sealed.seq} \udcff"
            self.redis.xadd(keys.calls(RUN), {"b": body}, id=f"{sealed.seq}-{1 + otherwise}")

    @property
    def folder(self) -> Path:
        return self.out / RUN

    def _begin(self) -> Recorder:
        streams = fake_streams(self.server)
        return Recorder(streams, self.out, clock=ManualClock(), disk=self.disk, size=SIZE)

    def record(self) -> None:
        """Let the recorder work until there is nothing to do, through its deaths."""
        while True:
            try:
                self.recorder.run(until_idle=True)
                return
            except Killed:
                self.deaths += 1
                self.recorder = self._begin()

    def lose(self, *, after: int) -> None:
        """Make the server forget what came after a commit, as a restart may."""
        for key in (keys.journal(RUN), keys.calls(RUN)):
            kept = self.streams.range(key, count=after) if after else []
            self.redis.delete(key)
            for entry in kept:
                self.redis.xadd(key, entry.fields, id=entry.id)
        self.server.connected = False
        self.recorder.step(block_ms=0)
        self.server.connected = True

    def journal(self) -> list[str]:
        return list(read(self.folder / "journal"))

    def withdrawn(self) -> list[Path]:
        return sorted((self.folder / "withdrawn").glob("*"))


def read(folder: Path) -> Iterator[str]:
    segments = Segments(folder)
    segments.look()
    yield from segments.lines()


LAST = 18
"""Commits of the run: four to begin with, fourteen turns; one more closes it."""


def close(studio: Studio) -> None:
    """Close the record at its last call; one more comes late."""
    last = played().table.journal[LAST - 1]
    closed = Closed(calls=LAST, last_call_id=f"{LAST}-1")
    commit = Commit(
        seq=LAST + 1, prev=last.sha256, at_ms=last.commit.at_ms, cursor="9-9", events=(closed,)
    )
    sealed = seal(commit)
    studio.redis.xadd(keys.calls(RUN), {"b": "late"}, id=f"{LAST}-9")
    fields = {"b": sealed.body, "h": sealed.sha256}
    studio.redis.xadd(keys.journal(RUN), fields, id=f"{sealed.seq}-0")


def perform(studio: Studio) -> None:
    """Let a run come to its end, recorded at several moments."""
    studio.record()
    studio.write(1, 7)
    studio.record()
    studio.write(8, LAST)
    studio.record()
    close(studio)
    studio.record()


def perform_with_loss(studio: Studio) -> None:
    """Let the server forget seven commits, and go on otherwise."""
    studio.write(1, 16)
    studio.record()
    studio.lose(after=9)
    studio.write(10, 12, otherwise=True)
    studio.record()


# what is written


def test_the_files_hold_every_commit_and_every_call_of_a_closed_run(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    perform(studio)
    journal = [from_line(line) for line in studio.journal()]
    assert list(chain(journal))[:-1] == played().table.journal[:LAST]
    calls = [call_from_line(line) for line in read(studio.folder / "calls")]
    assert [call.body for call in calls] == [f"call {n} \udcff" for n in range(1, LAST + 1)]
    assert (studio.folder / "spec.json").read_text() == played().body
    told = json.loads((studio.folder / "closed.json").read_text())
    head = {"commits": LAST + 1, "calls": LAST, "sha256": journal[-1].sha256}
    assert told == {"run": RUN, **head}


def test_segments_are_closed_by_count_and_compressed_without_a_clock(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    studio.write(1, 12)
    studio.record()
    names = sorted(path.name for path in (studio.folder / "journal").iterdir())
    assert names == ["0000000001.jsonl.gz", "0000000006.jsonl.gz", "0000000011.jsonl"]
    octets = (studio.folder / "journal" / names[0]).read_bytes()
    assert octets[4:8] == bytes(4), "the time in a gzip header"
    assert octets[3] == 0, "no name in it"
    lines = [to_line(sealed) for sealed in played().table.journal]
    assert gzip.decompress(octets).decode() == "".join(lines[:5])
    assert (studio.folder / "journal" / names[2]).read_text() == "".join(lines[10:12])


def test_a_closed_run_is_taken_up_again_when_the_server_forgot_that_it_closed(
    tmp_path: Path,
) -> None:
    studio = Studio(tmp_path)
    perform(studio)
    before = every_file(studio.folder)
    studio.lose(after=LAST - 3)
    studio.record()
    assert not (studio.folder / "closed.json").exists()
    studio.write(LAST - 2, LAST)
    close(studio)
    studio.record()
    assert every_file(studio.folder) == before


def test_a_run_that_is_recorded_to_its_end_is_left_alone(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    perform(studio)
    studio.streams.retire(RUN)
    studio.disk = MortalDisk(at=1)
    studio.recorder = studio._begin()
    studio.record()
    assert studio.deaths == 0


# killed


def undisturbed(play: Callable[[Studio], None], folder: Path) -> tuple[dict[str, bytes], int]:
    """Play once with nobody killed: the files, and how many acts it took."""
    disk = MortalDisk()
    play(Studio(folder, disk))
    return every_file(folder), disk.acts


@pytest.mark.parametrize("when", ["before", "amid", "after"])
@pytest.mark.parametrize("play", [perform, perform_with_loss], ids=["to its end", "with a loss"])
def test_a_recorder_killed_at_any_act_leaves_the_same_bytes(
    play: Callable[[Studio], None], when: str, tmp_path: Path
) -> None:
    expected, acts = undisturbed(play, tmp_path / "undisturbed")
    assert acts > 30
    for at in range(1, acts + 1):
        studio = Studio(tmp_path / f"{at}", MortalDisk(at, when))
        play(studio)
        assert studio.deaths == 1
        assert every_file(studio.out) == expected, f"killed {when} act {at}"


def test_a_line_that_was_cut_off_would_be_seen(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    studio.write(1, 7)
    studio.record()
    open_segment = studio.folder / "journal" / "0000000006.jsonl"
    whole = open_segment.read_bytes()
    open_segment.write_bytes(whole[:-9])
    assert len(studio.journal()) == 6, "a reader takes a line that is not whole for none"
    studio.recorder = studio._begin()
    studio.record()
    assert open_segment.read_bytes() == whole


# the server forgets


def test_a_server_that_forgot_and_gets_it_again_changes_nothing(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    studio.write(1, 12)
    studio.record()
    before = every_file(studio.folder)
    studio.lose(after=6)
    studio.record()
    assert every_file(studio.folder) == before
    studio.write(7, 16)
    studio.record()
    assert [from_line(line) for line in studio.journal()] == played().table.journal[:16]
    assert studio.withdrawn() == []


def test_a_server_that_goes_on_otherwise_is_followed_from_the_common_commit(
    tmp_path: Path,
) -> None:
    studio = Studio(tmp_path)
    perform_with_loss(studio)
    held = [entry.fields["b"] for entry in studio.streams.all(keys.journal(RUN))]
    assert [from_line(line).body for line in studio.journal()] == held
    told = map(json.loads, (studio.folder / "incidents.jsonl").read_text().splitlines())
    calls, journal = told
    assert (calls["stream"], calls["kept"], calls["withdrawn"]) == ("calls", 9, 7)
    assert (journal["stream"], journal["kept"], journal["withdrawn"]) == ("journal", 9, 7)
    assert (calls["instead"], journal["instead"]) == ("10-2", "10-0")
    forgotten = [to_line(sealed) for sealed in played().table.journal[9:16]]
    assert (studio.folder / journal["aside"]).read_text() == "".join(forgotten)


def test_a_server_that_lost_everything_costs_the_recording_nothing(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    studio.write(1, 12)
    studio.record()
    before = every_file(studio.folder)
    studio.redis.flushall()
    studio.lose(after=0)
    studio.record()
    assert every_file(studio.folder) == before


# what cannot be recorded


def test_a_journal_whose_beginning_is_gone_is_refused_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    studio = Studio(tmp_path)
    studio.write(1, 12)
    studio.redis.xtrim(keys.journal(RUN), minid="5-0", approximate=False)
    studio.record()
    assert "from commit 5 on, and this folder up to 0" in caplog.text
    assert studio.journal() == []


def test_a_recorder_that_another_trimmer_overtook_stops_and_records_no_gap(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    studio = Studio(tmp_path)
    studio.write(1, 5)
    studio.record()
    studio.write(6, 16)
    studio.redis.xtrim(keys.journal(RUN), minid="10-0", approximate=False)
    studio.record()
    assert "from commit 10 on, and this folder up to 5" in caplog.text
    assert [from_line(line).seq for line in studio.journal()] == [1, 2, 3, 4, 5]


def test_a_segment_that_is_missing_is_said(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    perform(studio)
    (studio.folder / "journal" / "0000000006.jsonl.gz").unlink()
    with pytest.raises(BadEntry, match="from line 6 on is missing"):
        studio.journal()


def test_a_commit_that_is_not_what_it_says_stops_its_run_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    studio = Studio(tmp_path)
    studio.start("bad")
    studio.redis.xadd(keys.journal("bad"), {"b": "{}", "h": "0"}, id="1-0")
    perform(studio)
    assert "run bad: cannot be recorded" in caplog.text
    assert (studio.folder / "closed.json").exists()


def test_a_folder_has_one_recorder(tmp_path: Path) -> None:
    with (
        claimed(tmp_path / "out"),
        pytest.raises(BadInput, match="another recorder"),
        claimed(tmp_path / "out"),
    ):
        pass


def test_lines_are_cut_back_into_a_closed_segment(tmp_path: Path) -> None:
    lines = [f'{{"id": "{number}-0", "b": ""}}\n' for number in range(1, 24)]
    for count in range(24):
        writer = SegmentWriter(tmp_path / f"{count}", Brisk(), size=SIZE)
        writer.open()
        writer.append(lines)
        writer.close()
        writer.cut(count)
        assert list(read(writer.folder)) == lines[:count]
        assert list(writer.backwards()) == lines[:count][::-1]
        writer.append(lines[count:])
        assert list(writer.lines(7)) == lines[7:]
