"""exposures.csv: one item in one prompt: who saw what, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator

from analytics.columns import Row, boolean, integer, text
from utils.callfile import RecordedCall
from utils.calls import CallRecord

COLUMNS = (
    text("call_sha256", "The attempt whose prompt it is: see `calls`.", "calls.b"),
    text(
        "call_id",
        "One for all attempts at a grant by a seat. Read it as text.",
        "CallRecord.call_id",
    ),
    integer("attempt", "From 1.", "CallRecord.attempt"),
    text("bot", "Whose prompt it is.", "CallRecord.bot"),
    text("channel", "The grant's channel.", "CallRecord.channel"),
    integer("turn", "The grant's turn.", "CallRecord.turn"),
    integer("epoch", "The grant: see `turns`.", "CallRecord.epoch"),
    integer("place", "The item's place in the record, from 0.", "CallRecord.exposures"),
    text("kind", "What it is: `message`, `memory` or `fact`.", "Exposure.kind"),
    text(
        "item",
        "A message's `message_id`, else a name of the kind's own. Read it as text.",
        "Exposure.item",
    ),
    boolean("seen", "Whether it was in the prompt.", "Exposure.seen"),
    text("why", "Why it was not: `window` or `budget`; empty if it was.", "Exposure.why"),
)


def rows(call: RecordedCall, record: CallRecord) -> Iterator[Row]:
    """Write what an attempt's prompt was built from as rows."""
    for place, exposure in enumerate(record.exposures):
        yield {
            "call_sha256": call.sha256,
            "call_id": record.call_id,
            "attempt": record.attempt,
            "bot": record.bot,
            "channel": record.channel,
            "turn": record.turn,
            "epoch": record.epoch,
            "place": place,
            "kind": exposure.kind,
            "item": exposure.item,
            "seen": exposure.seen,
            "why": exposure.why,
        }
