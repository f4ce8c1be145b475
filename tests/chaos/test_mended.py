"""What the simulation found and was mended, each as small as it gets; more of it is in
`tests/orchestrator/test_moments.py` and `tests/analytics/test_recorder_ends.py`."""

from __future__ import annotations

import pytest

from orchestrator.leader import Leader
from orchestrator.replay import decisions_again
from tests.chaos.lax import Unfenced
from tests.chaos.promises import fence
from tests.court import Court, rolled_back
from tests.scenes import Table, spec_of
from utils.errors import ServerGone


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


def test_a_leader_killed_between_mending_and_saying_so_leaves_nothing_unread() -> None:
    court = rolled_back(seconds=60)
    for _ in range(2):  # one commit each time, and the leader dies before it can say so
        court.streams.breaks = "after the commit"
        with pytest.raises(ServerGone):
            court.leader.recover(court.now_ms)
    assert len(court.journal) == court.leader.state.seq, "everything is appended again"
    assert court.events("incident") == []
    court.leader = Leader.open(court.streams, court.run)
    court.leader.begin(court.now_ms)
    court.consume()
    assert [event.name for event in court.events("incident")] == ["mended"]
    assert [event.verb for event in court.events("intervened")] == ["mark"]


def test_words_that_vanished_and_that_nobody_holds_are_owned_up_to_once() -> None:
    court = rolled_back(seconds=0)
    known = court.answer()  # a host's, to a grant that the server forgot with its commit
    court.leader = Leader.open(court.streams, court.run)
    court.leader.begin(court.now_ms)
    for nonce in ("a", "b", "c"):
        court.arrive({**known, "nonce": nonce})
        court.consume()
        if nonce == "b":
            court.talk(1)  # a grant is made since: the same commit is not missed again
    (vanished,) = court.events("incident")
    assert vanished.name == "vanished"
    assert known["grant"] in vanished.detail
    assert len(court.events("rejected")) == 3


def test_whoever_forges_grants_is_answered_with_one_incident_a_grant_at_most() -> None:
    court = Court().begin()
    for turn in range(3):
        for number in range(20):
            forged = {"epoch": 1_000 + number, "grant": f"{turn}{number:02}".rjust(64, "f")}
            court.arrive({**court.answer(), **forged, "nonce": f"f{turn}-{number}"})
        court.consume()
        court.talk(1)
    assert [event.name for event in court.events("incident")] == ["vanished"] * 3
    again = decisions_again(court.leader.rules.spec, court.journal)
    assert list(again) == []


def test_a_leader_of_a_floor_that_was_read_to_its_cursor_says_nothing() -> None:
    court = Court().begin()
    court.talk(3)
    before = len(court.journal)
    court.leader = Leader.open(court.streams, court.run)
    court.leader.begin(court.now_ms)
    assert len(court.journal) == before


def granted_anew(kind: type[Leader]) -> Court:
    """Have a grant rolled back and made anew, its first answer on the way; under this leader.

    The seeds do not draw it: whoever hears of the rollback takes another seat first.
    """
    court = Court().begin()
    court.talk(2)
    answer, epochs = court.answer(), court.leader.state.epochs
    court.forget(after=court.leader.state.seq - 1)
    court.now_ms += 5
    court.leader = kind.open(court.streams, court.run)
    court.leader.begin(court.now_ms)
    court.consume()
    assert court.leader.state.epochs == epochs, "the same grant, in another commit"
    court.arrive(answer)
    court.consume()
    return court


def test_an_answer_to_a_grant_that_was_rolled_back_and_made_anew_is_refused() -> None:
    court = granted_anew(Leader)
    assert [event.why for event in court.events("rejected")] == ["forged"]
    assert [what for what in fence(court.journal) if "another commit" in what] == []


def test_a_leader_that_takes_an_answer_to_another_grant_is_found() -> None:
    court = granted_anew(Unfenced)
    assert court.events("rejected") == []
    assert [what for what in fence(court.journal) if "another commit" in what] != []
