"""incidents.csv: one thing that went wrong, and what was done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analytics.columns import Row, integer, text
from analytics.fold import Fold
from analytics.places import Place
from utils.callfile import RecordedCall
from utils.calls import CallRecord, Noticed
from utils.protocol import Closed, Ended, Event, Granted, Incident, Rejected, Revoked, TurnClosed

COLUMNS = (
    text(
        "name",
        "What: an incident's own name, `rejected_<why>` for an input, `revoked_<reason>` for a "
        "grant, `call_<outcome>` for an attempt that was not proposed, `call_<noticed>` for what "
        "was odd about an answer, `call_unreadable`, `calls_missing`.",
        "Incident.name, Rejected.why, Revoked.reason, CallRecord.outcome, CallRecord.noticed",
    ),
    integer("at_ms", "When, server time since 1970.", "Commit.at_ms, calls.id", unit="ms"),
    integer("run_ms", "When, in run time.", "Commit.at_ms, calls.id", unit="ms"),
    integer("seq", "The commit that says so, if one does.", "Commit.seq"),
    text("channel", "Where, if in one channel.", "Revoked.channel, CallRecord.channel"),
    integer("turn", "In which turn, if in one.", "Revoked.turn, CallRecord.turn"),
    text("bot", "Whose, if a bot's.", "Revoked.bot, CallRecord.bot"),
    integer("epoch", "Under which grant, if under one.", "Revoked.epoch, CallRecord.epoch"),
    text("author", "Who wrote it, if an input or a call.", "Rejected.author, CallRecord.host"),
    text(
        "entry_id",
        "The entry of the floor or of the calls. Read it as text.",
        "Rejected.input_id, calls.id",
    ),
    text("call_sha256", "The call, if there was one.", "Revoked.call_sha256, calls.b"),
    text(
        "detail",
        "What was seen.",
        "Rejected.detail, Revoked.detail, CallRecord",
    ),
    text("done", "What was done about it.", "Incident.detail, Granted, TurnClosed, Ended"),
)

TROUBLE = ("deadline", "lost", "failed")
"""Reasons to revoke that are incidents; the others are the run's own course."""

_RECORDED = "recorded; another attempt, if one was made, has the same call_id in calls"

_NAMES = tuple(column.name for column in COLUMNS)


def of_event(event: Event, place: Place, later: Sequence[Event]) -> Row | None:
    """Write an event as a row, if something went wrong.

    Args:
        later: The events after it in the same commit.
    """
    match event:
        case Incident():
            return _row(place, name=event.name, done=event.detail)
        case Rejected():
            return _row(
                place,
                name=f"rejected_{event.why}",
                author=event.author,
                entry_id=event.input_id,
                detail=event.detail,
                done="the input changed nothing",
            )
        case Revoked() if event.reason in TROUBLE:
            return _row(
                place,
                name=f"revoked_{event.reason}",
                channel=event.channel,
                turn=event.turn,
                bot=event.bot,
                epoch=event.epoch,
                call_sha256=event.call_sha256,
                detail=event.detail,
                done=_then(event, later),
            )
    return None


def of_call(fold: Fold, call: RecordedCall) -> Iterator[Row]:
    """Write an attempt as rows: one if it failed, one for each thing that was odd about it."""
    record = call.record
    when = {"at_ms": call.at_ms, "run_ms": fold.run_ms(call.at_ms), "entry_id": call.id}
    if record is None:
        yield _filled(
            when,
            name="call_unreadable",
            call_sha256=call.sha256,
            detail=call.why,
            done="kept in raw/calls.jsonl, in no other table",
        )
        return
    found: list[tuple[str, str, str]]
    found = [] if record.outcome == "answered" else [(record.outcome, record.error, _RECORDED)]
    found += [(one, *_oddity(one, record)) for one in record.noticed]
    for name, detail, done in found:
        yield _filled(
            when,
            name=f"call_{name}",
            channel=record.channel,
            turn=record.turn,
            bot=record.bot,
            epoch=record.epoch,
            author=record.host,
            call_sha256=call.sha256,
            detail=detail,
            done=done,
        )


def _oddity(noticed: Noticed, record: CallRecord) -> tuple[str, str]:
    """Tell what was odd about an answer, and what was made of it."""
    match noticed:
        case "model_changed":
            return f"now {record.model_digest}", "the answer counts; see model_digest in calls"
        case "digest_unchecked":
            detail = "the server did not say which weights had answered"
            return detail, "the answer counts; model_digest in calls is the one known before"
        case "prompt_short":
            detail = f"{record.prompt_tokens} tokens counted, {record.estimated_tokens} estimated"
            return detail, "the answer counts; the estimates learn nothing from this count"


def of_missing(fold: Fold, closed: Closed) -> Row | None:
    """Write a row if there are not as many calls as the journal counted when it closed."""
    found = fold.totals.call_entries
    if found == closed.calls:
        return None
    return _filled(
        {"at_ms": fold.last_ms, "run_ms": fold.took_ms},
        name="calls_missing",
        detail=f"the journal counts {closed.calls} calls, the stream holds {found}",
        done="exported what there is",
    )


def _then(revoked: Revoked, later: Sequence[Event]) -> str:
    """Tell what became of a turn after one of its grants was revoked."""
    for event in later:
        if isinstance(event, Ended):
            return "the run ended"
        if not isinstance(event, Granted | TurnClosed) or event.channel != revoked.channel:
            continue
        if isinstance(event, Granted) and event.turn == revoked.turn:
            return f"granted again, to {event.bot}, as epoch {event.epoch}"
        if isinstance(event, TurnClosed):
            given_up = event.outcome == "given_up"
            return "the turn was given up" if given_up else "the turn closed without it"
    return "the turn stays open"


def _row(place: Place, **cells: str | int | None) -> Row:
    return _filled({"at_ms": place.at_ms, "run_ms": place.run_ms, "seq": place.seq}, **cells)


def _filled(when: dict[str, str | int | None], **cells: str | int | None) -> Row:
    return {name: cells.get(name, when.get(name)) for name in _NAMES}
