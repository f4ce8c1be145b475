"""The naming game: pairs meet, name things, and remember what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import JsonValue, TypeAdapter

from utils.protocol import (
    Ask,
    ChannelClosed,
    ChannelOpened,
    Ended,
    Event,
    Heard,
    MemberJoined,
    MemberLeft,
    OpenEvent,
    Woke,
)
from utils.seeds import Chance
from utils.spec import Spec
from worlds.naming.coordination import Coordination
from worlds.naming.graph import Edge, edges_of, neighbours_of
from worlds.naming.measures import (
    is_measure,
    is_reached,
    is_words_due,
    measured_after,
    results_needed,
    words_in_use,
)
from worlds.naming.minimal import Minimal
from worlds.naming.settings import settings_of
from worlds.naming.state import GRAPH, MET, Encounter, Met, NamingState
from worlds.naming.variant import Variant
from worlds.seam import Answered, Began, Cause, World, WorldTime
from worlds.seam import Woke as WokeUp

VARIANTS: dict[str, Variant] = {"minimal": Minimal(), "coordination": Coordination()}

_EDGES: TypeAdapter[list[Edge]] = TypeAdapter(list[Edge])


class Naming(World[NamingState]):
    """Encounters of two, each a channel that opens, does its work and closes."""

    def initial(self, spec: Spec) -> NamingState:
        """Start with nobody knowing a word."""
        own = settings_of(spec)
        bots = tuple(bot.name for bot in spec.bots)
        plays = own.variant == "coordination"
        return NamingState(
            own=own,
            bots=bots,
            seed=spec.seed,
            watched=tuple(name for name in spec.watched if is_measure(name)),
            goals=spec.end.measures,
            inventories={} if plays else dict.fromkeys(bots, ()),
            histories=dict.fromkeys(bots, ()) if plays else {},
            points=dict.fromkeys(bots, 0) if plays else {},
        )

    def forked(self, state: NamingState, spec: Spec) -> NamingState:
        """Draw who meets by the new seed; a graph that was drawn stays."""
        return state._replace(seed=spec.seed)

    def evolve(self, state: NamingState, event: Event) -> NamingState:
        """Keep track of who meets, and of what came of it."""
        change = _CHANGES.get(type(event))
        return state if change is None else change(state, event)

    def decide(
        self, state: NamingState, causes: Sequence[Cause], now: WorldTime, chance: Chance
    ) -> list[Event]:
        """Let pairs meet, and what they name be heard; end encounters that cannot go on."""
        sequel = _Sequel(self, state)
        for cause in causes:
            if isinstance(cause, Began):
                sequel.begin()
            elif isinstance(cause, Answered):
                sequel.answered(cause)
            elif isinstance(cause, WokeUp):
                for stuck in _stuck(sequel.state):
                    turn = 1 if stuck.word is None else 2
                    sequel.answered(Answered(stuck.channel, turn, round=1, answers=()))
        return sequel.events

    def asked(self, state: NamingState, channel: str) -> Sequence[str] | None:
        """Wait for those of the pair whose turn it is, and nobody who was added."""
        encounter = state.encounter(channel)
        return _variant(state).asked(encounter) if encounter else ()

    def ask(self, state: NamingState, bot: str, channel: str) -> Ask:
        """Ask for a word, or whether one is known."""
        encounter = state.encounter(channel)
        if encounter is None:
            return super().ask(state, bot, channel)
        return _variant(state).ask(state, bot, encounter)

    def wake_ms(self, state: NamingState) -> int | None:
        """Wake at once when an encounter waits for nobody who is still there."""
        return state.world_ms + 1 if _stuck(state) else None

    def measures(self, name: str) -> bool:
        return is_measure(name)

    def view(self, state: NamingState, bot: str | None) -> JsonValue:
        """Show what a bot holds; or how far the game is, and the words in use."""
        if bot is not None:
            return _variant(state).view(state, bot)
        return {
            "encounters": state.counted,
            "open": [list(one.pair) for one in state.open],
            "words": [*sorted(words_in_use(state))],
        }


class _Sequel:
    """What follows, event by event, and the state that it leads to."""

    def __init__(self, world: Naming, state: NamingState) -> None:
        self._world, self.state = world, state
        self.events: list[Event] = []

    def tell(self, event: Event) -> None:
        self.events.append(event)
        self.state = self._world.evolve(self.state, event)

    def begin(self) -> None:
        own = self.state.own
        if own.graph != "complete":
            edges = edges_of(own.graph, len(self.state.bots), self.state.seed)
            drawn = {"kind": GRAPH, "edges": [list(edge) for edge in edges]}
            self.tell(OpenEvent.model_validate(drawn))
        self._open()

    def answered(self, cause: Answered) -> None:
        encounter = self.state.encounter(cause.channel)
        if encounter is None:
            return
        counted = self.state.counted
        for event in _variant(self.state).follow(self.state, encounter, cause):
            self.tell(event)
        if self.state.encounter(cause.channel) is not None:
            return
        self.tell(ChannelClosed(channel=cause.channel))
        if not self._measure(counted):
            self._open()

    def _measure(self, counted: int) -> bool:
        """Measure after every encounter that counts by now; whether that was the last."""
        for number in range(counted + 1, self.state.counted + 1):
            measured = measured_after(self.state, number)
            self.events += measured
            if any(is_reached(self.state, one) for one in measured):
                return True  # the engine ends the run: what is beyond comes too late
            if number == self.state.own.encounters:
                self.events.append(Ended(reason="world", detail=f"after {number} encounters"))
                return True
        return False

    def _open(self) -> None:
        """Open the next encounters, as far as nobody is in two of them."""
        variant = _variant(self.state)
        while len(self.state.open) < self.state.own.at_once:
            opened = self.state.opened
            if opened == self.state.own.encounters:
                return
            if opened and self.state.open and is_words_due(self.state, opened):
                return
            pair = self.state.pair(opened + 1)
            if any(not set(pair).isdisjoint(one.pair) for one in self.state.open):
                return
            channel = Encounter(opened + 1, *pair).channel
            policy = variant.policy
            self.tell(ChannelOpened(channel=channel, members=pair, hears="all", policy=policy))


def _variant(state: NamingState) -> Variant:
    return VARIANTS[state.own.variant]


def _stuck(state: NamingState) -> list[Encounter]:
    """List the encounters that wait only for bots taken out of them."""
    parted = [one for one in state.open if one.gone]
    return [one for one in parted if set(_variant(state).asked(one)) <= set(one.gone)]


# --- what each event changes -----------------------------------------------------------


def _opened(state: NamingState, event: ChannelOpened) -> NamingState:
    speaker, hearer = event.members
    number = int(event.channel.removeprefix("met-"))
    opened = Encounter(number, speaker, hearer)
    return state._replace(opened=number, open=(*state.open, opened))


def _heard(state: NamingState, event: Heard) -> NamingState:
    """Note the word that a speaker utters."""
    encounter = state.encounter(event.channel)
    if encounter is None or event.speaker != encounter.speaker or encounter.word is not None:
        return state
    return state.with_encounter(encounter._replace(word=event.text))


def _moved(state: NamingState, event: MemberJoined | MemberLeft) -> NamingState:
    encounter = state.encounter(event.channel)
    if encounter is None or event.bot not in encounter.pair:
        return state
    gone = tuple(bot for bot in encounter.gone if bot != event.bot)
    if isinstance(event, MemberLeft):
        gone = (*gone, event.bot)
    return state.with_encounter(encounter._replace(gone=gone))


def _opens(state: NamingState, event: OpenEvent) -> NamingState:
    fields = event.model_extra or {}
    if event.kind == GRAPH:
        edges = _EDGES.validate_python(fields["edges"])
        return state._replace(neighbours=neighbours_of(edges, len(state.bots)))
    if event.kind != MET:
        return state
    met = Met.model_validate(fields)
    state = _variant(state).remember(state, met)
    return state.over(met.encounter, success=met.success, kept=results_needed(state))


def _woke(state: NamingState, event: Woke) -> NamingState:
    return state._replace(world_ms=event.world_ms)


_CHANGES: dict[type, Callable[[NamingState, Any], NamingState]] = {
    ChannelOpened: _opened,
    Heard: _heard,
    MemberJoined: _moved,
    MemberLeft: _moved,
    OpenEvent: _opens,
    Woke: _woke,
}
