"""Naming games for tests: scenarios, rule minds at a table, and what came of each encounter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from orchestrator.state import Grant
from tests.scenes import Table, spec_of
from utils.awaited import Reached
from utils.journal import Sealed
from utils.protocol import Action, Ask, OpenEvent
from utils.seeds import seed_for
from utils.spec import EndSpec, FloorSpec, MemorySpec, ModelSpec, Spec, WorldSpec
from worlds.naming.minds import naming_coordination, naming_minimal
from worlds.naming.rules import Naming

GRAPHS: dict[str, Any] = {
    "complete": "complete",
    "ring": "ring",
    "regular": {"regular": {"degree": 4}},
    "small world": {"watts_strogatz": {"degree": 4, "rewire": 0.3}},
}


@dataclass(frozen=True, slots=True)
class Request:
    """What a rule mind sees of a grant."""

    bot: str
    ask: Ask
    seed: int


class Came(NamedTuple):
    """What came of an encounter, and what its two hold after it."""

    number: int
    pair: tuple[str, str]
    words: tuple[str | None, ...]
    success: bool
    held: tuple[Any, Any]


def game(
    count: int = 8, *, seed: int = 7, until: dict[str, float] | None = None, **own: Any
) -> Spec:
    """Make a scenario of rule minds; `until` names measures, the rest are settings."""
    variant = own.get("variant", "coordination")
    measures = tuple(Reached(measure=name, value=value) for name, value in (until or {}).items())
    spec = spec_of(
        [f"bot-{number:03}" for number in range(1, count + 1)],
        channels=(),
        seed=seed,
        end=EndSpec(turns=None if "encounters" in own else 4_000, measures=measures),
        model=ModelSpec(mind="rule", rule=f"naming_{variant}"),
        memory=MemorySpec(amount=5, unit="rounds", scope="all"),
        floor=FloorSpec(allow_s=10, tries=2),
    )
    return spec.model_copy(update={"world": WorldSpec(name="naming", settings=own)})


def by_rule(grant: Grant) -> Action:
    """Do what the game's rule mind does."""
    event = grant.event
    rule = (
        naming_coordination
        if event.ask.kind == "act" and event.ask.name == "name"
        else (naming_minimal)
    )
    return rule(Request(event.bot, event.ask, event.seed))


def played(
    spec: Spec,
    act: Callable[[Grant], Action] = by_rule,
    latency_ms: Callable[[Grant], int] = lambda grant: 1,
) -> Table:
    """Play a game to its end."""
    table = Table(spec).begin()
    table.play(act, latency_ms=latency_ms)
    return table


def drawn_ms(grant: Grant) -> int:
    """Take up to a second to answer, drawn for each grant."""
    event = grant.event
    return 1 + seed_for(3, "latency", event.channel, event.bot, event.turn) % 1_000


def came_of(spec: Spec, journal: Iterable[Sealed]) -> list[Came]:
    """Fold a journal and list its encounters as they ended, with what the two then held.

    That is either's inventory, or its history and points.
    """
    world, came = Naming(), []
    state = world.initial(spec)
    for sealed in journal:
        for event in sealed.commit.events:
            state = world.evolve(state, event)
            if isinstance(event, OpenEvent) and event.kind == "naming.met":
                met = event.model_extra or {}
                pair = (met["speaker"], met["hearer"])
                one, other = (
                    state.inventories[bot]
                    if state.inventories
                    else (tuple(map(tuple, state.histories[bot])), state.points[bot])
                    for bot in pair
                )
                words = tuple(met["words"])
                came.append(Came(met["encounter"], pair, words, met["success"], (one, other)))
    return came


def mets(table: Table) -> list[dict[str, Any]]:
    """What the encounters' own events say, in the order in which they ended."""
    return [event.model_extra for event in table.events("naming.met")]
