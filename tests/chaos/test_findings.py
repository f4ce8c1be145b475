"""What the judge of a record must find, each made from a record with nothing wrong with it."""

from __future__ import annotations

import pytest

from tests.findings import Record, found, found_again, record_of
from tests.scenes import spec_of
from tests.swarm import fake_swarm
from utils.journal import Sealed, seal
from utils.protocol import Acted
from utils.streams import Entry

TURNS = 6


@pytest.fixture(scope="module")
def record() -> Record:
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(3)
        run = swarm.seed(spec_of(turns=TURNS))
        swarm.finish(run)
        return record_of(swarm.streams, run)


def wrong(record: Record) -> list[str]:
    return found(record, turns=TURNS)


def first_answer(record: Record) -> tuple[int, Sealed, Acted]:
    """Find the first commit that takes an answer, and its place."""
    return next(
        (place, sealed, event)
        for place, sealed in enumerate(record.journal)
        for event in sealed.commit.events
        if isinstance(event, Acted)
    )


def changed(record: Record, place: int, **fields: object) -> Record:
    """Write one commit otherwise, and the hashes after it anew."""
    journal = list(record.journal[:place])
    for sealed in record.journal[place:]:
        prev = journal[-1].sha256
        update = fields if sealed.seq == place + 1 else {}
        journal.append(seal(sealed.commit.model_copy(update={"prev": prev, **update})))
    return record._replace(journal=journal)


def test_a_quiet_talk_has_nothing_wrong_with_it(record: Record) -> None:
    assert len(record.floor) > TURNS
    assert wrong(record) == []
    assert found_again(record) == []


def test_a_record_without_calls_is_found(record: Record) -> None:
    missing = wrong(record._replace(calls=[]))
    assert len(missing) == TURNS
    assert all("there is no record of" in what for what in missing)


def test_an_answer_without_its_call_is_found(record: Record) -> None:
    epoch = record.calls[2].epoch
    (missing,) = wrong(record._replace(calls=[*record.calls[:2], *record.calls[3:]]))
    assert missing == f"epoch {epoch}: there is no record of {record.calls[2].bot}'s call"


def test_calls_that_are_there_twice_are_found_unless_a_server_was_gone(record: Record) -> None:
    twice = record._replace(calls=record.calls * 2)
    assert len(wrong(twice)) == TURNS
    assert found(twice, turns=TURNS, is_cut=True) == []


def test_a_host_with_two_records_of_one_attempt_is_found(record: Record) -> None:
    first = record.calls[0]
    other = first.model_copy(update={"started_ms": first.started_ms + 1})
    two = record._replace(calls=[*record.calls, other])
    finding = f"epoch {first.epoch}: {first.host} has 2 records of attempt 1"
    assert found(two, turns=TURNS, is_cut=True) == [finding]


def test_an_input_that_nobody_consumed_while_the_run_went_on_is_found(record: Record) -> None:
    between = record.floor[2].id + "1"
    unread = Entry(record.floor[2].key, between, dict(record.floor[2].fields))
    assert wrong(record._replace(floor=(*record.floor, unread))) == [
        f"input {between} is on the floor, and nobody consumed it"
    ]


def test_an_old_input_past_the_last_cursor_is_found(record: Record) -> None:
    last = record.journal[-1].commit
    ms = int(last.cursor.partition("-")[0]) + 1
    unread = Entry(record.floor[-1].key, f"{ms}-0", dict(record.floor[-1].fields))
    late = changed(record, len(record.journal) - 1, at_ms=max(ms, last.at_ms) + 60_000)
    assert wrong(late._replace(floor=(*record.floor, unread))) == [
        f"input {ms}-0 is on the floor, and nobody consumed it"
    ]


def test_an_input_that_came_when_the_run_was_over_is_none_of_its(record: Record) -> None:
    ms = record.journal[-1].commit.at_ms + 1
    after = Entry(record.floor[-1].key, f"{ms}-0", dict(record.floor[-1].fields))
    assert wrong(record._replace(floor=(*record.floor, after))) == []


def test_an_input_that_is_consumed_twice_is_found(record: Record) -> None:
    place, sealed, _ = first_answer(record)
    (answer,) = sealed.commit.inputs
    twice = changed(record, place, inputs=(answer, answer))
    assert wrong(twice) == [
        f"input {answer.id} is consumed 2 times",
        f"{answer.author}'s {answer.nonce} is done 2 times",
    ]


def test_an_answer_that_is_said_again_as_something_new_is_found(record: Record) -> None:
    place, sealed, acted = first_answer(record)
    (answer,) = sealed.commit.inputs
    again = answer.model_copy(
        update={"id": f"{answer.id}1", "raw": answer.raw.replace(answer.nonce, "another")}
    )
    assert wrong(changed(record, place, inputs=(answer, again)))[-1:] == [
        f"epoch {acted.epoch}: {answer.author} answers 2 times, each as something new"
    ]


def test_a_decision_that_does_not_follow_is_found(record: Record) -> None:
    place, sealed, acted = first_answer(record)
    assert found_again(changed(record, place)) == []
    events = [one for one in sealed.commit.events if one is not acted]
    findings = found_again(changed(record, place, events=tuple(events)))
    assert findings[0].startswith(f"commit {sealed.seq}")


def test_a_prompt_that_is_not_what_the_bot_had_heard_is_found(record: Record) -> None:
    last = record.calls[-1]
    spoilt = last.model_copy(update={"messages": last.messages[:1]})
    assert found_again(record._replace(calls=[*record.calls[:-1], spoilt])) != []
