"""A world for tests in which channels come and go: pairs meet, name a thing each, and part.

Its clock ticks every 100 ms, and a name is due at the next tick.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from orchestrator import engine
from orchestrator.rules import Rules
from tests.analytics.recorded import Recorded
from tests.scenes import POLICIES, Table, spec_of
from utils.protocol import (
    Act,
    Action,
    Ask,
    AskAct,
    ChannelClosed,
    ChannelOpened,
    Event,
    Heard,
    Measured,
    OpenEvent,
    WakeDue,
    Woke,
)
from utils.seeds import Chance
from utils.spec import Spec
from worlds import seam

TICK_MS = 100
MEETING = "met-"


class Met(NamedTuple):
    """How many have been opened, the world's time, and the bots."""

    bots: tuple[str, ...]
    opened: int = 0
    world_ms: int = 0


class Meetings(seam.World[Met]):
    """Pairs in order: the first with the second, the second with the third."""

    def initial(self, spec: Spec) -> Met:
        return Met(tuple(bot.name for bot in spec.bots))

    def evolve(self, state: Met, event: Event) -> Met:
        match event:
            case ChannelOpened() if event.channel.startswith(MEETING):
                return state._replace(opened=state.opened + 1)
            case Woke():
                return state._replace(world_ms=event.world_ms)
        return state

    def decide(
        self,
        state: Met,
        causes: Sequence[seam.Cause],
        now: seam.WorldTime,
        chance: Chance,
    ) -> list[Event]:
        events: list[Event] = []
        for cause in causes:
            if isinstance(cause, seam.Began):
                events += [_hall(state), _open(state)]
            elif isinstance(cause, seam.Woke):
                events.append(OpenEvent.model_validate({"kind": "meet.ticked", "at": now.world_ms}))
            elif isinstance(cause, seam.Answered):
                events += _part(state, cause)
            elif isinstance(cause, seam.Told):
                event = OpenEvent.model_validate({"kind": "meet.told", "args": cause.args})
                events.append(event)
        return events

    def ask(self, state: Met, bot: str, channel: str) -> Ask:
        return AskAct(name="name", text="Name a thing.", answer_schema={"type": "string"})

    def wake_ms(self, state: Met) -> int | None:
        return state.world_ms + TICK_MS

    def due_ms(self, state: Met, bot: str, channel: str) -> int | None:
        return state.world_ms + TICK_MS

    def fallback(self, state: Met, bot: str, ask: Ask) -> Action | None:
        return Act(name="name", args={"word": None})


def _hall(state: Met) -> Event:
    """Open a channel in which nobody is asked anything, for words from outside."""
    return ChannelOpened(
        channel="hall", members=state.bots, hears="all", policy="round_robin", turns=0
    )


def _open(state: Met) -> Event:
    first = state.opened % len(state.bots)
    pair = (state.bots[first], state.bots[(first + 1) % len(state.bots)])
    name = f"{MEETING}{state.opened + 1}"
    return ChannelOpened(channel=name, members=pair, hears="all", policy="simultaneous")


def _part(state: Met, cause: seam.Answered) -> list[Event]:
    """Let both hear that they have met, measure it, close, and open the next."""
    channel, number = cause.channel, float(state.opened)
    answers = [one.action.args for one in cause.answers if isinstance(one.action, Act)]
    heard = {"channel": channel, "turn": cause.turn, "round": cause.round, "speaker": None}
    return [
        OpenEvent.model_validate({"kind": "meet.met", "channel": channel, "words": answers}),
        Heard.model_validate({**heard, "audience": "all", "text": "You have met."}),
        Measured(name="met", value=number),
        Measured(name="named", value=float(len(answers)), channel=channel),
        Measured(name="seen", value=1.0, channel=channel, bot=state.bots[0]),
        ChannelClosed(channel=channel),
        Heard.model_validate({**heard, "audience": "all", "text": "It was good."}),
        _open(state),
    ]


class Meeting(Table):
    """A table at which bots meet."""

    def __init__(self, spec: Spec | None = None, **given: int) -> None:
        super().__init__(spec or meeting_spec(), **given)
        self.rules = Rules(spec=self.rules.spec, world=Meetings(), policies=POLICIES)
        self.state = engine.initial(self.rules)

    def begin(self) -> Meeting:
        super().begin()
        return self

    def meet(self, times: int, word: Callable[[str], object] = lambda bot: "F") -> Meeting:
        """Let that many encounters take place, a millisecond an answer."""
        last = self.state.turns + times
        while self.state.turns < last and self.state.phase == "running":
            grant = self.state.live()[0]
            self.now_ms += 1
            args = {"word": word(grant.event.bot)}
            self.propose(grant, action={"kind": "act", "name": "name", "args": args})
        return self

    def tick(self) -> list[Event]:
        """Wake the world."""
        return self.notice(WakeDue(world_ms=self.state.world.world_ms + TICK_MS))

    def tell(self, kind: str, **said: object) -> list[Event]:
        """Let somebody called anna tell the run something."""
        return self.say({"kind": kind, "author": "anna", "nonce": self.nonce(), **said})


def meeting_spec(bots: Sequence[str] = ("ada", "bo", "cy"), *, turns: int = 1_000_000) -> Spec:
    """Make a scenario without channels of its own."""
    return spec_of(bots, channels=(), turns=turns)


def recorded(spec: Spec | None = None) -> tuple[Recorded, Meeting]:
    """Begin a run of meetings whose journal can be folded into tables."""
    table = Meeting(spec)
    run = Recorded(table.rules.spec)
    run.table = table
    run.begin()
    return run, table
