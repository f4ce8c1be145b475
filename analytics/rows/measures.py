"""measures.csv: one value that was measured while the run went on."""

from __future__ import annotations

from analytics.columns import Row, decimal, integer, text
from analytics.fold import Fold
from analytics.places import Place
from utils.protocol import Measured

COLUMNS = (
    integer("seq", "The commit that says so.", "Commit.seq"),
    integer("place", "Its place among that commit's events, from 0.", "Commit.events"),
    integer("at_ms", "When it was measured, since 1970.", "Commit.at_ms", unit="ms"),
    integer("run_ms", "When it was measured, in run time.", "Commit.at_ms", unit="ms"),
    integer(
        "world_ms", "The world's time then; 0 until it is first woken.", "Woke.world_ms", unit="ms"
    ),
    text(
        "name",
        "What was measured: of any talk, docs/live-measures.md, or in the world's own word.",
        "Measured.name",
    ),
    text(
        "scope",
        "Of what: `run`, `channel`, `bot`, or `member`: a bot in a channel.",
        "Measured.channel, Measured.bot",
    ),
    text("channel", "Of which channel, if of one.", "Measured.channel"),
    text("bot", "Of which bot, if of one.", "Measured.bot"),
    integer(
        "turn",
        "The last turn that had closed in that channel; empty where it is of no channel, or of "
        "one that is not open.",
        "TurnClosed.turn",
    ),
    integer("turns", "Turns closed by then, in all channels.", "TurnClosed", unit="turns"),
    decimal("value", "The value; its unit is the measure's own.", "Measured.value", unit="its own"),
)


def row(fold: Fold, event: Measured, place: Place) -> Row:
    """Write a measured value as a row.

    Args:
        fold: The run before this event.
    """
    return {
        "seq": place.seq,
        "place": place.index,
        "at_ms": place.at_ms,
        "run_ms": place.run_ms,
        "world_ms": fold.world_ms,
        "name": event.name,
        "scope": _scope(event),
        "channel": event.channel,
        "bot": event.bot,
        "turn": fold.rooms.closed_turn(event.channel),
        "turns": fold.totals.turns.total(),
        "value": event.value,
    }


def _scope(event: Measured) -> str:
    if event.channel is None:
        return "run" if event.bot is None else "bot"
    return "channel" if event.bot is None else "member"
