"""What each event does to the grid. Pure, and the only place that says so.

A step's event says who did what, and carries a seed; what the step does to everybody
alike (hunger, berries that grow again) is computed from the seed here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from utils.protocol import (
    Acted,
    ChannelOpened,
    Event,
    FellBack,
    Gathered,
    Granted,
    Heard,
    MemberJoined,
    MemberLeft,
    OpenEvent,
    Passed,
    Revoked,
    Seated,
)
from utils.seeds import Chance
from worlds.grid.intents import intent_of
from worlds.grid.settings import GridSettings
from worlds.grid.state import (
    LAND,
    Attention,
    Body,
    Exchange,
    GridState,
    Intent,
    Land,
    Words,
    bots_within,
    spot,
)

MILLIONTHS = 1_000_000
"""A chance is drawn in millionths, so that no machine's rounding decides it."""


def evolve(state: GridState, event: Event) -> GridState:
    """Take one event into the grid's state; most are nothing to it."""
    change = _CHANGES.get(type(event))
    return state if change is None else change(state, event)


def _granted(state: GridState, event: Granted) -> GridState:
    return _with(state, event.bot, asked=state.tick, is_stirred=False)


def _revoked(state: GridState, event: Revoked) -> GridState:
    """Ask again after the next step; a bot that no host serves, once it is seated.

    After a fork at once, sleepers too.
    """
    if event.reason == "forked":
        return _with(state, event.bot, is_stirred=event.bot in state.settings.sleepers)
    if event.reason == "lost":
        state = replace(state, away=(*state.away, event.bot))
    return _with(state, event.bot, is_done=True)


def _gathered(state: GridState, event: Gathered) -> GridState:
    return replace(state, away=event.absent)


def _seated(state: GridState, event: Seated) -> GridState:
    return replace(state, away=tuple(bot for bot in state.away if bot != event.bot))


def _came(state: GridState, event: ChannelOpened | MemberJoined) -> GridState:
    if event.channel != LAND:
        return state
    came = event.members if isinstance(event, ChannelOpened) else (event.bot,)
    return replace(state, listening=(*state.listening, *came))


def _left(state: GridState, event: MemberLeft) -> GridState:
    if event.channel != LAND:
        return state
    listening = tuple(bot for bot in state.listening if bot != event.bot)
    return replace(state, listening=listening)


def _with(state: GridState, bot: str, **changes: Any) -> GridState:
    """Change what a body is about; the judge has none."""
    if bot not in state.attention:
        return state
    changed = replace(state.attention[bot], **changes)
    return replace(state, attention={**state.attention, bot: changed})


def _meant(state: GridState, event: Acted | Passed | FellBack) -> GridState:
    """Keep what a bot means to do until the next step, whenever within this one it came."""
    if event.bot not in state.attention:
        return state
    if isinstance(event, Passed):
        return _with(state, event.bot, intent=Intent(do="wait"), is_done=True)
    intent = intent_of(event.action, max_chars=state.max_chars)
    if isinstance(event, FellBack):
        return _with(state, event.bot, intent=intent)
    late = state.tick - state.attention[event.bot].asked
    intent = replace(intent, late=late, epoch=event.epoch, call_sha256=event.call_sha256)
    return _with(state, event.bot, intent=intent, is_done=True)


def _heard(state: GridState, event: Heard) -> GridState:
    if event.channel != LAND or event.speaker is None:
        return state
    words, changed = Words(event.speaker, event.text), dict(state.attention)
    for bot in event.audience:
        if bot != event.speaker and bot in changed:
            stirred = bot in state.settings.sleepers
            changed[bot] = replace(changed[bot], heard=words, is_stirred=stirred)
    return replace(state, attention=changed)


def _own(state: GridState, event: OpenEvent) -> GridState:
    given = event.model_extra or {}
    match event.kind:
        case "grid.placed":
            full = state.settings.full
            bodies = {bot: Body((cell[0], cell[1]), full) for bot, cell in given["bodies"].items()}
            berries = Counter(spot((cell[0], cell[1])) for cell in given["berries"])
            return replace(state, land=Land(bodies, dict(berries)))
        case "grid.stepped":
            return _stepped(state, given)
        case "grid.exchanged":
            queue = state.unjudged
            if state.settings.judge is not None:
                queue = (*queue, Exchange(**given))
            return replace(state, exchanges=given["number"], unjudged=queue)
        case "grid.judged":
            queue = tuple(one for one in state.unjudged if one.number != given["exchange"])
            return replace(state, unjudged=queue, has_judged=True)
    return state


def _stepped(state: GridState, given: Mapping[str, Any]) -> GridState:
    did: Mapping[str, Mapping[str, Any]] = given["did"]
    land = _land_after(state, did, Chance(given["seed"]))
    stirred = _stirred(state.settings, land, did)
    attention = {
        bot: Attention(
            heard=None if bot in did and did[bot]["do"] == "say" else before.heard,
            asked=before.asked,
            is_stirred=before.is_stirred or bot in stirred,
        )
        for bot, before in state.attention.items()
    }
    return replace(state, tick=given["tick"], land=land, attention=attention, has_judged=False)


def _land_after(state: GridState, did: Mapping[str, Mapping[str, Any]], chance: Chance) -> Land:
    own, berries = state.settings, dict(state.land.berries)
    given = Counter(deed["to"] for deed in did.values() if deed["do"] == "give")
    loss = round(own.decay * MILLIONTHS)
    bodies = {}
    for bot, body in state.land.bodies.items():
        cell, energy, carries = body.cell, body.energy, body.carries + given[bot]
        deed = did.get(bot, {"do": "wait"})
        match deed["do"]:
            case "move":
                cell = (deed["to"][0], deed["to"][1])
            case "take":
                carries += 1
                _pick(berries, spot(cell))
            case "give":
                carries -= 1
            case "eat":
                carries, energy = carries - 1, own.full
                grown = chance.below(own.width * own.height, "grid.grow", bot)
                place = spot((grown % own.width, grown // own.width))
                berries[place] = berries.get(place, 0) + 1
        if chance.below(MILLIONTHS, "grid.decay", bot) < loss:
            energy = max(0, energy - 1)
        bodies[bot] = Body(cell, energy, carries)
    return Land(bodies, berries)


def _pick(berries: dict[str, int], place: str) -> None:
    """Pick a berry up, and forget the place if it was the last one there."""
    berries[place] -= 1
    if not berries[place]:
        del berries[place]


def _stirred(own: GridSettings, land: Land, did: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Tell which sleepers something happened to: a gift, or somebody who walked near."""
    stirred: set[str] = set()
    for bot, deed in did.items() if own.sleepers else ():
        if deed["do"] == "give":
            stirred.add(deed["to"])
        elif deed["do"] == "move":
            near = bots_within(land.standing, land.bodies[bot].cell, own.reach)
            stirred.update(one for one in near if one != bot)
    return frozenset(stirred.intersection(own.sleepers))


_CHANGES: dict[type, Callable[[GridState, Any], GridState]] = {
    Acted: _meant,
    ChannelOpened: _came,
    FellBack: _meant,
    Gathered: _gathered,
    Granted: _granted,
    Heard: _heard,
    MemberJoined: _came,
    MemberLeft: _left,
    OpenEvent: _own,
    Passed: _meant,
    Revoked: _revoked,
    Seated: _seated,
}
