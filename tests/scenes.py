"""Small scenarios for tests, and a table at which the engine is driven by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from orchestrator import engine
from orchestrator.plugins import rules_for
from orchestrator.policies.addressed import Addressed
from orchestrator.policies.random_order import RandomOrder
from orchestrator.policies.round_robin import RoundRobin
from orchestrator.policies.seam import Policy
from orchestrator.policies.simultaneous import Simultaneous
from orchestrator.recovery import due, next_due_ms
from orchestrator.rules import Rules
from orchestrator.state import Grant, State
from utils.journal import Sealed, consume
from utils.persona import Persona, PromptTemplate
from utils.protocol import Action, Event, Notice, Started
from utils.spec import BotSpec, ChannelSpec, EndSpec, FloorSpec, MemorySpec, ModelSpec, Spec
from worlds.salon.rules import Salon

TEMPLATE = PromptTemplate(
    name="default",
    system='You are {who}. You are talking with {others} in the channel "{channel}".',
    ask="Write {name}'s next message, and nothing else.",
)

POLICIES: dict[str, Policy] = {
    "addressed": Addressed(),
    "random": RandomOrder(),
    "round_robin": RoundRobin(),
    "simultaneous": Simultaneous(),
}


def spec_of(
    bots: Sequence[str] = ("ada", "bo", "cy"),
    *,
    channels: Sequence[ChannelSpec] | None = None,
    policy: str = "round_robin",
    hears: str = "all",
    turns: int | None = 24,
    end: EndSpec | None = None,
    floor: FloorSpec | None = None,
    model: ModelSpec | None = None,
    memory: MemorySpec | None = None,
    seed: int = 7,
) -> Spec:
    """Make a scenario of scripted bots in one channel, or in those given."""
    main = ChannelSpec(
        name="main",
        members=tuple(bots),
        policy=policy,
        hears=hears,
        opening="What is a town for?",
    )
    return Spec(
        scenario="tea",
        seed=seed,
        models={"m": model or ModelSpec(mind="scripted")},
        bots=tuple(
            BotSpec(
                name=name,
                persona=Persona(name=name),
                prompt=TEMPLATE,
                model="m",
                memory=memory or MemorySpec(),
            )
            for name in bots
        ),
        channels=tuple(channels) if channels is not None else (main,),
        end=end or EndSpec(turns=turns),
        floor=floor or FloorSpec(),
    )


class Table:
    """A run driven by hand: no Redis, no clock, one step at a time.

    Each bot sits at a host of its own, `host-<bot>`. `now_ms` is whatever the test
    says; floor ids are `<now_ms>-<n>`.
    """

    def __init__(self, spec: Spec, *, now_ms: int = 1_000_000) -> None:
        self.rules = (
            Rules(spec=spec, world=Salon(), policies=POLICIES)
            if spec.world.name == "salon"
            else rules_for(spec)
        )
        self.state: State = engine.initial(self.rules)
        self.journal: list[Sealed] = []
        self.now_ms = now_ms
        self._inputs = 0
        self._cursor = "0-0"

    def begin(self) -> Table:
        """Start the run and seat every bot."""
        self.begin_empty()
        for bot in self.rules.spec.bots:
            self.join(bot.name)
        return self

    def begin_empty(self) -> Table:
        """Start the run."""
        self.notice(Started(run="tea-1", spec_sha256="0" * 64))
        return self

    # --- steps ------------------------------------------------------------------------

    def notice(self, *noticed: Notice) -> list[Any]:
        return self._step(engine.Causes(noticed=noticed))

    def say(self, *bodies: dict[str, Any] | str) -> list[Any]:
        """Put inputs on the floor, as dicts or as raw text, and decide them together."""
        consumed = []
        for body in bodies:
            self._inputs += 1
            self._cursor = f"{self.now_ms}-{self._inputs}"
            raw = body if isinstance(body, str) else json.dumps(body)
            consumed.append(consume(self._cursor, {"b": raw}))
        return self._step(engine.Causes(inputs=tuple(consumed)))

    def join(self, bot: str, *, host: str = "", nonce: str = "") -> list[Any]:
        body = {"kind": "joined", "author": host or f"host-{bot}", "bot": bot}
        return self.say({**body, "nonce": nonce or self.nonce()})

    def leave(self, bot: str) -> list[Any]:
        seat = self.state.seats[bot]
        body = {"kind": "left", "author": seat.host, "bot": bot, "seat": seat.number}
        return self.say({**body, "nonce": self.nonce()})

    def propose(self, grant: Grant | None = None, /, text: str = "", **changes: Any) -> list[Any]:
        return self.say(self.proposal(grant, text, **changes))

    def proposal(
        self, grant: Grant | None = None, /, text: str = "", **changes: Any
    ) -> dict[str, Any]:
        """Write the proposal that answers a live grant, the only one unless it is named."""
        grant = grant or self.grant
        body = {
            "kind": "proposed",
            "nonce": self.nonce(),
            **self._closing(grant),
            "action": {"kind": "say", "text": text or f"{grant.event.bot} speaks."},
        }
        return {**body, **changes}

    def wait(self, grant: Grant | None = None, /, need_ms: int = 0, **changes: Any) -> list[Any]:
        """Say that a bot waits for its model server."""
        grant = grant or self.grant
        body = {"kind": "waiting", "nonce": self.nonce(), "need_ms": need_ms}
        return self.say({**body, **self._closing(grant), **changes})

    def fail(self, grant: Grant | None = None, reason: str = "timeout") -> list[Any]:
        grant = grant or self.grant
        body = {"kind": "failed", "nonce": self.nonce(), "reason": reason}
        return self.say({**body, **self._closing(grant)})

    def talk(self, turns: int, text: Callable[[Grant], str] | None = None) -> None:
        """Answer that many grants, one after another."""
        for _ in range(turns):
            self.now_ms += 1
            self.propose(text=text(self.grant) if text else "")

    def play(
        self,
        act: Callable[[Grant], Action],
        *,
        latency_ms: Callable[[Grant], int] = lambda grant: 1,
        most: int = 1_000_000,
    ) -> None:
        """Go on until the run ends: answers and deadlines, each at its own virtual time.

        Args:
            act: What the bot that holds a grant does.
            latency_ms: How long it takes to do so.
            most: Most steps.
        """
        answers: dict[int, int] = {}
        for _ in range(most):
            if self.state.phase not in ("gathering", "running"):
                return
            live = {grant.event.epoch: grant for grant in self.state.live()}
            answers = {epoch: at_ms for epoch, at_ms in answers.items() if epoch in live}
            for epoch, grant in live.items():
                if epoch not in answers:
                    answers[epoch] = self.state.at_ms + latency_ms(grant)
            due_ms = next_due_ms(self.rules, self.state)
            epoch = min(answers, key=lambda one: (answers[one], one), default=0)
            if epoch and (due_ms is None or answers[epoch] <= due_ms):
                self.now_ms = max(self.now_ms, answers[epoch])
                action = act(live[epoch]).model_dump()
                self.propose(live[epoch], action=action)
            else:
                assert due_ms is not None, "nothing will ever happen"
                self.now_ms = max(self.now_ms, due_ms)
                self.notice(*due(self.rules, self.state, by_ms=self.now_ms))
        raise AssertionError("it never ended")

    # --- looking ----------------------------------------------------------------------

    @property
    def grant(self) -> Grant:
        """The only live grant."""
        (grant,) = self.state.live()
        return grant

    def events(self, kind: str = "") -> list[Any]:
        """All events so far, or those of a kind."""
        every = [event for sealed in self.journal for event in sealed.commit.events]
        return [event for event in every if kind in ("", event.kind)]

    def speakers(self) -> list[str]:
        return [event.speaker for event in self.events("heard") if event.speaker]

    def nonce(self) -> str:
        return f"n{self._inputs + 1}.{len(self.journal)}"

    # ----------------------------------------------------------------------------------

    def _closing(self, grant: Grant) -> dict[str, Any]:
        seat = self.state.seats[grant.event.bot]
        return {
            "author": seat.host or f"host-{grant.event.bot}",
            "bot": grant.event.bot,
            "seat": seat.number,
            "epoch": grant.event.epoch,
            "grant": grant.commit_sha256,
        }

    def _step(self, causes: engine.Causes) -> list[Any]:
        made = engine.advance(
            self.rules, self.state, causes, at_ms=self.now_ms, cursor=self._cursor
        )
        if made is None:
            return []
        sealed, after = made
        assert after == engine.evolve(self.rules, self.state, sealed)
        self.journal.append(sealed)
        self.state = after
        return list(sealed.commit.events)


def kinds(events: Sequence[Event]) -> list[str]:
    """The kinds of some events, in order."""
    return [event.kind for event in events]
