"""What a grant asks: in words for a language model, as data for a rule."""

from __future__ import annotations

from dataclasses import asdict

from utils.protocol import AskAct, Frozen
from worlds.grid.intents import DO, JUDGE, SCORE_SCHEMA, schema
from worlds.grid.state import (
    WAYS,
    Body,
    Cell,
    Exchange,
    GridState,
    cells_within,
    spot,
    steps_between,
)

HUNGRY = 3
"""Others see that a body is hungry when it has less than one in so many of its energy."""


class Berries(Frozen):
    """Berries that lie in sight."""

    at: Cell
    count: int


class Neighbour(Frozen):
    """A body in sight. `is_near` says that it hears this one, and can be given something."""

    name: str
    at: Cell
    is_hungry: bool
    is_near: bool


class Sight(Frozen):
    """What a body sees, the nearest first: the `view` of what it is asked.

    Attributes:
        tick: The step that is next.
        size: Columns and rows of the land.
        heard: Speaker and text of what it heard last and has not spoken since.
    """

    tick: int
    size: Cell
    at: Cell
    energy: int
    full: int
    carries: int
    berries: tuple[Berries, ...]
    neighbours: tuple[Neighbour, ...]
    heard: tuple[str, str] | None

    @property
    def ways(self) -> dict[str, Cell]:
        """Where it could walk, if nobody stood there: way to cell."""
        if not self.energy:
            return {}
        goals = {way: (self.at[0] + by[0], self.at[1] + by[1]) for way, by in WAYS.items()}
        return {way: goal for way, goal in goals.items() if self.is_land(goal)}

    @property
    def lies_here(self) -> bool:
        """Whether a berry lies where it stands."""
        return bool(self.berries) and self.berries[0].at == self.at

    def is_land(self, cell: Cell) -> bool:
        """Whether a cell is on the land."""
        return 0 <= cell[0] < self.size[0] and 0 <= cell[1] < self.size[1]


def sight(state: GridState, bot: str) -> Sight:
    """Tell what a body sees now."""
    own, land, body = state.settings, state.land, state.land.bodies[bot]
    berries, neighbours = [], []
    for cell in cells_within(body.cell, own.sight):
        lying, name = land.berries.get(spot(cell)), land.standing.get(cell)
        if lying:
            berries.append(Berries(at=cell, count=lying))
        if name and name != bot:
            is_near = steps_between(body.cell, cell) <= own.reach
            is_hungry = _is_hungry(land.bodies[name].energy, own.full)
            neighbours.append(Neighbour(name=name, at=cell, is_hungry=is_hungry, is_near=is_near))
    heard = state.attention[bot].heard
    return Sight(
        tick=state.tick + 1,
        size=(own.width, own.height),
        at=body.cell,
        energy=body.energy,
        full=own.full,
        carries=body.carries,
        berries=tuple(berries),
        neighbours=tuple(neighbours),
        heard=(heard.speaker, heard.text) if heard else None,
    )


def body_ask(state: GridState, bot: str) -> AskAct:
    """Ask a body what it does in the next step."""
    seen, body = sight(state, bot), state.land.bodies[bot]
    givable = [one.name for one in seen.neighbours if one.is_near] if body.carries else []
    text = " ".join((_standing(seen, body), _seen(seen), _can(seen, givable, state.max_chars)))
    return AskAct(
        name=DO,
        text=text,
        answer_schema=schema(
            ways=[*seen.ways],
            can_take=seen.lies_here,
            can_eat=body.carries > 0,
            givable=givable,
            max_chars=state.max_chars,
        ),
        view=seen.model_dump(mode="json"),
    )


def judge_ask(exchange: Exchange, full: int) -> AskAct:
    """Ask the judge how much an exchange was worth."""
    if exchange.sort == "gift":
        need = f"{exchange.to} had energy {exchange.energy} of {full}"
        what = f"{exchange.by} gave {exchange.to} a berry. Before that, {need}."
    else:
        what = (
            f"{exchange.to} said: {exchange.answers!r}\n{exchange.by} answered: {exchange.text!r}"
        )
    text = (
        f"{what}\nHow well did {exchange.by} serve {exchange.to} by it, from 0 (not at all) "
        'to 1 (as well as could be)? Answer with one JSON object: {"score": 0.5}'
    )
    view = {**asdict(exchange), "full": full}
    return AskAct(name=JUDGE, text=text, answer_schema=SCORE_SCHEMA, view=view)


def _is_hungry(energy: int, full: int) -> bool:
    return energy * HUNGRY < full


def _standing(seen: Sight, body: Body) -> str:
    here = "A berry lies at your feet." if seen.lies_here else "No berry lies at your feet."
    weak = " You are too weak to walk." if not seen.energy else ""
    return (
        f"You are on a land of {_counted(seen.size[0], 'column')} and "
        f"{_counted(seen.size[1], 'row')}, in column {seen.at[0] + 1} from the west and row "
        f"{seen.at[1] + 1} from the north. Your energy is {seen.energy} of {seen.full}; "
        f"eating a berry fills it.{weak} You carry {_counted(body.carries, 'berry')}. {here}"
    )


def _seen(seen: Sight) -> str:
    things = [
        f"{_counted(one.count, 'berry')} {_whither(seen.at, one.at)}"
        for one in seen.berries
        if one.at != seen.at
    ]
    for one in seen.neighbours:
        near = "near enough to talk to" if one.is_near else "too far off to hear you"
        hungry = "hungry, " if one.is_hungry else ""
        things.append(f"{one.name} {_whither(seen.at, one.at)}, {hungry}{near}")
    return f"You see: {'; '.join(things)}." if things else "There is nothing else in sight."


def _can(seen: Sight, givable: list[str], max_chars: int) -> str:
    lines = [f'{{"do": "move", "way": "{way}"}}' for way in seen.ways]
    lines += ['{"do": "take"}'] * seen.lies_here
    lines += ['{"do": "eat"}'] * (seen.carries > 0)
    lines += [f'{{"do": "give", "to": "{name}"}}' for name in givable]
    lines += [f'{{"do": "say", "text": "at most {max_chars} characters"}}', '{"do": "wait"}']
    return "What do you do now? Answer with one JSON object, one of:\n" + "\n".join(lines)


def _whither(start: Cell, goal: Cell) -> str:
    """Tell the way from one cell to another.

    Example:
        >>> _whither((3, 3), (5, 2))
        '2 east and 1 north'
    """
    right, down = goal[0] - start[0], goal[1] - start[1]
    across = f"{abs(right)} {'east' if right > 0 else 'west'}" if right else ""
    along = f"{abs(down)} {'south' if down > 0 else 'north'}" if down else ""
    return " and ".join(filter(None, (across, along)))


def _counted(count: int, thing: str) -> str:
    """Count things in words.

    Example:
        >>> _counted(1, "berry"), _counted(2, "berry"), _counted(0, "row")
        ('1 berry', '2 berries', '0 rows')
    """
    many = f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"
    return f"{count} {thing if count == 1 else many}"
