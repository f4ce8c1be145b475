"""A grant to answer, as a host would make a task of it, and what a mind makes of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bots.agent import carry_out
from bots.hearing import Hearing
from bots.memory.window import WindowMemory
from bots.minds.seam import Mind
from bots.minds.stop import Stop
from bots.prompt import Framings
from bots.task import Sitting, Task, prepare
from tests.scenes import spec_of
from utils.calls import CallRecord
from utils.clock import ManualClock
from utils.mail import ChannelEntry, StandingGrant
from utils.protocol import (
    Ask,
    AskSay,
    ChannelOpened,
    Event,
    Failed,
    Granted,
    Heard,
    Pass,
    Proposed,
)
from utils.spec import GuardsSpec, MemorySpec, ModelSpec

BOTS = ("ada", "bo")
SEED = 7


def heard(speaker: str, text: str, *, turn: int, channel: str = "main") -> Heard:
    return Heard(channel=channel, turn=turn, round=turn, speaker=speaker, audience="all", text=text)


def task(
    *said: Heard,
    ask: Ask | None = None,
    guards: GuardsSpec | None = None,
    model: ModelSpec | None = None,
    allow_ms: int = 60_000,
) -> Task:
    """Ask ada, who has heard what was said."""
    spec = spec_of(bots=BOTS, model=model)
    opened = ChannelOpened(channel="main", members=BOTS, hears="all", policy="round_robin")
    events: tuple[Event, ...] = (opened, *said)
    hearing = Hearing("ada")
    entry = ChannelEntry(seq=1, commit_sha256="0" * 64, prev="", at_ms=0, events=events)
    hearing.take("main", entry)
    granted = Granted(
        channel="main",
        turn=9,
        round=9,
        tries=0,
        asked=1,
        bot="ada",
        epoch=4,
        allow_ms=allow_ms,
        deadline_ms=allow_ms,
        seed=SEED,
        ask=ask or AskSay(max_chars=400),
    )
    bot = spec.bot("ada")
    sitting = Sitting(
        run="tea-1",
        host="h",
        seat=1,
        bot=bot,
        model=spec.models["m"],
        displays=spec.displays(),
        guards=guards or GuardsSpec(),
    )
    grant = StandingGrant(event=granted, seq=1, commit_sha256="a" * 64)
    return prepare(sitting, grant, hearing, WindowMemory(MemorySpec()), Framings(bot))


@dataclass
class Done:
    """What became of a task."""

    input: Proposed | Failed | None
    records: list[CallRecord] = field(default_factory=list)

    @property
    def action(self) -> Any:
        assert isinstance(self.input, Proposed)
        return self.input.action

    @property
    def why(self) -> str:
        """Why the bot passed."""
        assert isinstance(self.action, Pass)
        return self.action.why

    @property
    def outcomes(self) -> list[str]:
        return [record.outcome for record in self.records]


def done(given: Task, mind: Mind, clock: ManualClock) -> Done:
    """Let a mind answer, and read all that was written down."""
    noted: list[str] = []
    until_ms = clock.now_ms() + given.request.allow_ms
    outcome = carry_out(
        given,
        mind,
        Stop(),
        clock=clock,
        until_ms=lambda: until_ms,
        nonce="n1",
        on_failed=noted.append,
    )
    if outcome.record is not None:
        noted.append(outcome.record)
    return Done(outcome.input, [CallRecord.model_validate_json(body) for body in noted])
