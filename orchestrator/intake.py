"""The door of the engine: what each input may do, and why it may not."""

from __future__ import annotations

from typing import Any

from orchestrator.console import obey
from orchestrator.draft import Draft
from orchestrator.floor import close_grant
from orchestrator.recovery import unseat
from orchestrator.refusal import Refused
from orchestrator.state import VANISHED, Grant, Seat, is_known
from orchestrator.world import revoked, tell_world
from utils.journal import Consumed, Garbage
from utils.protocol import (
    Act,
    Acted,
    AskAct,
    AskSay,
    Extended,
    Failed,
    Incident,
    Input,
    Joined,
    Left,
    Pass,
    Passed,
    Proposed,
    Rejected,
    Say,
    Seated,
    Waiting,
)
from worlds import seam

AT_ONCE = 2
"""Allowances that a waiting bot is given at most from now on, each time it says so: the
run hears of it, or goes on without it, within that."""


def take(draft: Draft, consumed: Consumed, arrived: Input | Garbage) -> None:
    """Take one input into the commit: act on it, or say why not. Always emits something."""
    try:
        if isinstance(arrived, Garbage):
            raise Refused("garbage", arrived.why)
        if is_known(draft.state.nonces, arrived.author, arrived.nonce):
            raise Refused("duplicate")
        _act(draft, arrived)
    except Refused as refused:
        draft.emit(
            Rejected.model_validate(
                {
                    "input_id": consumed.id,
                    "author": consumed.author,
                    "nonce": consumed.nonce,
                    "why": refused.why,
                    "detail": refused.detail,
                }
            )
        )


def _act(draft: Draft, arrived: Input) -> None:
    match arrived:
        case Proposed():
            _propose(draft, arrived)
        case Failed():
            grant = _holder(draft, arrived)
            closing = revoked(
                grant,
                "failed",
                detail=f"{arrived.reason}: {arrived.detail}"[:500],
                call=arrived.call_sha256,
            )
            close_grant(draft, grant, closing)
        case Waiting():
            _wait(draft, arrived)
        case Joined():
            _join(draft, arrived)
        case Left():
            _leave(draft, arrived)
        case _:
            obey(draft, arrived)


def _propose(draft: Draft, proposed: Proposed) -> None:
    grant = _holder(draft, proposed)
    action, ask = proposed.action, grant.ask
    place: dict[str, Any] = {
        "channel": grant.event.channel,
        "turn": grant.event.turn,
        "bot": proposed.bot,
        "epoch": proposed.epoch,
        "call_sha256": proposed.call_sha256,
    }
    if isinstance(action, Pass):
        close_grant(draft, grant, Passed(**place, why=action.why))
        return
    if action.kind != ask.kind:
        raise Refused("not_asked", f"asked to {ask.kind}")
    if isinstance(action, Act) and isinstance(ask, AskAct) and action.name != ask.name:
        raise Refused("not_asked", f"asked to {ask.name}")
    if isinstance(action, Say) and isinstance(ask, AskSay):
        if len(action.text) > ask.max_chars:
            raise Refused("too_long", f"{len(action.text)} of {ask.max_chars} characters")
        if not action.text.strip():
            raise Refused("not_asked", "nothing said")
    close_grant(draft, grant, Acted(**place, action=action))


def _wait(draft: Draft, waiting: Waiting) -> None:
    """Give a bot that waits for its model server more time, within two bounds.

    At most `AT_ONCE` allowances from now. And in all no more than if every bot of the run
    stood before it in the queue, and each took its whole allowance.
    """
    grant = _holder(draft, waiting)
    event = grant.event
    in_all = (AT_ONCE + len(draft.rules.spec.bots)) * event.allow_ms
    given_ms = min(waiting.need_ms, AT_ONCE * event.allow_ms)
    deadline_ms = min(draft.at_ms + given_ms, grant.granted_ms + in_all)
    if deadline_ms <= grant.deadline_ms:
        raise Refused("no_effect", f"its deadline is in {grant.deadline_ms - draft.at_ms} ms")
    draft.emit(
        Extended(
            channel=event.channel,
            turn=event.turn,
            bot=event.bot,
            epoch=event.epoch,
            allow_ms=deadline_ms - draft.at_ms,
            deadline_ms=deadline_ms,
            ahead=waiting.ahead,
        )
    )


def _holder(draft: Draft, closing: Proposed | Failed | Waiting) -> Grant:
    """Find the live grant an input is about: right epoch, hash, bot and seat."""
    if draft.state.phase in ("ended", "closed"):
        raise Refused("ended")
    grant = draft.state.grant(closing.epoch)
    if closing.epoch > draft.state.epochs or (grant and closing.grant != grant.commit_sha256):
        _miss(draft, closing)
    if grant is None:
        raise Refused("stale", f"epoch {closing.epoch} is not live")
    if closing.bot != grant.event.bot:
        raise Refused("not_the_holder", f"epoch {closing.epoch} is {grant.event.bot}'s")
    if closing.grant != grant.commit_sha256:
        raise Refused("forged", "another grant's hash")
    seat = draft.state.seats.get(closing.bot, Seat())
    if seat.host != closing.author or seat.number != closing.seat:
        raise Refused("old_seat", f"the live seat is {seat.number}")
    return grant


def _miss(draft: Draft, closing: Proposed | Failed | Waiting) -> None:
    """Say that a commit vanished of whose grant a bot's host knows: the journal has none such.

    It may be forged. So it is said once, until a grant was made since and another commit
    is missed.
    """
    detail = f"the server forgot commit {closing.grant}: an answer to a grant of it was refused"
    said_at, said = draft.state.missed
    host = draft.state.seats.get(closing.bot, Seat()).host
    if host == closing.author and draft.state.epochs > said_at and detail != said:
        draft.emit(Incident(name=VANISHED, detail=detail))


def _join(draft: Draft, joined: Joined) -> None:
    if all(bot.name != joined.bot for bot in draft.rules.spec.bots):
        raise Refused("unknown_bot", joined.bot)
    if draft.state.phase in ("ended", "closed"):
        raise Refused("ended")
    seat = draft.state.seats.get(joined.bot)
    if seat is not None and seat.host is not None:
        unseat(draft, joined.bot, seat, "replaced")
    number = draft.state.seatings + 1
    draft.emit(Seated(bot=joined.bot, seat=number, host=joined.author))
    tell_world(draft, seam.BotJoined(joined.bot))


def _leave(draft: Draft, left: Left) -> None:
    seat = draft.state.seats.get(left.bot, Seat())
    if seat.host != left.author or seat.number != left.seat:
        raise Refused("old_seat", f"the live seat is {seat.number}")
    unseat(draft, left.bot, seat, "left")
