"""What a seed draws: who talks, how patiently, and in which weather."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import NamedTuple

from tests.chaos.weather import FAULTS, Fault, Weather
from tests.scenes import spec_of
from utils.spec import ChannelSpec, FloorSpec, MemorySpec, Spec

RUN = "tea-1"
LEASE_MS = 1_000
BEGIN_MS = 1_700_000_000_000
CALM_AFTER_MS = 15 * LEASE_MS
PATIENT_S = 600.0
"""A deadline that nobody should ever see pass: the run would not be over in time."""
NAMES = ("ada", "bo", "cy", "dot")
RECALLED, RECALLED_TRIMMED = 20, 8
"""Messages that bots recall: all of a talk, or so few that what is older may be trimmed."""
POLICIES = ("round_robin", "random", "addressed", "simultaneous")


class Scene(NamedTuple):
    """What a seed draws.

    Attributes:
        is_patient: Whether no deadline may pass, so that the words are known before.
        longest_ms: Most that a mind takes to answer.
        recorders: How many record: none or one.
        trimmed_at: Commits from one snapshot to the next, and entries that stay at the server;
            0 for nobody who trims.
    """

    spec: Spec
    is_patient: bool
    longest_ms: int
    orchestrators: int
    hosts: int
    weather: Weather
    recorders: int = 0
    trimmed_at: int = 0


def scene_of(seed: int, *, faults: tuple[Fault, ...] = FAULTS) -> Scene:
    """Draw a scene: who talks, how patiently, and in which weather."""
    chance = Random(f"scene {seed}")
    trimmed_at = Random(f"recorder {seed}").choice((0, 0, 3, 6))
    is_patient = chance.random() < 0.6
    shape = chance.randrange(24)
    rates = {fault: chance.choice((0.002, 0.01)) for fault in faults if chance.random() < 0.4}
    allow_s = PATIENT_S if is_patient else chance.choice((1.5, 4.0))
    return Scene(
        spec=talk(shape, allow_s, is_trimmed=trimmed_at > 0),
        is_patient=is_patient,
        longest_ms=chance.choice((0, 50, 400)) if is_patient else round(allow_s * 1_500),
        orchestrators=chance.choice((1, 2, 2, 3)),
        hosts=chance.choice((1, 2, 2)),
        weather=Weather(rates, chance.randrange(1, 20), BEGIN_MS + CALM_AFTER_MS, LEASE_MS),
        recorders=1,
        trimmed_at=trimmed_at,
    )


@cache
def talk(shape: int, allow_s: float, *, is_trimmed: bool) -> Spec:
    """Make one of a few talks; one that is trimmed is twice as long."""
    bots = NAMES[: 2 + shape % 3]
    policy, turns = POLICIES[shape % 4], (5 + shape % 5) * (2 if is_trimmed else 1)
    floor = FloorSpec(allow_s=allow_s, gather_s=allow_s, tries=2)
    channels = [ChannelSpec(name="main", members=bots, policy=policy, opening="Well?", turns=turns)]
    if len(bots) == 4 and shape % 2:  # apart: a bot that is busy would change who is drawn
        channels = [
            ChannelSpec(name="main", members=bots[:2], policy=policy, turns=turns),
            ChannelSpec(name="side", members=bots[2:], policy="round_robin", turns=turns),
        ]
    memory = MemorySpec(amount=RECALLED_TRIMMED if is_trimmed else RECALLED)
    return spec_of(bots, channels=channels, turns=None, floor=floor, seed=shape, memory=memory)
