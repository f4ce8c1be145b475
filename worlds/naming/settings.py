"""What a scenario may set of the naming game: `world: {naming: {...}}`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from utils.protocol import Frozen
from utils.spec import Spec
from worlds.settings import BadSetting, read

MAX_EDGES = 50_000
"""They are journalled in one event, and a commit is at most a megabyte."""

MAX_AT_ONCE = 64
"""Encounters open at once: a commit may have to grant all their turns."""

COORDINATIONS = {"words", "payoff", "shuffle", "memory"}
"""Settings of the one variant: in the other they would be ignored."""

GivenWord = Annotated[str, StringConstraints(strict=True, pattern=r"^[\w-]{1,24}$")]
Points = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]


class _Degree(Frozen):
    degree: int = Field(ge=3, le=10_000)


class _Rewired(Frozen):
    degree: int = Field(ge=4, le=10_000, multiple_of=2)
    rewire: float = Field(ge=0, le=1)


class DrawnGraph(Frozen):
    """A graph drawn by seed: one of these, with what it takes.

    `regular`: everybody has `degree` neighbours, from 3; two would make a ring.
    `watts_strogatz`: a ring of the `degree` nearest, each edge moved with the
    probability `rewire`.
    """

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    regular: _Degree | None = None
    watts_strogatz: _Rewired | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.regular is None) is (self.watts_strogatz is None):
            raise ValueError("must name one graph: 'regular' or 'watts_strogatz'")
        return self


Graph = Literal["complete", "ring"] | DrawnGraph


class Settings(Frozen):
    """The game that is played, and among whom.

    `words`, `payoff`, `shuffle` and `memory` are the variant `coordination`'s alone:
    what may be named, the points for agreeing and for not, whether each bot is shown
    the words in an order of its own, how many past encounters a bot's view holds.
    `at_once` is how many encounters may be open at once; it changes how long a run
    takes, and nothing else. After `encounters` of them the run ends.
    """

    variant: Literal["minimal", "coordination"] = "coordination"
    graph: Graph = "complete"
    words: tuple[GivenWord, ...] = Field(("F", "J"), min_length=2, max_length=100)
    payoff: tuple[Points, ...] = Field((100, -50), min_length=2, max_length=2)
    shuffle: bool = True
    memory: int = Field(5, ge=1, le=1_000)
    at_once: int = Field(1, ge=1, le=MAX_AT_ONCE)
    encounters: int | None = Field(None, ge=1, le=10**9)

    @model_validator(mode="after")
    def _words_differ(self) -> Self:
        if len({word.casefold() for word in self.words}) < len(self.words):
            raise ValueError("'words' must differ by more than upper and lower case")
        return self


def settings_of(spec: Spec) -> Settings:
    """Read the game's settings, and see whether these bots can play it.

    Raises:
        BadSetting: They cannot.
    """
    own, count = read(spec, Settings), len(spec.bots)
    if spec.channels:
        raise BadSetting("the naming game opens its own channels", mend="leave out 'channels'")
    if count < 2:
        raise BadSetting("it takes two to play the naming game", mend="add a bot")
    idle = own.model_fields_set & COORDINATIONS if own.variant == "minimal" else ()
    for name in sorted(idle):
        raise BadSetting(f"{name!r} says nothing in the variant 'minimal'", at=(name,))
    _check_graph(own.graph, count)
    return own


def _check_graph(graph: Graph, count: int) -> None:
    if isinstance(graph, str):
        return
    name = "regular" if graph.regular else "watts_strogatz"
    degree = (graph.regular or graph.watts_strogatz or _Degree(degree=3)).degree
    at = ("graph", name, "degree")
    if degree >= count:
        raise BadSetting(f"degree must be below the number of bots, {count}", at=at)
    if degree * count % 2:
        raise BadSetting(f"no graph of {count} bots has the odd degree {degree}", at=at)
    if degree * count // 2 > MAX_EDGES:
        raise BadSetting(f"the graph would have more than {MAX_EDGES} edges", at=at)
