"""The server's file is cut short, or one bit of it is another: a clean prefix, or it is found."""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from tests.scenes import spec_of
from tests.swarm import Swarm
from utils import keys
from utils.errors import BadEntry, Missing
from utils.journal import Sealed, chain
from utils.server import EmbeddedServer
from utils.streams import Streams

CUTS = FLIPS = 20


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
        (self.path,) = home.rglob("*.incr.aof")
        self._home = home
        self.body = self.path.read_bytes()

    def read(self, body: bytes, *, is_chained: bool = True) -> list[Sealed] | None:
        """Load a file and read the journal it holds; none when no server will load it.

        Raises:
            BadEntry: The journal is not what it says.
        """
        self._tried += 1
        home = self._folder / f"tried-{self._tried}"
        shutil.copytree(self.path.parent, home / self.path.parent.relative_to(self._home))
        (home / self.path.relative_to(self._home)).write_bytes(body)
        try:
            with (
                EmbeddedServer.open(home, fsync="everysec", answer_ms=5_000) as server,
                closing(Streams(server.url)) as streams,
            ):
                if not is_chained:
                    return [None for _ in streams.all(keys.journal(self.run))]  # type: ignore[misc]
                return list(chain(streams.journal(self.run)))
        except Missing:
            return None

    def judge(self, body: bytes) -> str:
        """Tell what became of a file: refused, found, a prefix, or altered in silence."""
        try:
            journal = self.read(body)
        except BadEntry:
            return "found"
        if journal is None:
            return "refused"
        whole = [one.body for one in self.journal]
        return "a prefix" if [one.body for one in journal] == whole[: len(journal)] else "altered"

    def flipped(self, chance: Random) -> bytes:
        """Change one bit of the file."""
        at = chance.randrange(len(self.body))
        bit = 1 << chance.randrange(8)
        return self.body[:at] + bytes([self.body[at] ^ bit]) + self.body[at + 1 :]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> File:
    return File(tmp_path_factory.mktemp("file"))


def cut(file: File, *, times: int, seed: int) -> Counter[str]:
    """Cut the file short at random places; what became of it, so often."""
    chance = Random(seed)
    return Counter(
        file.judge(file.body[: chance.randrange(1, len(file.body))]) for _ in range(times)
    )


def flip(file: File, *, times: int, seed: int) -> Counter[str]:
    """Change one bit at random places; what became of it, so often."""
    chance = Random(seed)
    return Counter(file.judge(file.flipped(chance)) for _ in range(times))


def test_a_file_that_is_cut_short_holds_a_clean_prefix(file: File) -> None:
    assert cut(file, times=CUTS, seed=1) == {"a prefix": CUTS}


def test_a_file_with_another_bit_never_gives_another_journal(file: File) -> None:
    became = flip(file, times=FLIPS, seed=1)
    assert became["altered"] == 0
    assert became.total() == FLIPS


def test_another_bit_in_the_last_commit_is_found(file: File) -> None:
    at = file.body.rindex(file.journal[-1].body.encode()) + 30
    body = file.body[:at] + bytes([file.body[at] ^ 1]) + file.body[at + 1 :]
    assert file.judge(body) == "found"


def test_a_reader_that_checks_no_hash_would_not_see_it(file: File) -> None:
    at = file.body.rindex(file.journal[-1].body.encode()) + 30
    body = file.body[:at] + bytes([file.body[at] ^ 1]) + file.body[at + 1 :]
    read = file.read(body, is_chained=False)
    assert read is not None
    assert len(read) == len(file.journal)
