"""One step of the grid, decided: what everybody meant to do, resolved all at once.

Nobody is first. Bodies walk at the same time, into cells that are free or being left; of
several that want one cell, a draw placed by step and cell lets one in. Then, where
everybody stands now, berries change hands and words are heard. Hands are as full as they
were before the step: what is given in it cannot be given on in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import count
from typing import Any

from utils.protocol import Event, Heard, OpenEvent
from utils.seeds import Chance
from worlds.grid.state import (
    LAND,
    WAYS,
    Cell,
    Exchange,
    GridState,
    Intent,
    bots_within,
    spot,
    steps_between,
)

SEEDS = 2**32


def place(state: GridState, chance: Chance) -> OpenEvent:
    """Put the bodies on cells of their own and the berries anywhere, by the run's seed."""
    own = state.settings
    size = own.width * own.height
    taken: set[int] = set()
    bodies = {}
    for bot in state.attention:
        cell = chance.below(size, "grid.body", bot)
        while cell in taken:
            cell = (cell + 1) % size
        taken.add(cell)
        bodies[bot] = [cell % own.width, cell // own.width]
    drawn = [chance.below(size, "grid.berry", number) for number in range(own.items)]
    berries = [[cell % own.width, cell // own.width] for cell in drawn]
    return OpenEvent.model_validate({"kind": "grid.placed", "bodies": bodies, "berries": berries})


def step(state: GridState, chance: Chance) -> list[Event]:
    """Take the next step: what was done, what is heard, what passed between bodies."""
    tick = state.tick + 1
    intents = {bot: one.intent for bot, one in state.attention.items() if one.intent}
    cells, blocked = _walk(state, intents, chance)
    did: dict[str, dict[str, Any]] = {}
    for bot, intent in intents.items():
        why = intent.why or blocked.get(bot) or _hindrance(state, cells, bot, intent)
        deed = _deed(intent, cells[bot], why)
        if deed != {"do": "wait"}:
            did[bot] = deed
    seed = chance.below(SEEDS, "grid.step", tick)
    stepped = {"kind": "grid.stepped", "tick": tick, "seed": seed, "did": did}
    words = _heard(state, tick, cells, {bot: intents[bot] for bot in _those(did, "say")})
    return [OpenEvent.model_validate(stepped), *words, *_exchanged(state, tick, did, words)]


def _walk(
    state: GridState, intents: Mapping[str, Intent], chance: Chance
) -> tuple[dict[str, Cell], dict[str, str]]:
    """Let everybody walk who can.

    Returns:
        Where each body stands afterwards, and why those that meant to walk did not.
    """
    cells = {bot: body.cell for bot, body in state.land.bodies.items()}
    blocked: dict[str, str] = {}
    wanted: dict[Cell, list[str]] = {}
    for bot, intent in intents.items():
        if intent.do != "move":
            continue
        right, down = WAYS[intent.way]
        goal = (cells[bot][0] + right, cells[bot][1] + down)
        if not state.land.bodies[bot].energy:
            blocked[bot] = "too weak"
        elif not (0 <= goal[0] < state.settings.width and 0 <= goal[1] < state.settings.height):
            blocked[bot] = "the land ends there"
        else:
            wanted.setdefault(goal, []).append(bot)
    goals: dict[Cell, str] = {}
    for goal, rivals in wanted.items():
        goals[goal] = chance.pick(rivals, "grid.cell", state.tick + 1, *goal)
        blocked |= {bot: "another was quicker" for bot in rivals if bot != goals[goal]}
    walking = set(goals.values())
    staying = [bot for bot in cells if bot not in walking]
    while staying:  # who stays keeps its cell, and whoever wanted that cell stays too
        stopped = goals.pop(cells[staying.pop()], None)
        if stopped is not None:
            blocked[stopped] = "somebody stands there"
            staying.append(stopped)
    return cells | {bot: goal for goal, bot in goals.items()}, blocked


def _hindrance(state: GridState, cells: Mapping[str, Cell], bot: str, intent: Intent) -> str:
    """Tell why a body cannot do what it means to, apart from walking; nothing if it can."""
    body = state.land.bodies[bot]
    match intent.do:
        case "take" if spot(body.cell) not in state.land.berries:
            return "nothing lies here"
        case "eat" | "give" if not body.carries:
            return "nothing in hand"
        case "give" if intent.to == bot or intent.to not in cells:
            return "nobody of that name"
        case "give" if steps_between(cells[bot], cells[intent.to]) > state.settings.reach:
            return "out of reach"
    return ""


def _deed(intent: Intent, cell: Cell, why: str) -> dict[str, Any]:
    """Write what a body did, as the journal has it."""
    deed: dict[str, Any] = {"do": "wait" if why else intent.do}
    if why:
        deed |= {"why": why} if intent.why else {"tried": intent.do, "why": why}
    elif intent.do == "move":
        deed["to"] = [*cell]
    elif intent.do == "give":
        deed["to"] = intent.to
    return deed | {"late": intent.late} if intent.late else deed


def _those(did: Mapping[str, Mapping[str, Any]], do: str) -> list[str]:
    return [bot for bot, deed in did.items() if deed["do"] == do]


def _heard(
    state: GridState, tick: int, cells: Mapping[str, Cell], spoken: Mapping[str, Intent]
) -> list[Heard]:
    """Let words reach whoever stands near enough now and is in the channel; and the speaker."""
    if not spoken:
        return []
    standing = {cell: bot for bot, cell in cells.items()}
    words = []
    for bot, intent in spoken.items():
        near = bots_within(standing, cells[bot], state.settings.reach)
        others = [other for other in near if other != bot and other in state.listening]
        words.append(
            Heard(
                channel=LAND,
                turn=tick,
                round=tick,
                speaker=bot,
                audience=(bot, *others),
                text=intent.text,
                epoch=intent.epoch,
                call_sha256=intent.call_sha256,
            )
        )
    return words


def _exchanged(
    state: GridState, tick: int, did: Mapping[str, Mapping[str, Any]], words: list[Heard]
) -> list[OpenEvent]:
    """List what passed between two: a berry, or words that answer the last words heard."""
    bodies, numbers = state.land.bodies, count(state.exchanges + 1)
    passed = [
        Exchange(next(numbers), tick, "gift", bot, did[bot]["to"]) for bot in _those(did, "give")
    ]
    for event in words:
        last = state.attention[str(event.speaker)].heard
        if last is not None and last.speaker in event.audience:
            by, to = str(event.speaker), last.speaker
            passed.append(Exchange(next(numbers), tick, "reply", by, to, event.text, last.text))
    return [
        OpenEvent.model_validate(
            {"kind": "grid.exchanged", **asdict(one), "energy": bodies[one.to].energy}
        )
        for one in passed
    ]
