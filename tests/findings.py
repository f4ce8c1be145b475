"""What is wrong with a run's record, in words: nothing, whatever was killed on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from bots.replay import prompts_again
from orchestrator.plugins import rules_for
from orchestrator.replay import decisions_again
from orchestrator.rules import HASHED_EVERY
from tests.swarm import happened
from utils import keys
from utils.callfile import read_call
from utils.calls import CallRecord
from utils.journal import Sealed, chain, parse, sha256_of
from utils.mail import ChannelEntry
from utils.protocol import Failed, Heard, Proposed
from utils.spec import Spec
from utils.streams import Entry, Streams, order_of

LATE_MS = 10_000
"""What is on the floor is read long before it is so old."""


class Record(NamedTuple):
    """All that a run left behind.

    Attributes:
        spec: Its scenario.
        journal: Its commits, the chain checked.
        told: What the channels' own streams let be heard.
        calls: What the minds were asked.
        first: The first commit that the server itself holds: what was heard before it may
            have been taken from the channels.
        floor: What the server itself holds of what was said to the run.
    """

    spec: Spec
    journal: list[Sealed]
    told: list[Heard]
    calls: list[CallRecord]
    first: int = 1
    floor: tuple[Entry, ...] = ()


def record_of(streams: Streams, run: str) -> Record:
    """Read a run's record, its beginning from where `streams` has beginnings."""
    journal = list(chain(streams.journal(run)))
    told = [
        event
        for opened in happened(journal, "channel_opened")
        for entry in streams.all(keys.channel(run, opened.channel))
        for event in ChannelEntry.model_validate_json(entry.body).events
        if isinstance(event, Heard)
    ]
    calls = [CallRecord.model_validate_json(one.body) for one in streams.all(keys.calls(run))]
    spec = Spec.read(run, streams.spec(run))
    first, floor = held(streams, keys.journal(run)), held(streams, keys.floor(run))
    return Record(spec, journal, told, calls, order_of(first[0].id)[0] if first else 1, floor)


def held(streams: Streams, key: str) -> tuple[Entry, ...]:
    """Read what the server itself holds of a stream."""
    beginnings, streams.beginnings = streams.beginnings, None
    try:
        return tuple(streams.all(key))
    finally:
        streams.beginnings = beginnings


def found(record: Record, *, turns: int, is_cut: bool = False) -> list[str]:
    """List what is wrong with a record of which every turn should have been taken.

    Args:
        turns: How many were asked for, in all channels.
        is_cut: Whether a server was gone for a while: a host says again then what may not
            have arrived, and the same record of a call is there twice.
    """
    return [
        *_double_words(record),
        *_lost_words(record),
        *_lost_turns(record, turns),
        *_epochs(record),
        *_recalled_twice(record),
        *_calls(record, is_cut=is_cut),
        *_inputs(record),
    ]


def found_again(record: Record, *, hashed_every: int = HASHED_EVERY) -> list[str]:
    """Decide every commit again, and build every prompt; list what does not follow.

    Args:
        hashed_every: As the run's leaders had it.
    """
    calls = [
        read_call(f"{number}-0", call.model_dump_json())
        for number, call in enumerate(record.calls, start=1)
    ]
    rules = replace(rules_for(record.spec), hashed_every=hashed_every)
    return [
        *map(str, decisions_again(record.spec, record.journal, rules=rules)),
        *map(str, prompts_again(record.spec, record.journal, calls)),
    ]


def _double_words(record: Record) -> Iterator[str]:
    """A bot has one word a turn, and a reader of the channel hears it once."""
    words = Counter((one.channel, one.turn, one.speaker) for one in record.told if one.speaker)
    for (channel, turn, speaker), times in words.items():
        if times > 1:
            yield f"{channel} turn {turn}: {speaker} is heard {times} times"
    for message_id, times in Counter(one.message_id for one in record.told).items():
        if times > 1:
            yield f"message {message_id} is in its channel {times} times"


def _lost_words(record: Record) -> Iterator[str]:
    """What was said is heard, and what the journal lets be heard is in the channel."""
    heard = happened(record.journal, "heard")
    held = {one.message_id: one for one in heard}
    told = {one.message_id: one for one in record.told}
    old = {one.message_id for one in happened(record.journal[: record.first - 1], "heard")}
    if held.keys() - told.keys() - old or any(held.get(one) != told[one] for one in told):
        yield "the channels and the journal do not let the same be heard"
    spoken = {one.epoch for one in heard}
    for acted in happened(record.journal, "acted"):
        if acted.action.kind == "say" and acted.epoch not in spoken:
            yield f"{acted.channel} turn {acted.turn}: nobody hears what {acted.bot} said"


def _lost_turns(record: Record, turns: int) -> Iterator[str]:
    """Every channel's turns are closed once, one after another, and somebody took each."""
    closed = happened(record.journal, "turn_closed")
    for one in closed:
        if one.outcome == "given_up":
            yield f"{one.channel} turn {one.turn}: nobody took it"
    for (channel, turn), times in Counter((one.channel, one.turn) for one in closed).items():
        if times > 1:
            yield f"{channel} turn {turn}: it is closed {times} times"
    last = {
        one.channel: max(at.turn for at in closed if at.channel == one.channel) for one in closed
    }
    for channel, turn in last.items():
        known = {one.turn for one in closed if one.channel == channel}
        yield from (
            f"{channel} turn {number}: it is never closed"
            for number in range(1, turn)
            if number not in known
        )
    if len({(one.channel, one.turn) for one in closed}) != turns:
        yield f"{len(closed)} turns are closed, {turns} were asked for"


def _epochs(record: Record) -> Iterator[str]:
    """Every grant is closed once, and nothing is closed that was not granted."""
    granted = Counter(one.epoch for one in happened(record.journal, "granted"))
    closings = happened(record.journal, "acted", "passed", "revoked")
    closed = Counter(one.epoch for one in closings)
    for epoch in sorted(granted | closed):
        if granted[epoch] != 1:
            yield f"epoch {epoch}: it is granted {granted[epoch]} times"
        if closed[epoch] != 1:
            yield f"epoch {epoch}: it is closed {closed[epoch]} times"


def _recalled_twice(record: Record) -> Iterator[str]:
    """No prompt holds the same message twice: no bot heard it twice."""
    for call in record.calls:
        seen = Counter(one.item for one in call.exposures if one.seen and one.kind == "message")
        for message_id, times in seen.items():
            if times > 1:
                yield f"epoch {call.epoch}: {call.bot} recalls message {message_id} {times} times"


def _calls(record: Record, *, is_cut: bool) -> Iterator[str]:
    """Every answer that was taken has its call's record; a host has one of an attempt."""
    written = Counter(sha256_of(call.model_dump_json()) for call in record.calls)
    for event in happened(record.journal, "acted", "passed"):
        if event.call_sha256 not in written:
            yield f"epoch {event.epoch}: there is no record of {event.bot}'s call"
        elif written[event.call_sha256] > 1 and not is_cut:
            times = written[event.call_sha256]
            yield f"epoch {event.epoch}: the record of {event.bot}'s call is there {times} times"
    attempts = Counter(
        (one.epoch, one.host, one.seat, one.attempt)
        for one in {sha256_of(call.model_dump_json()): call for call in record.calls}.values()
    )
    for (epoch, host, _, attempt), times in attempts.items():
        if times > 1:
            yield f"epoch {epoch}: {host} has {times} records of attempt {attempt}"


def _inputs(record: Record) -> Iterator[str]:
    """What was said while the run went on is consumed once, and is done once."""
    inputs = [one for sealed in record.journal for one in sealed.commit.inputs]
    consumed = Counter(one.id for one in inputs)
    yield from (f"input {one} is consumed {n} times" for one, n in consumed.items() if n > 1)
    last = record.journal[-1].commit
    for entry in record.floor:
        place = order_of(entry.id)
        is_passed = place <= order_of(last.cursor) or place[0] + LATE_MS < last.at_ms
        if is_passed and entry.id not in consumed:
            yield f"input {entry.id} is on the floor, and nobody consumed it"
    rejected = {event.input_id for event in happened(record.journal, "rejected")}
    done = Counter((one.author, one.nonce) for one in inputs if one.id not in rejected)
    yield from (
        f"{author}'s {nonce} is done {n} times" for (author, nonce), n in done.items() if n > 1
    )
    nonces: dict[tuple[str, int, int], set[str]] = {}
    for answer in map(parse, inputs):
        if isinstance(answer, Proposed | Failed):
            said = nonces.setdefault((answer.author, answer.seat, answer.epoch), set())
            said.add(answer.nonce)
    for (author, _, epoch), said in nonces.items():
        if len(said) > 1:
            yield f"epoch {epoch}: {author} answers {len(said)} times, each as something new"
