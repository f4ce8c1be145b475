"""messages.csv: one thing heard."""

from __future__ import annotations

from analytics.columns import Row, integer, text
from analytics.fold import Fold
from analytics.places import Place
from utils.protocol import Heard

COLUMNS = (
    text("message_id", "The message: `<seq>.<place>`. Read it as text.", "Heard.message_id"),
    integer("seq", "The commit in which it was heard.", "Commit.seq"),
    integer("place", "Its place among that commit's events, from 0.", "Commit.events"),
    integer("at_ms", "When it was heard, since 1970.", "Commit.at_ms", unit="ms"),
    integer("run_ms", "When it was heard, in run time.", "Commit.at_ms", unit="ms"),
    text("channel", "Where it was heard.", "Heard.channel"),
    integer("turn", "The channel's turn; 0 before the first.", "Heard.turn"),
    integer("round", "The channel's round; 0 before the first.", "Heard.round"),
    text(
        "speaker",
        "The bot that said it; empty for words from outside: the world's, or a person's.",
        "Heard.speaker",
    ),
    text("persona", "The speaker's persona.", "Spec.bots"),
    text("mind", "The kind of mind that speaks for it.", "Spec.models"),
    text("model", "The model its mind asks; empty where it asks none.", "Spec.models"),
    text(
        "audience",
        "`all`, every member of the channel at that moment, or the bots that heard it, "
        "the speaker among them, with a blank between.",
        "Heard.audience",
    ),
    text("addressee", "The bot it names as addressed, if any.", "Heard.addressee"),
    text("text", "What was said.", "Heard.text"),
    integer("epoch", "The grant it was said under: see `turns`.", "Heard.epoch"),
    integer(
        "latency_ms",
        "From that grant to the action that closed it; the wait of a sealed round is not in it.",
        "Granted, Acted, Commit.at_ms",
        unit="ms",
    ),
    text("call_sha256", "The call it came from: see `calls`.", "Heard.call_sha256"),
    text(
        "author",
        "Who wrote it to the floor: the host that proposed it, or the person that said it from "
        "outside; empty for the world's own words, such as an opening.",
        "Seated.host, Intervened.author",
    ),
)


def row(fold: Fold, heard: Heard, place: Place) -> Row:
    """Write what was heard as a row.

    Args:
        fold: The run before this event.
    """
    said = None if heard.epoch is None else fold.unheard.get(heard.epoch)
    bot = fold.bots.get(heard.speaker) if heard.speaker else None
    model = fold.model(heard.speaker)
    return {
        "message_id": heard.message_id,
        "seq": place.seq,
        "place": place.index,
        "at_ms": place.at_ms,
        "run_ms": place.run_ms,
        "channel": heard.channel,
        "turn": heard.turn,
        "round": heard.round,
        "speaker": heard.speaker,
        "persona": bot.persona.name if bot else None,
        "mind": model.mind if model else None,
        "model": model.model if model else None,
        "audience": heard.audience if heard.audience == "all" else " ".join(heard.audience),
        "addressee": heard.addressee,
        "text": heard.text,
        "epoch": heard.epoch,
        "latency_ms": said.latency_ms if said else None,
        "call_sha256": heard.call_sha256,
        "author": said.host if said else fold.outsider(heard, place),
    }
