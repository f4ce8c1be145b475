"""actions.csv: one thing done that is not speech, by a bot or by the world in its stead."""

from __future__ import annotations

from pydantic import JsonValue

from analytics.cells import json_text
from analytics.columns import Row, as_json, boolean, integer, text
from analytics.fold import Fold
from analytics.places import Place
from utils.protocol import Act, Acted, FellBack, Say

COLUMNS = (
    integer("seq", "The commit in which it was done.", "Commit.seq"),
    integer("place", "Its place among that commit's events, from 0.", "Commit.events"),
    integer("at_ms", "When it was done, since 1970.", "Commit.at_ms", unit="ms"),
    integer("run_ms", "When it was done, in run time.", "Commit.at_ms", unit="ms"),
    integer(
        "world_ms", "The world's time then; 0 until it is first woken.", "Woke.world_ms", unit="ms"
    ),
    text("channel", "Where it was asked for.", "Acted.channel, FellBack.channel"),
    integer("turn", "The channel's turn.", "Acted.turn, FellBack.turn"),
    integer("round", "The channel's round.", "Granted.round"),
    text("bot", "Who did it, or for whom it was done.", "Acted.bot, FellBack.bot"),
    text("persona", "Its persona.", "Spec.bots"),
    text("mind", "The kind of mind that answers for it.", "Spec.models"),
    text("model", "The model its mind asks; empty where it asks none.", "Spec.models"),
    integer("epoch", "The grant it answers: see `turns`.", "Acted.epoch, FellBack.epoch"),
    text("ask", "What was asked: `say`, or the name of an action.", "Granted.ask"),
    text("action", "What was done: its name.", "Acted.action, FellBack.action"),
    as_json(
        "args",
        "With what: its arguments; of speech in a bot's stead its text. What the world made of "
        "it is in the world's own events, later in the same commit or after: `world_events`.",
        "Acted.action, FellBack.action",
    ),
    boolean(
        "fell_back",
        "True where the world did it in the bot's stead, because no answer had come when it was "
        "due. The bot's own answer, where it comes later, is another row of the same `epoch`.",
        "FellBack",
    ),
    integer("due_ms", "The world's time at which it was due.", "Granted.due_ms", unit="ms"),
    boolean(
        "late",
        "Whether the bot did it when the world's time had passed `due_ms`; empty where nothing "
        "was due, and where the world did it.",
        "Granted.due_ms, Woke.world_ms",
    ),
    integer("latency_ms", "From the grant until then.", "Granted, Commit.at_ms", unit="ms"),
    text("call_sha256", "The call it came from: see `calls`.", "Acted.call_sha256"),
)


def row(fold: Fold, event: Acted | FellBack, place: Place) -> Row:
    """Write what was done as a row.

    Args:
        fold: The run before this event.

    Raises:
        BadEntry: The journal names a grant that is not live.
    """
    held = fold.held(event, place)
    granted, bot, model = held.event, fold.bots.get(event.bot), fold.model(event.bot)
    name, args = _done(event)
    return {
        "seq": place.seq,
        "place": place.index,
        "at_ms": place.at_ms,
        "run_ms": place.run_ms,
        "world_ms": fold.world_ms,
        "channel": event.channel,
        "turn": event.turn,
        "round": granted.round,
        "bot": event.bot,
        "persona": bot.persona.name if bot else None,
        "mind": model.mind if model else None,
        "model": model.model if model else None,
        "epoch": event.epoch,
        "ask": granted.ask.name if granted.ask.kind == "act" else granted.ask.kind,
        "action": name,
        "args": None if args is None else json_text(args),
        "fell_back": isinstance(event, FellBack),
        "due_ms": granted.due_ms,
        "late": fold.is_late(granted) if isinstance(event, Acted) else None,
        "latency_ms": held.latency_ms,
        "call_sha256": event.call_sha256 if isinstance(event, Acted) else None,
    }


def _done(event: Acted | FellBack) -> tuple[str, JsonValue]:
    action = event.action
    if isinstance(action, Act):
        return action.name, action.args
    return action.kind, action.text if isinstance(action, Say) else None
