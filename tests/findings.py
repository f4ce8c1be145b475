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
from utils.journal import Sealed, chain
from utils.mail import ChannelEntry
from utils.protocol import Heard
from utils.spec import Spec
from utils.streams import Streams


class Record(NamedTuple):
    """All that a run left behind.

    Attributes:
        spec: Its scenario.
        journal: Its commits, the chain checked.
        told: What the channels' own streams let be heard.
        calls: What the minds were asked.
        first: The first commit that the server itself holds: what was heard before it may
            have been taken from the channels.
    """

    spec: Spec
    journal: list[Sealed]
    told: list[Heard]
    calls: list[CallRecord]
    first: int = 1


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
    return Record(spec, journal, told, calls, first=first_of(streams, run))


def first_of(streams: Streams, run: str) -> int:
    """Tell the first commit that the server itself holds."""
    begins = streams._redis.xrange(keys.journal(run), count=1)
    return int(begins[0][0].partition("-")[0]) if begins else 1


def found(record: Record, *, turns: int) -> list[str]:
    """List what is wrong with a record of which every turn should have been taken.

    Args:
        turns: How many were asked for, in all channels.
    """
    return [
        *_double_words(record),
        *_lost_words(record),
        *_lost_turns(record, turns),
        *_epochs(record),
        *_recalled_twice(record),
    ]


def found_again(record: Record, *, hashed_every: int = HASHED_EVERY) -> list[str]:
    """Decide every commit again, and build every prompt; list what does not follow.

    Args:
        hashed_every: As the run's leaders had it.
    """
    calls = [read_call("1-0", call.model_dump_json()) for call in record.calls]
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
