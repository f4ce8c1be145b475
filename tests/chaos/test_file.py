"""The server's file is cut short, or one bit of it is another: what is lost, and is it found?

* refused: no server loads the file.
* found: the records that were loaded contradict one another.
* whole: every record is there as it was; the bit was of something else, such as a lease.
* shorter: every record is a beginning of what it was, and they agree. Nobody who has no copy
  could tell it from a run that had just come to there.
* altered: something else, and nothing found it. This must not be.
"""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from tests.chaos.witnesses import contradictions
from tests.court import Court
from tests.scenes import spec_of
from tests.swarm import Swarm
from utils import keys
from utils.errors import ParleyError, TargetRefused
from utils.journal import Sealed, chain
from utils.server import EmbeddedServer
from utils.streams import Streams

CUTS = FLIPS = 20

Dump = dict[str, list[tuple[str, tuple[tuple[str, str], ...]]]]


class Became(NamedTuple):
    """What became of a file, by what it was found, and how many commits are left."""

    what: str
    why: str = ""
    commits: int = 0


class File:
    """The append-only file of a server on which a run was played, and the run's journal."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._tried = folder, 0
        home = folder / "home"
        with EmbeddedServer.open(home, fsync="always") as server:
            swarm = Swarm(lambda: Streams(server.url), lease_ms=60_000)
            swarm.orchestrator()
            swarm.host(3)
            self.run = swarm.seed(spec_of(turns=20))
            self.journal = swarm.finish(self.run)
            swarm.close()
            with closing(Streams(server.url)) as streams:
                assert list(contradictions(streams, self.run)) == []
                self.records = self.dumped(streams)
        (self.path,) = home.rglob("*.incr.aof")
        self._home = home
        self.body = self.path.read_bytes()

    def judge(self, body: bytes, *, is_chained: bool = True) -> Became:
        """Have a server load a file, and tell what became of the records in it.

        Args:
            is_chained: Whether records are held against one another.
        """
        self._tried += 1
        home = self._folder / f"tried-{self._tried}"
        shutil.copytree(self.path.parent, home / self.path.parent.relative_to(self._home))
        (home / self.path.relative_to(self._home)).write_bytes(body)
        try:
            server = EmbeddedServer.open(home, fsync="everysec", answer_ms=5_000)
        except ParleyError:
            return Became("refused")
        with server, closing(Streams(server.url)) as streams:
            try:
                return self._compared(streams, is_chained)
            except ParleyError as error:
                return Became("found", type(error).__name__)

    def _compared(self, streams: Streams, is_chained: bool) -> Became:
        records = self.dumped(streams)
        commits = len(records[keys.journal(self.run)])
        if is_chained and commits:
            for why in contradictions(streams, self.run):
                return Became("found", why, commits)
            assert len(list(chain(streams.journal(self.run)))) == commits
        if records == self.records:
            return Became("whole", commits=commits)
        beginnings = {key: self.records.get(key, [])[: len(held)] for key, held in records.items()}
        return Became("shorter" if records == beginnings else "altered", commits=commits)

    def dumped(self, streams: Streams) -> Dump:
        """Read the records: what the journal is, names, or makes."""
        run = self.run
        names = [keys.journal(run), keys.floor(run), keys.calls(run)]
        names += streams.names(keys.channel(run, "*"))
        held = {
            name: [(one.id, tuple(sorted(one.fields.items()))) for one in streams.all(name)]
            for name in names
        }
        spec = streams.spec(run)
        return {**held, keys.spec(run): [("", (("", spec),))] if spec else []}

    def altered(self, at: int, bit: int = 1) -> bytes:
        """Change one bit of the file."""
        return self.body[:at] + bytes([self.body[at] ^ bit]) + self.body[at + 1 :]

    def place(self, text: str | bytes, *, after: str = "") -> int:
        """Find where a text is last, or where it is first after another."""
        sought = text.encode() if isinstance(text, str) else text
        if not after:
            return self.body.rindex(sought)
        return self.body.index(sought, self.body.index(after.encode()))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> File:
    return File(tmp_path_factory.mktemp("file"))


def cut(file: File, *, times: int, seed: int) -> Counter[str]:
    """Cut the file short at random places; what became of it, so often."""
    chance = Random(seed)
    places = [chance.randrange(1, len(file.body)) for _ in range(times)]
    return Counter(file.judge(file.body[:at]).what for at in places)


def flip(file: File, *, times: int, seed: int) -> Counter[str]:
    """Change one bit at random places; what became of it, so often."""
    chance = Random(seed)
    places = [(chance.randrange(len(file.body)), 1 << chance.randrange(8)) for _ in range(times)]
    return Counter(file.judge(file.altered(*place)).what for place in places)


def last(file: File, *, times: int, seed: int) -> Counter[str]:
    """Change one bit at random places of the last commit and of the command that wrote it."""
    chance, begin = Random(seed), begin_of(file, file.journal[-1])
    end = file.place(file.journal[-1].body) + len(file.journal[-1].body.encode())
    places = [(chance.randrange(begin, end), 1 << chance.randrange(8)) for _ in range(times)]
    return Counter(file.judge(file.altered(*place)).what for place in places)


def begin_of(file: File, sealed: Sealed) -> int:
    """Find where the command begins that wrote a commit."""
    return file.body.rindex(b"\r\nXADD\r\n", 0, file.place(sealed.body)) - 2


def test_a_file_that_is_cut_short_holds_a_clean_beginning(file: File) -> None:
    assert set(cut(file, times=CUTS, seed=1)) <= {"shorter", "whole"}


def test_a_file_with_another_bit_never_gives_other_records(file: File) -> None:
    became = flip(file, times=FLIPS, seed=1)
    assert became["altered"] == 0
    assert became.total() == FLIPS


def test_another_bit_in_the_last_commit_is_found(file: File) -> None:
    at = file.place(file.journal[-1].body) + 30
    assert file.judge(file.altered(at)).what == "found"


@pytest.mark.parametrize(
    ("text", "after", "why"),
    [
        ('"response":"', ":calls", "a call is not the one that the journal names"),
        ('"text":"', ":channel:main", "a channel is not what follows from it"),
        ('"text":"', ":floor", "the floor is not what the journal read"),
        ('"name":"', ":spec", "the spec is not the one that the journal and the registry name"),
    ],
)
def test_another_bit_in_what_is_beside_the_journal_is_found(
    file: File, text: str, after: str, why: str
) -> None:
    at = file.place(text, after=after) + len(text)
    assert file.judge(file.altered(at)).why == why


def test_a_commit_under_another_id_is_found(file: File) -> None:
    at = file.place(file.journal[-1].body)
    at = file.body.rindex(f"{file.journal[-1].seq}-0".encode(), 0, at) + 3
    assert file.judge(file.altered(at)) == Became("found", "BadEntry")


def test_a_leader_writes_nothing_on_where_a_channel_is_past_the_journal() -> None:
    court = Court().begin()
    court.talk(2)
    key = keys.journal(court.run)
    *before, _ = court.raw.xrange(key)
    court.raw.delete(key)
    for entry_id, fields in before:
        court.raw.xadd(key, fields, id=entry_id)
    court.leader = court.another()
    court.leader.begin(court.now_ms)
    with pytest.raises(TargetRefused, match="already past this commit"):
        court.consume()
    assert len(court.journal) == len(before)


def test_a_bit_around_the_last_commit_takes_no_record_along_unseen(file: File) -> None:
    """The commands' own bytes: lengths, names, ids, beside what they carry."""
    places = range(begin_of(file, file.journal[-1]), file.place(file.journal[-1].body), 9)
    became = Counter(file.judge(file.altered(at, 1 << at % 7)).what for at in places)
    assert became["altered"] == 0
    assert became["found"] > 0


def test_a_reader_that_holds_nothing_against_anything_would_not_see_it(file: File) -> None:
    at = file.place(file.journal[-1].body) + 30
    became = file.judge(file.altered(at), is_chained=False)
    assert became == Became("altered", commits=len(file.journal))
