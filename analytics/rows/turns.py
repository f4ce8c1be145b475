"""turns.csv: one grant, and how it closed."""

from __future__ import annotations

from analytics.columns import Row, integer, text
from analytics.fold import Closing, Fold
from analytics.places import Held, Place
from utils.protocol import Act, Acted, AskAct, Passed, Revoked

COLUMNS = (
    text("channel", "Where the bot was to speak.", "Granted.channel"),
    integer("turn", "The channel's turn.", "Granted.turn"),
    integer("round", "The channel's round.", "Granted.round"),
    integer("tries", "How many grants of this turn were revoked before.", "Granted.tries"),
    integer("asked", "How many bots this turn asks at once.", "Granted.asked", unit="bots"),
    text("bot", "Who held the grant.", "Granted.bot"),
    text("persona", "Its persona.", "Spec.bots"),
    text("mind", "The kind of mind that answers for it.", "Spec.models"),
    text("model", "The model its mind asks; empty where it asks none.", "Spec.models"),
    integer("seat", "Its seat when the grant closed.", "Seated.seat"),
    text("host", "The host that served it then; empty if none did.", "Seated.host"),
    integer("epoch", "The grant's number in the run, from 1.", "Granted.epoch"),
    text("ask", "What was asked: `say`, or the name of an action.", "Granted.ask"),
    integer("seed", "The seed sent to the model.", "Granted.seed"),
    integer("granted_seq", "The commit of the grant.", "Commit.seq"),
    integer("at_ms", "When it was granted, since 1970.", "Commit.at_ms", unit="ms"),
    integer("run_ms", "When it was granted, in run time.", "Commit.at_ms", unit="ms"),
    integer("allow_ms", "How long the bot might hold it.", "Granted.allow_ms", unit="ms"),
    integer("deadline_ms", "Its first deadline, since 1970.", "Granted.deadline_ms", unit="ms"),
    integer(
        "extended_to_ms",
        "Its last deadline, since 1970, where the bot waited for its model's server and was "
        "given more time; else empty.",
        "Extended.deadline_ms",
        unit="ms",
    ),
    integer("due_ms", "When the world acts in its stead, since 1970.", "Granted.due_ms", unit="ms"),
    integer("closed_seq", "The commit that closed it.", "Commit.seq"),
    integer("closed_ms", "When it closed, since 1970.", "Commit.at_ms", unit="ms"),
    integer("latency_ms", "`closed_ms` less `at_ms`.", "Commit.at_ms", unit="ms"),
    text(
        "outcome",
        "`acted`, `passed`, `revoked`, or `live`: not closed when the export was cut.",
        "Acted, Passed, Revoked",
    ),
    text("action", "What was done: `say`, or the name of an action.", "Acted.action"),
    text("reason", "Why it was revoked.", "Revoked.reason"),
    text("detail", "More about that, or why the bot passed.", "Revoked.detail, Passed.why"),
    text("call_sha256", "The call that closed it: see `calls`.", "Acted.call_sha256"),
)


def closed(fold: Fold, closing: Closing, place: Place) -> Row:
    """Write a grant that closes now as a row.

    Args:
        fold: The run before this event.

    Raises:
        BadEntry: The journal closes a grant that is not live.
    """
    held = fold.held(closing, place)
    return _granted(fold, held) | {
        "closed_seq": place.seq,
        "closed_ms": place.at_ms,
        "latency_ms": held.latency_ms,
        "outcome": closing.kind,
        "action": _action(closing),
        "reason": closing.reason if isinstance(closing, Revoked) else None,
        "detail": _detail(closing),
        "call_sha256": closing.call_sha256,
    }


def live(fold: Fold, held: Held) -> Row:
    """Write a grant that is still live where the journal was cut as a row."""
    return _granted(fold, held) | {
        "closed_seq": None,
        "closed_ms": None,
        "latency_ms": None,
        "outcome": "live",
        "action": None,
        "reason": None,
        "detail": None,
        "call_sha256": None,
    }


def _granted(fold: Fold, held: Held) -> Row:
    granted, bot, model = held.event, fold.bots.get(held.event.bot), fold.model(held.event.bot)
    seat, host = fold.seats.get(granted.bot, (None, None))
    return {
        "channel": granted.channel,
        "turn": granted.turn,
        "round": granted.round,
        "tries": granted.tries,
        "asked": granted.asked,
        "bot": granted.bot,
        "persona": bot.persona.name if bot else None,
        "mind": model.mind if model else None,
        "model": model.model if model else None,
        "seat": seat,
        "host": host,
        "epoch": granted.epoch,
        "ask": granted.ask.name if isinstance(granted.ask, AskAct) else granted.ask.kind,
        "seed": granted.seed,
        "granted_seq": held.place.seq,
        "at_ms": held.place.at_ms,
        "run_ms": held.place.run_ms,
        "allow_ms": granted.allow_ms,
        "deadline_ms": granted.deadline_ms,
        "extended_to_ms": held.extended_ms,
        "due_ms": granted.due_ms,
    }


def _action(closing: Closing) -> str | None:
    if not isinstance(closing, Acted):
        return None
    action = closing.action
    return action.name if isinstance(action, Act) else action.kind


def _detail(closing: Closing) -> str | None:
    if isinstance(closing, Passed):
        return closing.why
    return closing.detail if isinstance(closing, Revoked) else None
