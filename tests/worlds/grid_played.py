"""Grids played at a table, and what is looked at of them afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue, TypeAdapter

from orchestrator import engine
from orchestrator.recovery import due, next_due_ms
from orchestrator.state import Grant
from tests.scenes import Table, spec_of
from utils.journal import Sealed, fold, from_line, sha256_of, to_line
from utils.protocol import (
    Act,
    Acted,
    Action,
    Ask,
    AskAct,
    ChannelOpened,
    Event,
    Granted,
    OpenEvent,
)
from utils.seeds import Chance
from utils.spec import EndSpec, FloorSpec, ModelSpec, PaceSpec, Spec, WorldSpec
from worlds.grid.minds import grid_forager, grid_judge
from worlds.grid.rules import Grid
from worlds.grid.state import Body, Cell, GridState, channel_of
from worlds.seam import Woke, WorldTime

BODIES = ("ada", "bo", "cy", "dot")
EVERYBODY = (*BODIES, "judge")

_STATE = TypeAdapter(GridState)


@dataclass(frozen=True, slots=True)
class Question:
    """What a rule is told of a grant."""

    bot: str
    ask: Ask
    seed: int


def grid_spec(
    bots: Sequence[str] = EVERYBODY,
    *,
    seed: int = 7,
    pace: str = "free",
    scale: float = 1.0,
    allow_s: float = 0.6,
    turns: int | None = None,
    **settings: JsonValue,
) -> Spec:
    """Write a scenario of a small grid; a bot named judge judges."""
    own: dict[str, JsonValue] = {"width": 8, "height": 6, "ticks": 60, **settings}
    if "judge" in bots:
        own["judge"] = "judge"
    spec = spec_of(
        bots,
        channels=(),
        seed=seed,
        end=EndSpec(turns=turns),
        floor=FloorSpec(allow_s=allow_s, max_chars=200),
        model=ModelSpec(mind="rule", rule="grid_forager"),
    )
    judge = ModelSpec(mind="rule", rule="grid_judge")
    return spec.model_copy(
        update={
            "world": WorldSpec(name="grid", settings=own),
            "pace": PaceSpec.model_validate({"kind": pace, "scale": scale}),
            "models": {**spec.models, "judge": judge},
            "bots": tuple(
                bot.model_copy(update={"model": "judge"}) if bot.name == "judge" else bot
                for bot in spec.bots
            ),
        }
    )


def by_rule(grant: Grant) -> Action:
    """Do what the rule of a bot says."""
    question = Question(grant.event.bot, grant.ask, grant.event.seed)
    assert isinstance(grant.ask, AskAct)
    return (grid_judge if grant.ask.name == "judge" else grid_forager)(question)


def play(
    spec: Spec,
    act: Callable[[Grant], Action] = by_rule,
    *,
    latency_ms: Callable[[Grant], int] = lambda grant: 1,
) -> Table:
    """Play a whole grid in virtual time."""
    table = Table(spec).begin()
    table.play(act, latency_ms=latency_ms)
    return table


def hash_of(state: GridState) -> str:
    """Hash a grid as it is written."""
    return sha256_of(_STATE.dump_json(state).decode())


def written(journal: Sequence[Sealed]) -> list[str]:
    """Write a journal down, line by line."""
    return [to_line(sealed) for sealed in journal]


def folded(spec: Spec, lines: Sequence[str]) -> GridState:
    """Fold a journal that was written down: the whole run, by the engine."""
    rules = Table(spec).rules
    journal = (from_line(line) for line in lines)
    state = fold(
        lambda at, sealed: engine.evolve(rules, at, sealed), journal, engine.initial(rules)
    )
    grid = state.world
    assert isinstance(grid, GridState)
    return grid


def grid_events(events: Sequence[Any]) -> list[dict[str, Any]]:
    """List what happened on a grid: all but what says in which commit, by which call."""
    told = ("heard", "measured", "ended")
    drop = {"message_id", "call_sha256"}
    return [
        event.model_dump(mode="json", exclude=drop)
        for event in events
        if event.kind in told or event.kind.startswith("grid.")
    ]


def go(
    table: Table,
    *,
    to_ms: int,
    act: Callable[[Grant], Action] = by_rule,
    latency_ms: Callable[[Grant], int] = lambda grant: 1,
) -> None:
    """Go on in virtual time as `Table.play` does, to a moment and no further."""
    answers: dict[int, int] = {}
    while True:
        live = {grant.event.epoch: grant for grant in table.state.live()}
        for epoch, grant in live.items():
            answers.setdefault(epoch, table.state.at_ms + latency_ms(grant))
        epoch = min(live, key=lambda one: (answers[one], one), default=0)
        answer_ms = answers.get(epoch, to_ms + 1)
        due_ms = next_due_ms(table.rules, table.state)
        due_ms = to_ms + 1 if due_ms is None else due_ms
        table.now_ms = max(table.now_ms, min(answer_ms, due_ms, to_ms))
        if min(answer_ms, due_ms) > to_ms:
            return
        if answer_ms <= due_ms:
            table.propose(live[epoch], action=act(live[epoch]).model_dump())
        else:
            table.notice(*due(table.rules, table.state, by_ms=due_ms))


class Hand:
    """A grid whose bodies are put down and moved by hand: rules alone, and no engine."""

    def __init__(
        self, bodies: dict[str, Cell], berries: Sequence[Cell] = (), **settings: Any
    ) -> None:
        self.grid = Grid()
        self.spec = grid_spec(tuple(bodies), **{"decay": 0, **settings})
        self.state = self.grid.initial(self.spec)
        self.did: dict[str, Any] = {}
        members = tuple(self.state.attention)
        self.take(ChannelOpened(channel="land", members=members, hears="all", policy="x"))
        places = {bot: [*cell] for bot, cell in bodies.items()}
        placed = {"kind": "grid.placed", "bodies": places, "berries": [[*at] for at in berries]}
        self.take(OpenEvent.model_validate(placed))

    def take(self, *events: Event) -> None:
        for event in events:
            self.state = self.grid.evolve(self.state, event)

    def means(self, bot: str, do: str, **how: str) -> Hand:
        return self.answers(bot, {"do": do, **how})

    def answers(self, bot: str, args: JsonValue) -> Hand:
        place = {"channel": channel_of(bot), "turn": 1, "bot": bot, "epoch": 1}
        times = {"round": 1, "tries": 0, "asked": 1, "allow_ms": 600, "deadline_ms": 600}
        ask = self.grid.ask(self.state, bot, channel_of(bot))
        self.take(Granted.model_validate({**place, **times, "seed": 0, "ask": ask}))
        self.take(Acted.model_validate({**place, "action": Act(name="act", args=args)}))
        return self

    def step(self) -> list[Any]:
        """Take a step; `did` is then what the journal says of it."""
        now, chance = WorldTime(at_ms=0, world_ms=0), Chance(self.spec.seed)
        events = self.grid.decide(self.state, [Woke()], now, chance)
        self.take(*events)
        stepped = events[0]
        assert isinstance(stepped, OpenEvent)
        self.did = (stepped.model_extra or {})["did"]
        return list(events)

    def at(self, bot: str) -> Cell:
        return self.body(bot).cell

    def body(self, bot: str) -> Body:
        return self.state.land.bodies[bot]

    def is_asked(self, bot: str) -> bool:
        return self.grid.asked(self.state, channel_of(bot)) == (bot,)
