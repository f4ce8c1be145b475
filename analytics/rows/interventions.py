"""interventions.csv: one thing that somebody outside told the run."""

from __future__ import annotations

from analytics.cells import json_text
from analytics.columns import Row, as_json, integer, text
from analytics.places import Place
from utils.protocol import Intervened

COLUMNS = (
    integer("seq", "The commit that took it in.", "Commit.seq"),
    integer(
        "place",
        "Its place among that commit's events, from 0; what it did, the events after it say.",
        "Commit.events",
    ),
    integer("at_ms", "When it was taken in, since 1970.", "Commit.at_ms", unit="ms"),
    integer("run_ms", "When it was taken in, in run time.", "Commit.at_ms", unit="ms"),
    text("author", "Who.", "Intervened.author"),
    text("verb", "What: a command of Parley's, or a verb of the world's own.", "Intervened.verb"),
    text("channel", "The channel it names, if it names one.", "Intervened.channel"),
    text("bot", "The bot it names, if it names one.", "Intervened.bot"),
    text("text", "What was said or remarked, or why.", "Intervened.text"),
    as_json("args", "What a world's own verb was given.", "Intervened.args"),
)


def row(event: Intervened, place: Place) -> Row:
    """Write what somebody told the run as a row."""
    return {
        "seq": place.seq,
        "place": place.index,
        "at_ms": place.at_ms,
        "run_ms": place.run_ms,
        "author": event.author,
        "verb": event.verb,
        "channel": event.channel,
        "bot": event.bot,
        "text": event.text,
        "args": None if event.args is None else json_text(event.args),
    }
