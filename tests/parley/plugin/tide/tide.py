"""A world, a policy and a rule from outside, which know of Parley its seams and no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from orchestrator.policies.seam import FloorView, Policy
from utils.protocol import Action, ChannelOpened, Event, Frozen, Heard, OpenEvent, Say
from utils.seeds import Chance
from utils.spec import Spec
from worlds.seam import Answered, Asked, Began, Cause, World, WorldTime
from worlds.settings import read


class Settings(Frozen):
    """How high the tide may rise, centimetres."""

    range_cm: int = 300


class TideState(NamedTuple):
    """Who stands on the quay, and the heights of the water so far."""

    range_cm: int
    bots: tuple[str, ...]
    heights_cm: tuple[int, ...] = ()


class Tide(World[TideState]):
    """Talk on a quay; after every word the tide turns."""

    def initial(self, spec: Spec) -> TideState:
        return TideState(read(spec, Settings).range_cm, tuple(bot.name for bot in spec.bots))

    def evolve(self, state: TideState, event: Event) -> TideState:
        if isinstance(event, OpenEvent) and event.kind == "tide.turned":
            height_cm = (event.model_extra or {})["height_cm"]
            return state._replace(heights_cm=(*state.heights_cm, height_cm))
        return state

    def decide(
        self, state: TideState, causes: Sequence[Cause], now: WorldTime, chance: Chance
    ) -> list[Event]:
        events: list[Event] = []
        for cause in causes:
            if isinstance(cause, Began):
                events.append(
                    ChannelOpened(
                        channel="quay", members=state.bots, hears="all", policy="backwards"
                    )
                )
            elif isinstance(cause, Answered):
                height_cm = chance.below(state.range_cm, "tide.height", cause.channel, cause.turn)
                events += [*_heard(cause), _turned(cause, height_cm)]
        return events


class Backwards(Policy):
    """Around the ring the other way, from the last member on."""

    def choose(self, floor: FloorView, chance: Chance) -> tuple[str, ...]:
        size = len(floor.members)
        ring = [floor.members[-(floor.turn + step) % size] for step in range(size)]
        return (next(bot for bot in ring if bot in floor.eligible),)


def watchman(asked: Asked) -> Action:
    """Say who watches, and how well he sees."""
    return Say(text=f"{asked.bot} sees {asked.seed % 10} miles.")


def _heard(cause: Answered) -> list[Event]:
    return [
        Heard(
            channel=cause.channel,
            turn=cause.turn,
            round=cause.round,
            speaker=one.bot,
            audience="all",
            text=one.action.text,
            epoch=one.epoch,
            call_sha256=one.call_sha256,
        )
        for one in cause.answers
        if isinstance(one.action, Say)
    ]


def _turned(cause: Answered, height_cm: int) -> Event:
    """Make an event with everything in it that JSON has."""
    fields: dict[str, Any] = {
        "kind": "tide.turned",
        "height_cm": height_cm,
        "at": {"turn": cause.turn, "moon": "\N{CRESCENT MOON}\u2028", "wind": None},
        "gauges": [1.0, -2.5e-7, True, [], {"": "=1+1"}],
        "text": 'a "line"\n</script>\x1b[31m',
    }
    return OpenEvent.model_validate(fields)
