"""A run in which one bot says all of the corpus, and what is known of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.doors.corpus import CORPUS
from tests.scenes import spec_of
from tests.swarm import fake_swarm, happened
from utils import keys
from utils.calls import CallRecord
from utils.journal import Sealed
from utils.protocol import MAX_TEXT_CHARS, Heard
from utils.spec import ChannelSpec, EndSpec, FloorSpec, MemorySpec, ModelSpec, Spec
from utils.streams import Streams

NAMES = {"ada": "Ada", "bo": "Bo", "cy": "Cy"}


def writable(text: str) -> bool:
    """Tell whether a scenario can hold a text: a model can answer with any."""
    return "\x00" not in text and not any("\ud800" <= one <= "\udfff" for one in text)


TEXTS = [one.text[:MAX_TEXT_CHARS] for one in CORPUS if writable(one.text)]


def attacked() -> Spec:
    """Let Bo say all of it in two channels; Ada remembers both in one, Cy its own."""
    turns = 3 * len(TEXTS)
    spec = spec_of(
        channels=(
            ChannelSpec(name="main", members=("ada", "bo", "cy"), opening="Well?", turns=turns),
            ChannelSpec(name="side", members=("bo", "ada"), opening="And?", turns=turns),
        ),
        end=EndSpec(turns=2 * turns),
        floor=FloorSpec(max_chars=MAX_TEXT_CHARS),
        memory=MemorySpec(amount=6),
    )
    lines = tuple(text for text in TEXTS for _ in range(3))
    bots = [
        one.model_copy(
            update={
                "model": "attacker" if one.name == "bo" else "m",
                "memory": one.memory.model_copy(
                    update={"scope": "channel" if one.name == "cy" else "all"}
                ),
            }
        )
        for one in spec.bots
    ]
    models = {**spec.models, "attacker": ModelSpec(mind="scripted", lines=lines)}
    return spec.model_copy(update={"models": models, "bots": tuple(bots)})


@dataclass
class Attacked:
    """A run that was attacked, and all that is known of it."""

    streams: Streams
    run: str
    spec: Spec
    journal: list[Sealed]

    @property
    def heard(self) -> list[Heard]:
        return happened(self.journal, "heard")

    @property
    def calls(self) -> list[CallRecord]:
        entries = self.streams.all(keys.calls(self.run))
        return [CallRecord.model_validate_json(entry.body) for entry in entries]


@contextmanager
def attacked_run() -> Iterator[Attacked]:
    """Play it to its end, over a server inside this process."""
    with fake_swarm(lease_ms=600_000) as swarm:
        swarm.orchestrator()
        swarm.host(3)
        run = swarm.seed(attacked())
        yield Attacked(swarm.streams, run, attacked(), swarm.finish(run))
