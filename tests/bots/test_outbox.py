"""The outbox: what a host has said stays with it until it is taken in, and harms no other."""

from __future__ import annotations

from typing import Any

import fakeredis
import pytest

from bots.outbox import Outbox
from tests.swarm import fake_streams
from utils import keys
from utils.errors import ServerGone
from utils.protocol import Joined
from utils.streams import Streams


class Line:
    """An outbox, and the server it speaks to."""

    def __init__(self) -> None:
        server = fakeredis.FakeServer()
        self.raw: Any = fakeredis.FakeRedis(server=server)
        self.streams = Breaking(fake_streams(server))
        self.outbox = Outbox(self.streams)

    def calls(self, run: str) -> int:
        return int(self.raw.xlen(keys.calls(run)))

    def spoil(self, key: str) -> None:
        self.raw.delete(key)
        self.raw.set(key, "x")


class Breaking(Streams):
    """A connection that is gone while it is told to be."""

    is_gone = False

    def __init__(self, real: Streams) -> None:
        super().__init__("fake://", client=real._redis)

    def _ask_all(self, *commands: tuple[str | int, ...]) -> list[Any]:
        if self.is_gone:
            raise ServerGone("for a while")
        return super()._ask_all(*commands)


@pytest.fixture
def line() -> Line:
    return Line()


def joined(bot: str) -> Joined:
    return Joined(author="host-1", nonce=f"j-{bot}", bot=bot)


def test_a_note_that_is_refused_does_not_stand_in_the_way_of_those_after_it(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    line.spoil(keys.calls("bad"))
    line.outbox.note("bad", "{}")
    line.outbox.note("good", "{}")
    line.outbox.resend()
    assert line.calls("good") == 1
    assert "run bad: not written: Redis refused: WRONGTYPE" in caplog.text


def test_a_note_written_while_the_server_is_gone_is_sent_when_it_is_back(line: Line) -> None:
    line.streams.is_gone = True
    line.outbox.note("good", "{}")
    with pytest.raises(ServerGone):
        line.outbox.resend()
    line.streams.is_gone = False
    line.outbox.resend()
    line.outbox.resend()
    assert (line.calls("good"), line.outbox.is_behind) == (1, False)


def test_a_word_that_is_refused_does_not_keep_the_others_from_being_said_again(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    line.outbox.send("bad", joined("ada"))
    line.outbox.send("good", joined("bo"))
    line.spoil(keys.floor("bad"))
    line.outbox.resend()
    assert (line.raw.xlen(keys.floor("good")), len(line.outbox)) == (2, 1)
    assert "run bad: not written: Redis refused: WRONGTYPE" in caplog.text


def test_notes_of_runs_that_are_served_no_more_are_forgotten(line: Line) -> None:
    line.streams.is_gone = True
    line.outbox.note("over", "{}")
    line.outbox.note("good", "{}")
    line.outbox.keep_runs(["good"])
    line.streams.is_gone = False
    line.outbox.resend()
    assert (line.calls("over"), line.calls("good")) == (0, 1)
