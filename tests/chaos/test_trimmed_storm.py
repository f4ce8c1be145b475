"""A recorder trims the server in a storm, and is killed like the others: nothing is lost."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from analytics.recorder.beginnings import Recorded
from analytics.recorder.process import Recorder
from analytics.recorder.trim import Trimmer
from parley.starting import start
from tests.analytics.test_recorder import Brisk
from tests.chaos.kept import taken, wrongly_kept
from tests.chaos.storm import LONGEST_MS, Storm, crowd, talk, weather, wrong_with
from tests.chaos.test_storm import taken_over
from tests.findings import found, found_again, record_of
from tests.scenes import spec_of
from tests.swarm import fake_swarm
from utils import keys
from utils.clock import ManualClock, wait_until
from utils.spec import Spec
from utils.streams import Streams, unseal_entry

AT = 200
TRIMMED = Storm(
    turns=750,
    faults={"kill bots": 6, "kill orchestrator": 6, "kill recorder": 4, "kill server": 2},
    trimmed_at=AT,
)


def test_a_talk_that_is_trimmed_in_a_storm_is_the_talk_of_a_quiet_day(tmp_path: Path) -> None:
    weathered = weather(tmp_path, TRIMMED, seed=1)
    assert weathered.wrong == []
    assert weathered.met == TRIMMED.faults
    assert weathered.trimmed["trimmed: commits"] >= AT - 1


def test_a_trimmer_that_asks_for_no_snapshot_is_found_to_end_the_run(tmp_path: Path) -> None:
    """Whoever is to lead next has nothing to start from."""
    naive = TRIMMED._replace(
        turns=60, faults={"kill orchestrator": 4}, recorder="naive-recorder", longest_ms=2_000
    )
    with pytest.raises(AssertionError, match="there is no snapshot to start from"):
        weather(tmp_path, naive, seed=1)


# --- the next grant -----------------------------------------------------------------------


class Takeovers(NamedTuple):
    """How long it took each time, milliseconds, what was trimmed, and what is wrong."""

    gaps_ms: list[int]
    trimmed: Counter[str]
    wrong: list[str]


def trimmed_takeovers(
    folder: Path, failovers: int, *, seed: int, trimmed_at: int = AT
) -> Takeovers:
    """Kill the leader so often, each time of a run whose beginning is gone."""
    storm = Storm(10**6, {}, fsync="everysec", trimmed_at=trimmed_at)
    with crowd(folder, storm, seed) as swarm:
        run = start(swarm.streams, talk(storm, seed))
        assert wait_until(lambda: bool(taken(swarm.streams, run)), within_ms=LONGEST_MS)
        gaps_ms = taken_over(swarm, run, failovers)
        for name in [one for one in swarm.nursery.children if not one.startswith("recorder")]:
            swarm.nursery.kill(name)
        wrong = found_again(record_of(swarm.streams, run), hashed_every=trimmed_at)
        return Takeovers(gaps_ms, taken(swarm.streams, run), wrong)


def test_the_next_grant_comes_though_the_journal_was_trimmed(tmp_path: Path) -> None:
    """How soon is in the figures: here nothing is timed."""
    takeovers = trimmed_takeovers(tmp_path, 3, seed=1, trimmed_at=50)
    assert len(takeovers.gaps_ms) == 3
    assert takeovers.trimmed["trimmed: commits"] >= 49
    assert takeovers.wrong == []


# --- what the judge sees ------------------------------------------------------------------


TURNS = 120


class Kept(NamedTuple):
    """A run of a quiet day, the server trimmed behind it."""

    streams: Streams
    run: str
    spec: Spec
    recording: Path

    def wrong(self) -> list[str]:
        storm = Storm(TURNS, {}, trimmed_at=20)
        return wrong_with(self.streams, self.run, self.spec, storm, self.recording)

    def of_channel(self, *, at: int) -> str:
        """Name an entry of the channel that somebody's words are in."""
        entries = self.streams.all(keys.channel(self.run, "main"))
        return [entry.id for entry in entries if '"speaker":"' in entry.body][at]


@contextmanager
def recorded(folder: Path, *, keep: int = 20, hashed_every: int = 20) -> Iterator[Kept]:
    with fake_swarm() as swarm:
        swarm.orchestrator(hashed_every=hashed_every)
        swarm.host(3)
        spec = spec_of(turns=TURNS)
        run = swarm.seed(spec)
        swarm.finish(run)
        trim = Trimmer(keep=keep, reach=60)
        Recorder(swarm.connect(), folder, clock=ManualClock(), trim=trim, disk=Brisk()).run(
            until_idle=True
        )
        swarm.streams.beginnings = Recorded(folder)
        yield Kept(swarm.streams, run, spec, folder / run)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with recorded(tmp_path) as one:
        yield one


def change(segment: Path, spoil: Callable[[list[bytes]], list[bytes]]) -> None:
    lines = gzip.decompress(segment.read_bytes()).splitlines(keepends=True)
    segment.write_bytes(gzip.compress(b"".join(spoil(lines))))


def test_a_trimmed_run_has_nothing_wrong_with_it(kept: Kept) -> None:
    assert kept.wrong() == []
    assert taken(kept.streams, kept.run).keys() == {
        "trimmed: commits",
        "trimmed: inputs",
        "trimmed: entries of channels",
    }


def test_a_run_of_which_nothing_was_trimmed_is_found(tmp_path: Path) -> None:
    with recorded(tmp_path, keep=1_000) as whole:
        assert whole.wrong() == ["nothing was trimmed"]


def test_a_record_whose_last_commit_ends_with_a_hash_is_closed(tmp_path: Path) -> None:
    with recorded(tmp_path, hashed_every=1) as one:
        top = one.streams.top(keys.journal(one.run))
        assert top is not None
        assert unseal_entry(top).commit.events[-1].kind == "state_hashed"
        assert list(wrongly_kept(one.streams, one.run, one.recording)) == []


def test_a_word_may_be_gone_from_its_channel_only_if_its_commit_is(kept: Kept) -> None:
    key = keys.channel(kept.run, "main")
    kept.streams.remove(key, [kept.of_channel(at=0)])
    assert kept.wrong() == []
    kept.streams.remove(key, [kept.of_channel(at=-1)])
    assert kept.wrong() == ["the channels and the journal do not let the same be heard"]


def test_a_word_that_was_changed_in_its_channel_is_found(kept: Kept) -> None:
    record = record_of(kept.streams, kept.run)
    *before, last = record.told
    changed = record._replace(told=[*before, last.model_copy(update={"text": "Not at all."})])
    assert found(record, turns=TURNS) == []
    assert found(changed, turns=TURNS) == [
        "the channels and the journal do not let the same be heard"
    ]


def test_a_call_that_is_not_on_disk_is_found(kept: Kept) -> None:
    change(kept.recording / "calls" / f"{1:010}.jsonl.gz", lambda lines: lines[:-1])
    assert kept.wrong() == ["calls: 119 are recorded, the record has 120; they part after 119"]


def test_a_commit_that_was_trimmed_and_is_not_on_disk_is_found(kept: Kept) -> None:
    segment = kept.recording / "journal" / f"{1:010}.jsonl.gz"
    change(segment, lambda lines: lines[:20] + lines[21:])
    (wrong,) = kept.wrong()
    assert wrong.startswith("it cannot be read: ")
