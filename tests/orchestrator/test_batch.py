"""Which floor entries go into the next commit, and what becomes of the worst of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.batch import MAX_BATCH_CHARS, before_deadline, entry_ms
from tests.court import T0, Court
from tests.scenes import spec_of
from utils.errors import BadEntry
from utils.journal import (
    MAX_COMMIT_BYTES,
    MAX_INPUTS,
    MAX_WHOLE_BYTES,
    Consumed,
    Garbage,
    parse,
)
from utils.protocol import MAX_INPUT_BYTES, MAX_TEXT_CHARS
from utils.spec import ChannelSpec


def inputs(*times_ms: int, raw: str = "") -> list[Consumed]:
    return [Consumed(id=f"{at_ms}-{number}", raw=raw) for number, at_ms in enumerate(times_ms)]


def test_the_time_of_an_input_is_in_its_id() -> None:
    assert entry_ms("1700000000123-4") == 1_700_000_000_123
    assert entry_ms("0-1") == 0


def test_without_a_deadline_all_go_in_up_to_the_most() -> None:
    waiting = inputs(*range(250))
    assert before_deadline(waiting, None) == tuple(waiting[:MAX_INPUTS])
    assert before_deadline(waiting, None, most=3) == tuple(waiting[:3])
    assert before_deadline([], None) == ()


def test_what_came_after_the_deadline_waits_and_what_came_with_it_does_not() -> None:
    waiting = inputs(1, 5, 5, 6, 4)
    assert before_deadline(waiting, 5) == tuple(waiting[:3])
    assert before_deadline(waiting, 0) == ()


def test_a_batch_is_bounded_in_characters_but_one_input_always_goes() -> None:
    waiting = inputs(1, 2, 3, raw="x" * (MAX_BATCH_CHARS // 2))
    assert before_deadline(waiting, None) == tuple(waiting[:2])
    (alone,) = inputs(1, raw="x" * (MAX_BATCH_CHARS + 1))
    assert before_deadline([alone], None) == (alone,)


@given(st.lists(st.integers(0, 50), max_size=30).map(sorted), st.integers(0, 50))
def test_batches_put_together_are_the_floor_in_its_order(times_ms: list[int], due_ms: int) -> None:
    left = inputs(*times_ms)
    taken: list[Consumed] = []
    while batch := before_deadline(left, due_ms, most=4):
        taken += batch
        left = left[len(batch) :]
    assert taken + left == inputs(*times_ms)
    assert all(entry_ms(one.id) <= due_ms for one in taken)
    assert all(entry_ms(one.id) > due_ms for one in left[:1])


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"\xff" * 1_000_000, f"over {MAX_INPUT_BYTES} bytes"),
        ("x" * 1_000_000, f"over {MAX_INPUT_BYTES} bytes"),
        ("\U0001f600" * 40_000, f"over {MAX_INPUT_BYTES} bytes"),
        ("\x00" * 1_000, "not a JSON object"),
        ("[" * 100_000, "not a JSON object"),
        ('"\\ud800"', "not a JSON object"),
        ("{}", "field kind"),
        ('{"kind": "stop", "author": "p", "nonce": "n", "\\u0000": 1}', "field stop."),
        ('{"kind": "stop", "author": "p", "nonce": "n", "why": "\\u0000"}', "field stop.why"),
        ('{"kind": "stop", "author": "p", "nonce": ""}', "field stop.nonce"),
        ('{"kind": "joined", "author": "h", "nonce": "n", "bot": "../ada"}', "field joined.bot"),
    ],
)
def test_garbage_is_rejected_with_its_reason_and_the_run_goes_on(
    body: str | bytes, why: str
) -> None:
    court = Court().begin()
    court.arrive(body)
    court.arrive(court.answer())
    court.consume()
    (rejected,) = court.events("rejected")
    assert (rejected.why, rejected.detail) == ("garbage", why)
    assert court.events("acted")[0].bot == "ada"
    (kept,) = (one for one in court.journal[-1].commit.inputs if one.id == rejected.input_id)
    assert parse(kept) == Garbage(why)


def test_an_entry_with_the_wrong_fields_is_rejected_too() -> None:
    court = Court().begin()
    court.arrive("x", field="body")
    court.consume()
    assert court.events("rejected")[0].detail == "fields are not b alone: body"


@pytest.mark.parametrize(
    "text", ["x" * MAX_INPUT_BYTES, "\x00" * MAX_INPUT_BYTES, "\U0001f600" * (MAX_INPUT_BYTES // 4)]
)
def test_no_commit_is_over_its_bound_and_every_input_is_in_one_whole(text: str) -> None:
    court = Court().begin()
    ids = [court.arrive(text, at_ms=T0 + number) for number in range(30)]
    court.consume()
    bodies = [sealed.body.encode() for sealed in court.journal]
    assert max(len(body) for body in bodies) <= MAX_COMMIT_BYTES
    consumed = [one for sealed in court.journal[2:] for one in sealed.commit.inputs]
    assert [one.id for one in consumed] == ids
    assert all(one.raw == text for one in consumed)
    assert [one.input_id for one in court.events("rejected")] == ids


def test_a_round_of_thousands_gathers_though_its_grants_are_over_the_bound_of_inputs() -> None:
    bots = [f"{number:04}-{'b' * 59}" for number in range(4_000)]
    main = ChannelSpec(name="main", members=tuple(bots), policy="simultaneous", turns=1)
    court = Court(spec_of(bots, channels=[main], turns=None))
    court.leader.begin(court.now_ms)
    for bot in bots:
        court.arrive({"kind": "joined", "author": "one", "bot": bot})
    court.consume()
    assert court.events("rejected") == []
    assert (court.leader.state.phase, len(court.leader.state.live())) == ("running", len(bots))
    bodies = [len(sealed.body) for sealed in court.journal]
    assert sum(size > MAX_COMMIT_BYTES for size in bodies) == 1


def test_a_run_of_which_more_would_follow_than_a_commit_may_hold_is_not_led() -> None:
    opening = "\U0001f600" * MAX_TEXT_CHARS
    some = MAX_WHOLE_BYTES // len(opening.encode()) + 1
    channels = [
        ChannelSpec(name=f"c{number}", members=("ada", "bo"), opening=opening)
        for number in range(some)
    ]
    court = Court(spec_of(("ada", "bo"), channels=channels))
    with pytest.raises(BadEntry, match="bytes would follow in one commit"):
        court.leader.begin(court.now_ms)
    assert court.journal == []
