"""Turns: opened by policy, closed when every grant of theirs is closed."""

from __future__ import annotations

from orchestrator.draft import Draft
from orchestrator.policies.seam import FloorView
from orchestrator.state import Floor, Grant, Seat
from orchestrator.world import tell_world
from utils.protocol import Acted, Granted, Passed, Revoked, TurnClosed
from utils.seeds import model_seed
from worlds.seam import Answer, Answered


def open_turns(draft: Draft) -> None:
    """Grant the next turn of every channel that has none open, as far as the run allows."""
    for channel in _in_turn(draft):
        floor = draft.state.floors.get(channel)
        if draft.state.phase != "running" or draft.state.is_paused:
            return
        if floor is not None and floor.asked > 1:
            _go_on(draft, floor)
            floor = draft.state.floors.get(channel)
        if floor is not None and floor.asked <= 1 and not floor.live and not floor.is_done:
            _open_turn(draft, floor)


def _in_turn(draft: Draft) -> list[str]:
    """List the channels as they were opened; while steps are counted, the last ones first.

    Before all others those in which somebody is to be asked again after a fork: a bot
    that held the floor of one may be wanted in another.
    """
    floors = draft.state.floors
    channels = sorted(floors, key=lambda one: floors[one].turn) if draft.state.steps else floors
    return sorted(channels, key=lambda one: not floors[one].again)


def _go_on(draft: Draft, floor: Floor) -> None:
    """Grant again what was revoked in a round; close the round when nobody is waited for."""
    wanting = _wanting(draft, floor)
    busy = {grant.event.bot for grant in draft.state.live()} if wanting else ()
    for bot in wanting:
        if bot not in busy:
            _grant(draft, floor, bot, tries=floor.revoked.count(bot), asked=floor.asked)
    if not floor.live and not wanting:
        _close_turn(draft, floor)


def _wanting(draft: Draft, floor: Floor) -> list[str]:
    """List the bots of a round whose grant was taken back and is to be made again.

    Not only the one whose was revoked just now: in a pause nothing is granted, and a bot
    that was muted or absent may be back before the round is over.
    """
    if not floor.revoked and not floor.again:
        return []
    answered = {answer.bot for answer in floor.answers}
    done = {*answered, *draft.state.muted, *(grant.event.bot for grant in floor.live)}
    return [
        bot
        for bot in dict.fromkeys((*floor.again, *floor.revoked))
        if bot in floor.members
        and bot not in done
        and floor.revoked.count(bot) < draft.rules.spec.floor.tries
        and not _is_absent(draft, bot)
    ]


def close_grant(draft: Draft, grant: Grant, closing: Acted | Passed | Revoked) -> None:
    """Close a live grant, and the turn too if it was the last thing the turn waited for.

    A revoked grant of a turn that asks several is made again at once, or after the
    pause; of a turn that asks one, `open_turns` makes the next, by policy.
    """
    draft.emit(closing)
    floor = draft.floor(grant.event.channel)
    tries = draft.rules.spec.floor.tries
    if floor.asked > 1:
        if not (draft.state.is_paused and _wanting(draft, floor)):
            _go_on(draft, floor)
        return
    if isinstance(closing, Revoked) and _is_out_of_reach(draft, floor):
        tries = 1
    if not floor.live and (floor.answers or len(floor.revoked) >= tries):
        _close_turn(draft, floor)


def _open_turn(draft: Draft, floor: Floor) -> None:
    if _turns_spoken_for(draft) >= (draft.rules.spec.end.turns or float("inf")):
        return
    if draft.state.steps and not floor.asked and _turns_open(draft) >= draft.state.steps:
        return
    view = _view(draft, floor)
    if not view.eligible:
        return
    policy = draft.rules.policies[floor.policy]
    chosen = policy.choose(view, draft.rules.chance)
    if not set(chosen) <= set(view.eligible):
        raise ValueError(f"the policy '{floor.policy}' chose {chosen}, who may not be chosen")
    busy = {grant.event.bot for grant in draft.state.live()}
    if busy.isdisjoint(chosen):
        for bot in chosen:
            _grant(draft, floor, bot, tries=len(floor.revoked), asked=len(chosen))


def _turns_spoken_for(draft: Draft) -> int:
    """Count the turns closed or under way, so that a run does not overshoot its end."""
    return draft.state.turns + sum(1 for floor in draft.state.floors.values() if floor.live)


def _turns_open(draft: Draft) -> int:
    return sum(1 for floor in draft.state.floors.values() if floor.asked)


def _view(draft: Draft, floor: Floor) -> FloorView:
    wanted, is_named = _wanted(draft, floor)
    present = tuple(bot for bot in wanted if not _is_absent(draft, bot))
    if is_named and not present:
        present = wanted  # the world waits for just these: they are given up in time
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


def _wanted(draft: Draft, floor: Floor) -> tuple[tuple[str, ...], bool]:
    """List whom the next turn may be granted to, and whether the world named them."""
    named = draft.rules.world.asked(draft.state.world, floor.channel)
    muted = draft.state.muted
    wanted = tuple(
        bot for bot in floor.members if (named is None or bot in named) and bot not in muted
    )
    return wanted, named is not None


def _is_absent(draft: Draft, bot: str) -> bool:
    return draft.state.seats.get(bot, Seat()).absent


def _is_out_of_reach(draft: Draft, floor: Floor) -> bool:
    """Tell whether nobody whom the world waits for is served by any host."""
    wanted, is_named = _wanted(draft, floor)
    return is_named and all(_is_absent(draft, bot) for bot in wanted)


def _grant(draft: Draft, floor: Floor, bot: str, *, tries: int, asked: int) -> None:
    rules, state = draft.rules, draft.state
    allow_ms = rules.spec.floor.allow_ms
    is_round = rules.policies[floor.policy].is_round
    turn = floor.turn
    draft.emit(
        Granted(
            channel=floor.channel,
            turn=turn,
            round=turn if is_round else (turn - 1) // len(floor.members) + 1,
            tries=tries,
            asked=asked,
            bot=bot,
            epoch=state.epochs + 1,
            allow_ms=allow_ms,
            deadline_ms=draft.at_ms + allow_ms,
            due_ms=rules.world.due_ms(state.world, bot, floor.channel),
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
    tell_world(draft, Answered(floor.channel, floor.turn, floor.round, answers))
