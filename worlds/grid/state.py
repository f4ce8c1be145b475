"""What the grid is at one moment: the land, and what is known of each bot's mind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

from worlds.grid.settings import GridSettings

Cell = tuple[int, int]
"""Column and row, from 0, the row from the north."""

LAND = "land"
"""The channel in which words on the land are heard. Nobody is asked there."""

WAYS: Mapping[str, Cell] = {"n": (0, -1), "e": (1, 0), "s": (0, 1), "w": (-1, 0)}

Deed = Literal["move", "take", "eat", "give", "say", "wait"]


@dataclass(frozen=True, slots=True)
class Body:
    """A bot on the land.

    Attributes:
        energy: In [0, full]. Without any, it cannot walk.
        carries: Berries in hand.
    """

    cell: Cell
    energy: int
    carries: int = 0


@dataclass(frozen=True)
class Land:
    """Who and what is where.

    Attributes:
        bodies: Bot to body, in seat order.
        berries: Place, as `spot` writes it, to how many berries lie there, at least one.
    """

    bodies: Mapping[str, Body] = field(default_factory=dict)
    berries: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def standing(self) -> dict[Cell, str]:
        """Map each cell that is not free to who stands there. Derived, and never kept."""
        return {body.cell: bot for bot, body in self.bodies.items()}


@dataclass(frozen=True, slots=True)
class Intent:
    """What a bot means to do in the next step.

    Attributes:
        way: Where to move, a key of `WAYS`.
        to: Whom to give a berry.
        text: What to say.
        why: Why an answer that could not be done at all became waiting.
        late: Steps that went by since it was due.
    """

    do: Deed
    way: str = ""
    to: str = ""
    text: str = ""
    why: str = ""
    late: int = 0
    epoch: int | None = None
    call_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What a bot heard last and has not spoken since."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Attention:
    """What a bot is about.

    Attributes:
        asked: The step before which it was asked last.
        is_done: Whether its grant of this step is closed; it is asked again after the next.
        is_stirred: Of a sleeper: whether something happened since it was asked last.
    """

    intent: Intent | None = None
    heard: Words | None = None
    asked: int = 0
    is_done: bool = False
    is_stirred: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """Something that passed between two bodies, for the judge.

    Attributes:
        number: From 1, in a run.
        sort: A berry given, or words that answer words.
        by, to: Who gave or answered, and whom.
        text: Of a reply, the words.
        answers: Of a reply, the words it answers.
        energy: Of `to`, when it happened.
    """

    number: int
    tick: int
    sort: Literal["gift", "reply"]
    by: str
    to: str
    text: str = ""
    answers: str = ""
    energy: int = 0


@dataclass(frozen=True, slots=True)
class GridState:
    """The whole grid. It holds nothing that depends on when within a step answers came.

    Attributes:
        max_chars: Most that is said at once.
        tick: Steps taken.
        attention: Bot to what it is about, bodies only, in seat order.
        listening: Members of the channel `land`.
        away: Bots that no host serves and that kept a grant waiting: not asked.
        exchanges: How many there were.
        unjudged: Those the judge has not scored, the oldest first.
        has_judged: Whether the judge has been through with one since the last step.
    """

    settings: GridSettings
    max_chars: int
    land: Land
    attention: Mapping[str, Attention]
    listening: tuple[str, ...] = ()
    away: tuple[str, ...] = ()
    tick: int = 0
    exchanges: int = 0
    unjudged: tuple[Exchange, ...] = ()
    has_judged: bool = False

    @property
    def is_over(self) -> bool:
        """Whether all steps are taken."""
        return self.tick >= self.settings.ticks


def channel_of(bot: str) -> str:
    """Name the channel in which the world asks a bot."""
    return f"do-{bot}"


def spot(cell: Cell) -> str:
    """Write a cell as a key.

    Example:
        >>> spot((3, 4))
        '3,4'
    """
    return f"{cell[0]},{cell[1]}"


def steps_between(one: Cell, other: Cell) -> int:
    """Count the steps on foot from one cell to another."""
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def cells_within(cell: Cell, radius: int) -> Iterator[Cell]:
    """Go through the cells at most so many steps away, the nearest first, some off the land.

    Example:
        >>> list(cells_within((5, 5), 1))
        [(5, 5), (5, 4), (4, 5), (6, 5), (5, 6)]
    """
    column, row = cell
    for right, down in _offsets(radius):
        yield column + right, row + down


@lru_cache(maxsize=32)
def _offsets(radius: int) -> tuple[Cell, ...]:
    around = [
        (right, down)
        for down in range(-radius, radius + 1)
        for right in range(abs(down) - radius, radius - abs(down) + 1)
    ]
    return tuple(sorted(around, key=lambda one: (abs(one[0]) + abs(one[1]), one[1], one[0])))


def bots_within(standing: Mapping[Cell, str], cell: Cell, radius: int) -> list[str]:
    """List who stands at most so many steps from a cell, the nearest first."""
    return [standing[near] for near in cells_within(cell, radius) if near in standing]
