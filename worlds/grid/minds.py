"""Rules that live on the grid without a language model: null models, and for tests."""

from __future__ import annotations

from utils.protocol import Act, Action, AskAct, Pass
from utils.seeds import Chance
from worlds.grid.asks import Neighbour, Sight
from worlds.grid.intents import DO, JUDGE, act
from worlds.grid.state import Cell, steps_between
from worlds.seam import Asked

ENOUGH = 3
"""Berries that a forager carries before it stops taking more."""


def grid_forager(asked: Asked) -> Action:
    """Eat when hungry, take what lies here, feed the hungry, talk, and look for berries."""
    if not isinstance(asked.ask, AskAct) or asked.ask.name != DO:
        return Pass(why="a forager only forages")
    seen, chance = Sight.model_validate(asked.ask.view), Chance(asked.seed)
    near = [one for one in seen.neighbours if one.is_near]
    hungry = [one for one in near if one.is_hungry]
    if seen.carries and 2 * seen.energy <= seen.full:
        return act("eat")
    if hungry and seen.carries:
        return act("give", to=hungry[0].name)
    if seen.lies_here and seen.carries < ENOUGH:
        return act("take")
    words = _words(seen, near, chance)
    return act("say", text=words) if words else _walk(seen, chance)


def grid_judge(asked: Asked) -> Action:
    """Score a gift by how much it was needed, and a reply by whether it asks something."""
    if not isinstance(asked.ask, AskAct) or asked.ask.name != JUDGE:
        return Pass(why="a judge only judges")
    view = asked.ask.view
    if not isinstance(view, dict):
        return Pass(why="there is nothing to judge")
    if view.get("sort") == "reply":
        score = 1.0 if str(view.get("text")).endswith("?") else 0.5
    else:
        score = 1 - int(str(view.get("energy"))) / int(str(view.get("full")))
    return Act(name=JUDGE, args={"score": score})


def _words(seen: Sight, near: list[Neighbour], chance: Chance) -> str:
    """Find something to say: half the time an answer, now and then a greeting."""
    if seen.heard is not None and any(one.name == seen.heard[0] for one in near):
        if chance.below(2, "grid.answer"):
            told = "I see berries" if seen.berries else "there is nothing here"
            return f"{seen.heard[0].capitalize()}, {told}. And you?"
    elif near and not chance.below(8, "grid.greet"):
        return f"Good day, {near[0].name.capitalize()}. I carry {seen.carries}."
    return ""


def _walk(seen: Sight, chance: Chance) -> Act:
    """Go to the nearest berry in sight, around others; with none in sight, anywhere."""
    stood = {one.at for one in seen.neighbours}
    free = {way: goal for way, goal in seen.ways.items() if goal not in stood}
    goals = [one.at for one in seen.berries if one.at != seen.at and one.at not in stood]
    if not free:
        return act("wait")
    if goals and seen.carries < ENOUGH:
        nearer = [way for way, cell in free.items() if _is_nearer(cell, seen.at, goals[0])]
        if nearer:
            return act("move", way=chance.pick(nearer, "grid.way"))
    return act("move", way=chance.pick([*free], "grid.way"))


def _is_nearer(cell: Cell, than: Cell, goal: Cell) -> bool:
    return steps_between(cell, goal) < steps_between(than, goal)
