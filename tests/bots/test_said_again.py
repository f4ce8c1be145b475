"""What is said again is done once: by a host of many seats, and of a person of many words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import fakeredis
import pytest

from bots.outbox import Outbox
from orchestrator.state import BOTS_OF_A_PAGE, PAGE, REMEMBERED_PAGES, is_known, remember
from tests.court import Court
from tests.scenes import spec_of
from tests.swarm import FakeStreams, fake_streams, fake_swarm, happened
from utils import keys
from utils.errors import ServerGone
from utils.journal import Sealed
from utils.protocol import Failed, Input, Joined, Left, Waiting

SEATS = 1_100
"""More than one page of nonces."""


def done_twice(journal: Sequence[Sealed]) -> list[tuple[str, str]]:
    """List the inputs, by author and nonce, that were acted on more than once."""
    refused = {event.input_id for event in happened(journal, "rejected")}
    said = [one for sealed in journal for one in sealed.commit.inputs if one.id not in refused]
    return [
        who for who, times in Counter((one.author, one.nonce) for one in said).items() if times > 1
    ]


def test_a_host_of_many_seats_that_asks_again_before_it_reads_its_mail_is_seated_once() -> None:
    with fake_swarm(lease_ms=600_000) as swarm:
        orchestrator, host = swarm.orchestrator(), swarm.host(SEATS)
        run = swarm.seed(spec_of([f"b{number}" for number in range(SEATS)], turns=3))
        host.step(block_ms=0)
        floor = keys.floor(run)
        assert swarm.streams.count(floor) == SEATS
        while run not in orchestrator.led or len(orchestrator.led[run].state.seats) < SEATS:
            orchestrator.step(block_ms=0)
        host.is_connected = False  # its line breaks before it has read its mail
        host.step(block_ms=0)
        assert swarm.streams.count(floor) >= 2 * SEATS, "it did not ask again: this shows nothing"
        journal = swarm.finish(run)
    assert done_twice(journal) == []
    assert len(happened(journal, "seated")) == SEATS
    assert len(happened(journal, "acted")) == 3


def test_words_of_a_floor_that_outlived_its_journal_are_heard_once() -> None:
    court = Court(spec_of(turns=100)).begin()
    kept = court.leader.state
    for number in range(SEATS):
        word = {"kind": "inject", "author": "ada", "channel": "main", "text": f"word {number}"}
        court.arrive(word)
    court.consume()
    court.forget(after=kept.seq)
    court.leader.recover(court.now_ms)
    court.consume()
    assert done_twice(court.journal) == []
    words = [event.text for event in court.events("heard") if event.turn]
    assert len(words) == SEATS
    assert len(court.events("rejected")) == SEATS


@pytest.mark.parametrize("bots", [1, BOTS_OF_A_PAGE, BOTS_OF_A_PAGE + 1, 10_000])
def test_four_inputs_of_every_bot_and_four_pages_are_remembered_and_no_more(bots: int) -> None:
    pages = REMEMBERED_PAGES + -(-bots // BOTS_OF_A_PAGE)
    assert pages * PAGE >= REMEMBERED_PAGES * PAGE + 4 * bots
    full = tuple(
        dict.fromkeys(f"{page}-{number}" for number in range(PAGE)) for page in range(pages + 1)
    )
    nonces = remember({"host-1": full[:-1]}, "host-1", "last", bots=bots)
    assert is_known(nonces, "host-1", "0-0")
    nonces = remember({"host-1": full}, "host-1", "one more", bots=bots)
    assert not is_known(nonces, "host-1", "0-0")
    assert is_known(nonces, "host-1", "1-0")
    assert is_known(nonces, "host-1", "one more")
    assert not is_known(nonces, "host-2", "one more")


def test_what_is_said_again_is_remembered_from_then_on() -> None:
    nonces = {"host-1": (dict.fromkeys(["old", "other"]), dict.fromkeys(["new"]))}
    again = remember(nonces, "host-1", "old", bots=1)["host-1"]
    assert [list(page) for page in again] == [["old", "other"], ["new", "old"]]
    assert remember({"host-1": again}, "host-1", "new", bots=1)["host-1"] == again


def said(bot: str, epoch: int) -> list[Input]:
    about = {"author": "host-1", "bot": bot, "seat": 1, "epoch": epoch, "grant": "0" * 64}
    return [
        Joined(author="host-1", nonce=f"j{epoch}{bot}", bot=bot),
        Waiting.model_validate({**about, "nonce": f"w{epoch}{bot}", "need_ms": 9, "ahead": 1}),
        Failed.model_validate(
            {
                **about,
                "nonce": f"f{epoch}{bot}",
                "reason": "timeout",
                "detail": "",
                "call_sha256": "0" * 64,
            }
        ),
        Left(author="host-1", nonce=f"l{epoch}{bot}", bot=bot, seat=epoch),
    ]


def test_a_host_has_at_most_four_inputs_of_a_bot_outstanding_whatever_becomes_of_them() -> None:
    streams = fake_streams()
    outbox = Outbox(streams)
    for epoch in range(1, 6):
        for bot in ("ada", "bo"):
            for given in said(bot, epoch):
                outbox.send("tea-1", given)
    assert len(outbox) == 8
    before = streams.count(keys.floor("tea-1"))
    outbox.resend()
    again = [entry.body for entry in streams.all(keys.floor("tea-1"))][before:]
    assert [body for body in again if '"j5ada"' in body]
    assert not [body for body in again if '"j4ada"' in body]
    outbox.acknowledge(("j5ada", "unknown"))
    outbox.drop_answers("tea-1", "ada", upto=4)
    assert len(outbox) == 7
    outbox.drop_answers("tea-1", "ada", upto=5)
    assert len(outbox) == 5


def test_an_answer_that_comes_late_does_not_take_the_place_of_the_one_after_it() -> None:
    streams = fake_streams()
    outbox = Outbox(streams)
    newer, older = said("ada", 2)[2], said("ada", 1)[2]
    outbox.send("tea-1", newer)
    outbox.send("tea-1", older)
    outbox.resend()
    bodies = [entry.body for entry in streams.all(keys.floor("tea-1"))]
    assert ['"f2ada"' in body for body in bodies] == [True, False, True]


def test_a_host_asks_for_more_time_once_until_it_is_told_whether_it_has_it() -> None:
    streams = fake_streams()
    outbox = Outbox(streams)
    first, second = (
        one.model_copy(update={"nonce": f"w{n}"}) for n, one in enumerate([said("ada", 1)[1]] * 2)
    )
    outbox.send("tea-1", first)
    outbox.send("tea-1", second)
    assert streams.count(keys.floor("tea-1")) == 1
    outbox.acknowledge((first.nonce,))
    outbox.send("tea-1", second)
    assert streams.count(keys.floor("tea-1")) == 2


def test_a_host_that_is_seated_anew_asks_again_for_the_same_grant() -> None:
    """Nobody told it what became of what it asked from its old seat."""
    streams = fake_streams()
    outbox = Outbox(streams)
    first = said("ada", 1)[1]
    outbox.send("tea-1", first)
    outbox.send("tea-1", first.model_copy(update={"nonce": "w2", "seat": 2}))
    assert streams.count(keys.floor("tea-1")) == 2


@pytest.mark.parametrize("is_held", [True, False])
def test_the_record_of_a_late_answer_is_kept_while_nothing_can_be_sent(is_held: bool) -> None:
    streams = Gone()
    outbox = Outbox(streams)
    if is_held:
        outbox.hold()
    else:
        streams.is_gone = True
    outbox.send("tea-1", said("ada", 2)[2], "newer")
    outbox.send("tea-1", said("ada", 1)[2], "older")
    streams.is_gone = False
    outbox.resend()
    calls = [entry.body for entry in streams.all(keys.calls("tea-1"))]
    assert sorted(calls) == ["newer", "older"]


class Gone(FakeStreams):
    """A connection to a server that is gone now and then."""

    is_gone = False

    def __init__(self) -> None:
        super().__init__(fakeredis.FakeServer())

    def append_all(self, entries: Sequence[tuple[str, str]]) -> list[str]:
        if self.is_gone:
            raise ServerGone("cut")
        return super().append_all(entries)
