"""What the naming game knows: who meets whom, and what each bot holds or remembers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from utils.awaited import Reached
from utils.protocol import Count, Frozen, OpenEvent
from utils.seeds import Chance
from worlds.naming.settings import Settings

MET = "naming.met"
GRAPH = "naming.graph"


class Encounter(NamedTuple):
    """One that is going on.

    Attributes:
        number: From 1, in the order in which encounters are drawn.
        word: What the speaker uttered, in the variant `minimal`.
        gone: Who was taken out of the channel.
    """

    number: int
    speaker: str
    hearer: str
    word: str | None = None
    gone: tuple[str, ...] = ()

    @property
    def channel(self) -> str:
        """The channel it takes place in."""
        return f"met-{self.number}"

    @property
    def pair(self) -> tuple[str, str]:
        """Speaker and hearer, which in the variant `coordination` are all the same."""
        return self.speaker, self.hearer


class Met(Frozen):
    """What came of an encounter: the event `naming.met`.

    `words` has the word uttered, if any, or in the variant `coordination` what either
    named, none for nothing. `answer` is whether the hearer said it knew the word, and
    `knew` whether it did; `points` are either's.
    """

    encounter: Count
    speaker: str
    hearer: str
    words: tuple[str | None, ...]
    success: bool
    answer: bool | None = None
    knew: bool | None = None
    points: tuple[int, int] | None = None

    def event(self) -> OpenEvent:
        """Write it down, without what its variant does not have."""
        fields = self.model_dump(mode="json")
        kept = {key: one for key, one in fields.items() if key in _ALWAYS or one is not None}
        return OpenEvent.model_validate({"kind": MET, **kept})


_ALWAYS = ("encounter", "speaker", "hearer", "words", "success")


class Past(NamedTuple):
    """An encounter as one of the two remembers it: what either named, and its points."""

    own: str | None
    other: str | None
    points: int


class NamingState(NamedTuple):
    """The game so far.

    Attributes:
        watched: Its own measures that the scenario names.
        goals: Those at which the scenario ends the run.
        seed: The run's, by which pairs and orders are drawn.
        inventories: Bot to its words, oldest first, in the variant `minimal`.
        histories: Bot to its last encounters, in the variant `coordination`.
        points: Bot to all its points, in the variant `coordination`.
        neighbours: By the bots' numbers in `bots`; empty where all are everybody's.
        opened: The number of the encounter that was opened last.
        open: Encounters that are going on, in the order they were opened.
        counted: All encounters up to this number are over.
        ahead: Those beyond it that are over too, in order, and whether they agreed.
        results: Whether the last ones up to `counted` agreed, `1` or `0` each: as many
            as any measure needs.
        world_ms: When the world was woken last.
    """

    own: Settings
    bots: tuple[str, ...]
    seed: int
    watched: tuple[str, ...]
    goals: tuple[Reached, ...]
    inventories: Mapping[str, tuple[str, ...]]
    histories: Mapping[str, tuple[Past, ...]]
    points: Mapping[str, int]
    neighbours: tuple[tuple[int, ...], ...] = ()
    opened: int = 0
    open: tuple[Encounter, ...] = ()
    counted: int = 0
    ahead: tuple[tuple[int, bool], ...] = ()
    results: str = ""
    world_ms: int = 0

    def encounter(self, channel: str) -> Encounter | None:
        """Find the encounter that is going on in a channel."""
        return next((one for one in self.open if one.channel == channel), None)

    def pair(self, number: int) -> tuple[str, str]:
        """Draw who meets in an encounter: a speaker, and one of its neighbours."""
        chance, count = Chance(self.seed), len(self.bots)
        speaker = chance.below(count, "naming.speaker", number)
        if self.neighbours:
            hearer = chance.pick(self.neighbours[speaker], "naming.hearer", number)
        else:
            hearer = chance.below(count - 1, "naming.hearer", number)
            hearer += hearer >= speaker
        return self.bots[speaker], self.bots[hearer]

    def with_encounter(self, changed: Encounter) -> NamingState:
        """Put a changed encounter in its place."""
        still = (changed if one.number == changed.number else one for one in self.open)
        return self._replace(open=tuple(still))

    def over(self, number: int, *, success: bool, kept: int) -> NamingState:
        """Note that an encounter is over; the results are counted in their order.

        Args:
            kept: How many of the last results are still needed.
        """
        ahead = sorted((*self.ahead, (number, success)))
        counted, results = self.counted, self.results
        while ahead and ahead[0][0] == counted + 1:
            counted, results = counted + 1, results + "01"[ahead.pop(0)[1]]
        return self._replace(
            open=tuple(one for one in self.open if one.number != number),
            ahead=tuple(ahead),
            counted=counted,
            results=results[-kept:],
        )
