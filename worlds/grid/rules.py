"""The grid: ten times a second the land takes a step, whether or not everybody has answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from pydantic import JsonValue

from utils.protocol import (
    Action,
    Ask,
    ChannelOpened,
    Ended,
    Event,
    Measured,
    OpenEvent,
)
from utils.seeds import Chance
from utils.spec import Spec
from worlds.grid import fold, settings
from worlds.grid.asks import body_ask, judge_ask, sight
from worlds.grid.intents import act, score_of
from worlds.grid.state import LAND, Attention, GridState, Land, channel_of
from worlds.grid.step import place, step
from worlds.seam import Answered, Began, Cause, Woke, World, WorldTime


class Grid(World[GridState]):
    """Bodies that walk, gather, eat, give and talk to those near them; see README.md."""

    def initial(self, spec: Spec) -> GridState:
        """Start with nothing on the land."""
        own = settings.read(spec)
        bodies = [bot.name for bot in spec.bots if bot.name != own.judge]
        return GridState(
            settings=own,
            max_chars=spec.floor.max_chars,
            land=Land(),
            attention={bot: Attention() for bot in bodies},
        )

    def forked(self, state: GridState, spec: Spec) -> GridState:
        return replace(state, max_chars=spec.floor.max_chars)

    def evolve(self, state: GridState, event: Event) -> GridState:
        return fold.evolve(state, event)

    def decide(
        self, state: GridState, causes: Sequence[Cause], now: WorldTime, chance: Chance
    ) -> list[Event]:
        """Place everybody, take the steps, hear the judge.

        What a bot answered is no cause: it is kept until the step, so that the order in
        which answers come in decides nothing.
        """
        events: list[Event] = []
        for cause in causes:
            if isinstance(cause, Began):
                events += _begin(state, chance)
            elif isinstance(cause, Woke) and not state.is_over:
                events += _step(state, chance)
            elif isinstance(cause, Answered) and _is_judges(state, cause.channel):
                events += _judged(state, cause)
        return events

    def asked(self, state: GridState, channel: str) -> Sequence[str]:
        """Ask each bot once a step; a sleeper only if something happened near it.

        The judge as well, one exchange a step, so that each of its grants is a whole step
        old when it is due; what is left when the steps are over, one after another.
        """
        own = state.settings
        if _is_judges(state, channel):
            has_to = bool(state.unjudged) and (state.is_over or not state.has_judged)
            return (str(own.judge),) if has_to and own.judge not in state.away else ()
        bot = channel.removeprefix(channel_of(""))
        if channel == LAND or bot in state.away or state.is_over:
            return ()
        one = state.attention[bot]
        asleep = bot in own.sleepers and not one.is_stirred
        return () if one.is_done or asleep else (bot,)

    def ask(self, state: GridState, bot: str, channel: str) -> Ask:
        if bot != state.settings.judge:
            return body_ask(state, bot)
        return judge_ask(state.unjudged[0], state.settings.full)

    def wake_ms(self, state: GridState) -> int | None:
        return None if state.is_over else (state.tick + 1) * state.settings.tick_ms

    def due_ms(self, state: GridState, bot: str, channel: str) -> int | None:
        """Want every answer by the next step.

        The judge's too, so that in `free` it is waited for and the journal comes out the
        same whatever the judge takes; nothing falls back for it, and no body depends on it.
        """
        return self.wake_ms(state)

    def fallback(self, state: GridState, bot: str, ask: Ask) -> Action | None:
        """Let a body that is late stand still: a world adds no will of its own."""
        return act("wait") if bot in state.attention else None

    def view(self, state: GridState, bot: str | None) -> JsonValue:
        """Show what a body sees, or the whole land."""
        if bot is not None:
            known = bot in state.land.bodies
            return sight(state, bot).model_dump(mode="json") if known else None
        bodies: dict[str, JsonValue] = {
            name: {**asdict(body), "cell": [*body.cell]} for name, body in state.land.bodies.items()
        }
        return {"tick": state.tick, "bodies": bodies, "berries": {**state.land.berries}}


def _is_judges(state: GridState, channel: str) -> bool:
    return state.settings.judge is not None and channel == channel_of(state.settings.judge)


def _begin(state: GridState, chance: Chance) -> list[Event]:
    bodies, judge = tuple(state.attention), state.settings.judge
    rooms = [(LAND, bodies)] + [(channel_of(bot), (bot,)) for bot in bodies]
    if judge is not None:
        rooms.append((channel_of(judge), (judge,)))
    opened = [
        ChannelOpened(channel=name, members=members, hears="all", policy="round_robin")
        for name, members in rooms
    ]
    return [*opened, place(state, chance)]


def _step(state: GridState, chance: Chance) -> list[Event]:
    events = step(state, chance)
    if state.tick + 1 < state.settings.ticks:
        return events
    for event in events:
        state = fold.evolve(state, event)
    return [*events, *_ended(state)]


def _judged(state: GridState, cause: Answered) -> list[Event]:
    """Note the judge's score of the oldest exchange; a mind that gave none scored none."""
    if not state.unjudged:
        return []
    exchange = state.unjudged[0]
    score = score_of(cause.answers[0].action if cause.answers else None)
    judged = OpenEvent.model_validate(
        {"kind": "grid.judged", "exchange": exchange.number, "by": exchange.by, "score": score}
    )
    events: list[Event] = [judged]
    if score is not None:
        events.append(Measured(name="exchange", value=score, channel=LAND, bot=exchange.by))
    return [*events, *_ended(fold.evolve(state, judged))]


def _ended(state: GridState) -> list[Event]:
    """End after the last step, once the judge has scored all it will."""
    if not state.is_over or (state.unjudged and state.settings.judge not in state.away):
        return []
    left = f", {len(state.unjudged)} exchanges not judged" if state.unjudged else ""
    return [Ended(reason="world", detail=f"{state.tick} steps{left}")]
