"""Agreement in the naming game: do pairs come to say one word, which, and when?

Reads the events `naming.met` of docs/naming.md. A round is as many encounters as there
are bots. Consensus is reached with the encounter that ends three rounds in which every
encounter succeeded with one and the same word.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from analytics.metrics.frames import Frames
from analytics.metrics.seam import Metric, Reading, Result
from analytics.metrics.time_to_event import kaplan_meier, median_time

READS = {
    "world_events": ("run_id", "seq", "place", "kind", "fields"),
    "bots": ("run_id", "bot"),
}
ROUNDS = 3
NO_ENCOUNTERS = "no encounters of a naming game"


class Met(NamedTuple):
    """One encounter: what either named, none for nothing, and whether it succeeded."""

    bots: tuple[str, str]
    words: tuple[str | None, ...]
    success: bool

    @property
    def word(self) -> str | None:
        """The word it succeeded with."""
        return self.words[0] if self.success and self.words else None


def encounters(events: pd.DataFrame) -> list[Met]:
    """List a run's encounters in their order.

    Args:
        events: The table world_events.
    """
    own = events[events["kind"].eq("naming.met")].sort_values(["seq", "place"])
    met = [json.loads(one) for one in own["fields"]]
    met.sort(key=lambda one: int(one["encounter"]))
    return [
        Met((one["speaker"], one["hearer"]), tuple(one["words"]), one["success"]) for one in met
    ]


def success_by_round(met: Sequence[Met], bots: int) -> list[float]:
    """Measure the share of encounters that succeed, round by round, full rounds only."""
    rounds = len(met) // bots
    return [
        sum(one.success for one in met[at * bots : (at + 1) * bots]) / bots for at in range(rounds)
    ]


def consensus(met: Sequence[Met], bots: int) -> tuple[int, str] | None:
    """Find after how many encounters there was consensus, and on which word."""
    lasted, last = 0, None
    for number, one in enumerate(met, start=1):
        word = one.word
        lasted = lasted + 1 if word is not None and word == last else int(word is not None)
        last = word
        if word is not None and lasted >= ROUNDS * bots:
            return number, word
    return None


def first_choice(met: Sequence[Met]) -> Result:
    """Measure how alike bots choose before they have met anybody.

    Returns:
        The share of the commonest among the first words of all bots, in (0, 1]. None
        where fewer than two bots named a word in their first encounter.

    Source:
        Ashery et al. 2025, individual bias.
    """
    first: dict[str, str | None] = {}
    for one in met:
        for place, bot in enumerate(one.bots):
            if bot not in first:
                first[bot] = one.words[place] if place < len(one.words) else None
    named = [word for word in first.values() if word is not None]
    if len(named) < 2:
        return Result(None, "fewer than two bots named a word at first")
    return Result(max(Counter(named).values()) / len(named))


def collective_bias(words: Sequence[str], among: int) -> Result:
    """Measure how far runs agree on the same word more often than by chance.

    Args:
        words: The word of each run that came to consensus.
        among: How many words could be chosen, at least 1.

    Returns:
        The share of the commonest less 1 / among, in [0, 1 - 1 / among]. With few runs
        it is above 0 by chance too: test it, over runs. None for fewer than two runs.

    Source:
        Ashery et al. 2025, collective bias.

    Example:
        >>> collective_bias(["F", "F", "F", "J"], 2)
        Result(value=0.25, why='')
    """
    if len(words) < 2:
        return Result(None, "fewer than two runs came to consensus")
    return Result(max(0.0, max(Counter(words).values()) / len(words) - 1 / among))


def _met(frames: Frames) -> list[Met]:
    return frames.once("encounters", lambda frames: encounters(frames["world_events"]))


def _success(frames: Frames, seed: int) -> Iterator[Reading]:
    met = _met(frames)
    shares = success_by_round(met, len(frames["bots"]))
    if not shares:
        yield Reading("round", None, "no full round" if met else NO_ENCOUNTERS)
    for at, share in enumerate(shares, start=1):
        yield Reading("round", share, at=at)


def _time(frames: Frames, seed: int) -> Iterator[Reading]:
    met = _met(frames)
    found = consensus(met, len(frames["bots"]))
    why = f"not within {len(met)} encounters" if met else NO_ENCOUNTERS
    yield Reading("run", found[0]) if found else Reading("run", None, why)


def _first(frames: Frames, seed: int) -> Iterator[Reading]:
    met = _met(frames)
    yield Reading("run", *(first_choice(met) if met else Result(None, NO_ENCOUNTERS)))


Course = tuple[list[Met], tuple[int, str] | None]


def _courses(frames: Frames) -> list[Course]:
    """Take each run's encounters, and its consensus; runs without encounters are left out."""
    sizes = frames["bots"].groupby("run_id").size()
    courses = []
    for run, events in frames["world_events"].groupby("run_id", sort=False):
        met = encounters(events)
        if met:
            courses.append((met, consensus(met, int(sizes[run]))))
    return courses


def _bias(frames: Frames, seed: int) -> Iterator[Reading]:
    courses = frames.once("courses", _courses)
    named = {word for met, _ in courses for one in met for word in one.words if word is not None}
    words = [found[1] for _, found in courses if found]
    yield Reading("study", *collective_bias(words, max(1, len(named))))


def _times(frames: Frames) -> tuple[list[float], list[bool]]:
    courses = frames.once("courses", _courses)
    times = [float(found[0] if found else len(met)) for met, found in courses]
    return times, [found is not None for _, found in courses]


def _survival(frames: Frames, seed: int) -> Iterator[Reading]:
    times, seen = _times(frames)
    survival = kaplan_meier(times, seen)
    if not survival.times:
        yield Reading("time", None, "no run came to consensus" if times else NO_ENCOUNTERS)
    for at, share in zip(survival.times, survival.share, strict=True):
        yield Reading("time", share, at=at)


def _median(frames: Frames, seed: int) -> Iterator[Reading]:
    times, seen = _times(frames)
    found = median_time(kaplan_meier(times, seen))
    yield Reading("study", *(found if times else Result(None, NO_ENCOUNTERS)))


def _metric(name: str, **given: object) -> Metric:
    common = {"family": "agreement", "unit": "none", "low": 0, "high": 1, "tables": READS}
    return Metric(name=name, **{**common, **given})  # type: ignore[arg-type]  # ours, above and below


SUCCESS = _metric(
    "agreement_success",
    scopes=("round",),
    meaning="Share of a round's encounters that succeeded; a round is as many as there are bots. "
    "Empty without a full round.",
    source="Ashery et al. 2025; world_events, bots",
    compute=_success,
)
TIME = _metric(
    "agreement_time",
    scopes=("run",),
    unit="encounters",
    high=None,
    meaning="The encounter that ends three rounds in which all succeeded with one word. Empty "
    "where that never came: censored, and `agreement_time_median` counts it so.",
    source="After Ashery et al. 2025; world_events, bots",
    compute=_time,
)
FIRST_CHOICE = _metric(
    "first_choice_share",
    scopes=("run",),
    meaning="Share of the commonest word among those that bots name first, in their first "
    "encounter: individual bias. Empty for fewer than two such bots.",
    source="Ashery et al. 2025; world_events",
    compute=_first,
)
COLLECTIVE_BIAS = _metric(
    "collective_bias",
    scopes=("study",),
    meaning="Share of the commonest word among those that runs agreed on, less one over the number "
    "of words ever named. Above 0 by chance too where runs are few: test it over runs. Empty for "
    "fewer than two runs with consensus.",
    source="Ashery et al. 2025; world_events, bots",
    compute=_bias,
)
TIME_MEDIAN = _metric(
    "agreement_time_median",
    scopes=("study",),
    unit="encounters",
    high=None,
    meaning="Median of `agreement_time` over runs, by Kaplan and Meier: a run that did not agree "
    "counts as not yet. Empty where fewer than half agreed.",
    source="Kaplan and Meier 1958 (scipy.stats.ecdf of CensoredData); world_events, bots",
    compute=_median,
)
DISAGREEING = _metric(
    "agreement_pending",
    scopes=("time",),
    meaning="Share of runs that have not agreed after so many encounters (`at`), by Kaplan and "
    "Meier. Empty where no run agreed.",
    source="Kaplan and Meier 1958 (scipy.stats.ecdf of CensoredData); world_events, bots",
    compute=_survival,
)
