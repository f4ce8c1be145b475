"""A bot that waits for its model server is given time, and not for ever."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.recovery import next_due_ms
from tests.scenes import Table, kinds, spec_of
from utils.protocol import DeadlinePassed, HostLost
from utils.spec import FloorSpec

ALLOW_MS = 10_000


@pytest.fixture
def table() -> Table:
    return Table(spec_of(floor=FloorSpec(allow_s=10, tries=1))).begin()


def due_in_ms(table: Table) -> int:
    return (next_due_ms(table.rules, table.state) or 0) - table.now_ms


def test_a_waiting_bot_has_as_long_as_it_says_it_needs(table: Table) -> None:
    table.now_ms += 9_000
    (event,) = table.wait(need_ms=12_345, ahead=3)
    assert (event.kind, event.epoch, event.ahead) == ("extended", 1, 3)
    assert event.allow_ms == 12_345
    assert event.deadline_ms == table.now_ms + 12_345
    assert due_in_ms(table) == 12_345
    table.now_ms += 12_000
    assert kinds(table.propose())[0] == "acted"


def test_it_is_given_two_allowances_from_now_at_most(table: Table) -> None:
    table.now_ms += 9_000
    table.wait(need_ms=10**9)
    assert due_in_ms(table) == 2 * ALLOW_MS


def test_it_is_given_no_more_in_all_than_if_every_bot_stood_before_it(table: Table) -> None:
    began_ms, given = table.now_ms, 0
    while table.wait(need_ms=10**9)[0].kind == "extended":
        given += 1
        table.now_ms = table.grant.deadline_ms - 1
    assert given == 3
    assert table.grant.deadline_ms == began_ms + (2 + 3) * ALLOW_MS
    table.now_ms = table.grant.deadline_ms
    (revoked, *_) = table.notice(DeadlinePassed(epoch=1))
    assert (revoked.kind, revoked.reason) == ("revoked", "deadline")


def test_a_wait_that_fits_in_the_time_there_is_changes_nothing(table: Table) -> None:
    (rejected,) = table.wait(need_ms=9_999)
    assert (rejected.kind, rejected.why) == ("rejected", "no_effect")
    assert due_in_ms(table) == ALLOW_MS


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"epoch": 9}, "stale"),
        ({"grant": "0" * 64}, "forged"),
        ({"seat": 77}, "old_seat"),
        ({"author": "host-bo"}, "old_seat"),
        ({"bot": "bo"}, "not_the_holder"),
    ],
)
def test_only_the_live_seat_of_the_live_grant_may_wait(
    table: Table, change: dict[str, Any], why: str
) -> None:
    *_, rejected = table.wait(need_ms=15_000, **change)
    assert (rejected.kind, rejected.why) == ("rejected", why)


def test_a_wait_that_is_said_twice_counts_once(table: Table) -> None:
    grant = table.grant
    table.wait(grant, need_ms=15_000, nonce="w")
    table.now_ms += 1_000
    (rejected,) = table.wait(grant, need_ms=15_000, nonce="w")
    assert rejected.why == "duplicate"


def test_whoever_waits_and_is_lost_is_given_up_at_the_deadline_it_had(table: Table) -> None:
    table.wait(need_ms=10**9)
    table.notice(HostLost(host="host-ada"))
    assert due_in_ms(table) == 2 * ALLOW_MS
    table.now_ms += 2 * ALLOW_MS
    assert table.notice(DeadlinePassed(epoch=1))[0].reason == "lost"


def test_twenty_bots_that_are_asked_at_once_and_served_one_by_one_all_answer() -> None:
    bots = [f"bot-{number:02}" for number in range(20)]
    spec = spec_of(
        bots, policy="simultaneous", turns=1, floor=FloorSpec(allow_s=10, tries=1, gather_s=1)
    )
    table = Table(spec).begin()
    for place, grant in enumerate(table.state.live()):
        for waiting in table.state.live()[1:]:
            left_ms = waiting.deadline_ms - table.now_ms
            if left_ms <= ALLOW_MS:
                assert table.wait(waiting, need_ms=(20 - place) * 9_000)[0].kind == "extended"
        table.now_ms += 9_000
        table.propose(grant)
    assert len(table.events("acted")) == 20
    assert not table.events("revoked")
    assert table.events("turn_closed")[0].answered == 20
