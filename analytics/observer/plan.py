"""What a viewer knows of a run before anything happened. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from analytics.observer.words import progress
from utils.awaited import Reached
from utils.printable import printable_line
from utils.spec import Spec


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run's spec tells a viewer before anything happened.

    Attributes:
        bots: Bots in the spec's order, by which they get their colours.
        displays: Bot to the name it is shown by.
        channels: Channels that open at the start.
        turns_asked: Turns after which the run ends; none when nothing bounds them.
        measures: What is waited for in what is measured: any of it ends the run.
        minutes_ms: Run time after which it ends, if any.
        gather_ms: How long the first turn waits for all bots.
    """

    run: str
    scenario: str
    seed: int
    bots: tuple[str, ...]
    displays: Mapping[str, str]
    channels: tuple[str, ...]
    turns_asked: int | None
    minutes_ms: int | None
    gather_ms: int
    measures: tuple[Reached, ...] = ()

    def progress(self, turns: int) -> str:
        """Write how far the run is when so many turns have closed."""
        return progress(turns, self.turns_asked, is_most=bool(self.measures))


def plan_of(run: str, spec: Spec) -> Plan:
    """Take what a viewer needs from a run's spec."""
    bounds = [channel.turns for channel in spec.channels]
    limits = [] if spec.end.turns is None else [spec.end.turns]
    if spec.world.name == "salon" and bounds and None not in bounds:
        limits.append(sum(bound for bound in bounds if bound))
    minutes = spec.end.minutes
    displays = {bot: printable_line(shown) for bot, shown in spec.displays().items()}
    return Plan(
        run=run,
        scenario=spec.scenario,
        seed=spec.seed,
        bots=tuple(bot.name for bot in spec.bots),
        displays=MappingProxyType(displays),
        channels=tuple(channel.name for channel in spec.channels),
        turns_asked=min(limits, default=None),
        minutes_ms=None if minutes is None else round(minutes * 60_000),
        gather_ms=round(spec.floor.gather_s * 1000),
        measures=spec.end.measures,
    )
