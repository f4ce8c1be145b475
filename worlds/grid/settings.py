"""What a scenario may set under `world: {grid: ...}`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from utils.errors import BadInput
from utils.names import Name
from utils.protocol import Frozen
from utils.spec import Spec
from worlds import settings
from worlds.settings import BadSetting

MAX_NAME_CHARS = 61
"""Longest name of a bot here: that of its own channel, `do-<bot>`, is a name as well."""

Span = Annotated[int, Field(ge=1, le=256)]
Radius = Annotated[int, Field(ge=0, le=16)]


class GridSettings(Frozen):
    """The grid's settings.

    Attributes:
        width, height: Of the land, cells.
        ticks: How many steps the world takes; then it ends.
        tick_ms: World time from one step to the next, milliseconds.
        items: Berries on the land and in hands together; one that is eaten grows again.
        reach: How far words carry and hands reach, steps on foot.
        sight: How far a body sees, steps on foot; at least `reach`.
        full: Energy of a body that has just eaten.
        decay: Chance that a body loses one of its energy in a step, in [0, 1].
        judge: The bot that scores exchanges; it has no body. None lets nobody score.
        sleepers: Bots that are asked only when something happens within their reach.
    """

    width: Span = 12
    height: Span = 9
    ticks: int = Field(default=300, ge=1, le=10**7)
    tick_ms: int = Field(default=100, ge=1, le=60_000)
    items: int = Field(default=20, ge=0, le=10_000)
    reach: Radius = 2
    sight: Radius = 4
    full: int = Field(default=10, ge=1, le=1_000)
    decay: float = Field(default=0.05, ge=0, le=1)
    judge: Name | None = None
    sleepers: tuple[Name, ...] = ()


def read(spec: Spec) -> GridSettings:
    """Read the grid's settings, and see that the scenario's bots fit them.

    Raises:
        BadInput: A setting cannot be, or the scenario opens channels: the grid opens
            its own.
    """
    own = settings.read(spec, GridSettings)
    bots = [bot.name for bot in spec.bots]
    for at, named in (("judge", (own.judge,) if own.judge else ()), ("sleepers", own.sleepers)):
        for name in named:
            if name not in bots:
                raise BadSetting(f"there is no bot '{name}'", at=(at,))
    if own.judge in own.sleepers:
        raise BadSetting("the judge has no body that could sleep", at=("sleepers",))
    if own.reach > own.sight:
        raise BadSetting("must not be more than 'sight'", at=("reach",))
    bodies = len(bots) - (own.judge is not None)
    if not 1 <= bodies <= own.width * own.height:
        raise BadSetting(f"{bodies} bodies do not fit on {own.width} by {own.height} cells")
    for name in bots:
        if len(name) > MAX_NAME_CHARS:
            raise BadInput(f"'{name}' has over {MAX_NAME_CHARS} characters", where="bots")
    if spec.channels:
        raise BadInput("the grid opens its own", where="channels", mend="leave channels out")
    return own
