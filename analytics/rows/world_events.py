"""world_events.csv: one event of a kind of the world's own, whatever it holds."""

from __future__ import annotations

from analytics.cells import json_text
from analytics.columns import Row, as_json, integer, text
from analytics.fold import Fold
from analytics.places import Place
from utils.protocol import OpenEvent

COLUMNS = (
    integer("seq", "The commit it is in.", "Commit.seq"),
    integer("place", "Its place among that commit's events, from 0.", "Commit.events"),
    integer("at_ms", "When it happened, since 1970.", "Commit.at_ms", unit="ms"),
    integer("run_ms", "When it happened, in run time.", "Commit.at_ms", unit="ms"),
    integer(
        "world_ms", "The world's time then; 0 until it is first woken.", "Woke.world_ms", unit="ms"
    ),
    text("kind", "Its kind, `<world>.<what>` by custom.", "OpenEvent.kind"),
    as_json("fields", "All its other fields, as one JSON object.", "OpenEvent"),
)


def row(fold: Fold, event: OpenEvent, place: Place) -> Row:
    """Write an event that only its world knows as a row.

    Args:
        fold: The run before this event.
    """
    return {
        "seq": place.seq,
        "place": place.index,
        "at_ms": place.at_ms,
        "run_ms": place.run_ms,
        "world_ms": fold.world_ms,
        "kind": event.kind,
        "fields": json_text(event.model_extra),
    }
