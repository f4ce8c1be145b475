"""Turns: opened by policy, closed when every grant of theirs is closed."""

from __future__ import annotations

from orchestrator.draft import Draft
from orchestrator.policies.seam import FloorView
from orchestrator.state import Floor, Grant, Seat
from utils.protocol import Acted, Granted, Passed, Revoked, TurnClosed
from utils.seeds import model_seed
from worlds.seam import Answer, Answered


def open_turns(draft: Draft) -> None:
    """Grant the next turn of every channel that has none open, as far as the run allows."""
    for channel in list(draft.state.floors):
        floor = draft.floor(channel)
        if draft.state.phase == "running" and not floor.live and not floor.is_done:
            _open_turn(draft, floor)


def close_grant(draft: Draft, grant: Grant, closing: Acted | Passed | Revoked) -> None:
    """Close a live grant, and the turn too if it was the last thing the turn waited for.

    A revoked grant of a turn that asks several is made again at once; of a turn that
    asks one, `open_turns` makes the next, by policy.
    """
    draft.emit(closing)
    floor = draft.floor(grant.event.channel)
    if isinstance(closing, Revoked) and closing.reason in ("ended", "channel_closed"):
        return
    tries = draft.rules.spec.floor.tries
    if isinstance(closing, Revoked) and floor.asked > 1:
        made = floor.revoked.count(grant.event.bot)
        is_absent = draft.state.seats.get(grant.event.bot, Seat()).absent
        if made < tries and not is_absent:
            _grant(draft, floor, grant.event.bot, tries=made, asked=floor.asked)
            return
    if floor.live:
        return
    if floor.asked > 1 or floor.answers or len(floor.revoked) >= tries:
        _close_turn(draft, floor)


def revoke_all(draft: Draft, reason: str, *, channel: str | None = None) -> None:
    """Revoke every live grant, of one channel or of all."""
    for grant in draft.state.live():
        if channel in (None, grant.event.channel):
            close_grant(draft, grant, revoked(grant, reason))


def revoked(grant: Grant, reason: str, *, detail: str = "", call: str | None = None) -> Revoked:
    """Make the event that closes a grant without an answer."""
    return Revoked.model_validate(
        {
            "channel": grant.event.channel,
            "turn": grant.event.turn,
            "bot": grant.event.bot,
            "epoch": grant.event.epoch,
            "call_sha256": call,
            "reason": reason,
            "detail": detail,
        }
    )


def _open_turn(draft: Draft, floor: Floor) -> None:
    if _turns_spoken_for(draft) >= (draft.rules.spec.end.turns or float("inf")):
        return
    view = _view(draft, floor)
    if not view.eligible:
        return
    chosen = draft.rules.policies[floor.policy].choose(view, draft.rules.chance)
    busy = {grant.event.bot for grant in draft.state.live()}
    if busy.isdisjoint(chosen):
        for bot in chosen:
            _grant(draft, floor, bot, tries=len(floor.revoked), asked=len(chosen))


def _turns_spoken_for(draft: Draft) -> int:
    """Count the turns closed or under way, so that a run does not overshoot its end."""
    return draft.state.turns + sum(1 for floor in draft.state.floors.values() if floor.live)


def _view(draft: Draft, floor: Floor) -> FloorView:
    seats = draft.state.seats
    present = tuple(bot for bot in floor.members if not seats.get(bot, Seat()).absent)
    untried = tuple(bot for bot in present if bot not in floor.revoked)
    return FloorView(
        channel=floor.channel,
        turn=floor.turn,
        tries=len(floor.revoked),
        members=floor.members,
        eligible=untried or present,
        last_speaker=floor.last_speaker,
        addressee=floor.addressee,
        held=floor.held,
    )


def _grant(draft: Draft, floor: Floor, bot: str, *, tries: int, asked: int) -> None:
    rules, state = draft.rules, draft.state
    allow_ms = rules.spec.floor.allow_ms
    turn = floor.turn
    draft.emit(
        Granted(
            channel=floor.channel,
            turn=turn,
            round=turn if asked > 1 else (turn - 1) // len(floor.members) + 1,
            tries=tries,
            asked=asked,
            bot=bot,
            epoch=state.epochs + 1,
            allow_ms=allow_ms,
            deadline_ms=draft.at_ms + allow_ms,
            seed=model_seed(rules.spec.seed, floor.channel, turn, bot, tries),
            ask=rules.world.ask(state.world, bot, floor.channel),
        )
    )


def _close_turn(draft: Draft, floor: Floor) -> None:
    """Close a turn, and tell the world what everybody did, in seat order."""
    order = {bot: place for place, bot in enumerate(floor.members)}
    silent = [
        Answer(bot=bot, epoch=0, action=None, call_sha256=None)
        for bot in dict.fromkeys(floor.revoked)
        if bot not in {answer.bot for answer in floor.answers}
    ]
    given = list(floor.answers) if floor.asked == 1 else [*floor.answers, *silent]
    answers = tuple(sorted(given, key=lambda answer: order.get(answer.bot, len(order))))
    acted = sum(1 for answer in answers if answer.action and answer.action.kind != "pass")
    outcome = "acted" if acted else "passed" if floor.answers else "given_up"
    round_number = floor.turn if floor.asked > 1 else (floor.turn - 1) // len(floor.members) + 1
    draft.emit(
        TurnClosed.model_validate(
            {
                "channel": floor.channel,
                "turn": floor.turn,
                "outcome": outcome,
                "answered": acted,
                "asked": floor.asked,
            }
        )
    )
    draft.tell_world(Answered(floor.channel, floor.turn, round_number, answers))
