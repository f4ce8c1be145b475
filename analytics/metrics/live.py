"""What a run measured of its own talk, computed once more from what was said.

A scenario's measures are taken while a run goes on, a turn at a time, from a state that
forgets: `worlds.measures`. Here they are computed from the table of messages, which
forgets nothing, so that a stranger can see that both are the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from analytics.metrics.frames import BOTS, MESSAGES, Frames
from analytics.metrics.lexical import distinct, repetitions
from analytics.metrics.seam import Metric, Reading
from utils.evenness import entropy_of, gini_of
from utils.words import words_of
from worlds.measures import is_measure

READS = {
    "measures": ("run_id", "seq", "name", "channel", "bot", "value"),
    "messages": MESSAGES,
    "bots": BOTS,
}
THE_WORLDS = "words"
"""A measure of the talk, but the naming game has one of its own by that name."""


def again(
    name: str, speakers: Sequence[str], texts: Sequence[str], bots: Sequence[str]
) -> float | None:
    """Compute a live measure from all that bots had said by then.

    Args:
        name: One that `worlds.measures.is_measure` knows, but `words`.
        speakers, texts: Who said each message, and what, in order.
        bots: All bots of the scenario, silent ones too.

    Example:
        >>> again("distinct_1_last_2", ["ada", "bo"], ["to be", "to go"], ["ada", "bo"])
        0.75
    """
    counted = Counter(speakers)
    if name in ("participation_gini", "participation_entropy"):
        shares = [counted[bot] for bot in bots]
        return gini_of(shares) if name == "participation_gini" else entropy_of(shares)
    if name == "messages":
        return float(len(texts))
    what, _, last = name.rpartition("_last_")
    if len(texts) < int(last):
        return None
    lines = [words_of(text) for text in texts[-int(last) :]]
    if what == "words_mean":
        return sum(map(len, lines)) / len(lines)
    if what == "self_repetition":
        return _repeated(speakers[-int(last) :], lines)
    return distinct(lines, int(what[-1])).value


def _repeated(speakers: Sequence[str], lines: Sequence[Sequence[str]]) -> float | None:
    own: dict[str, list[Sequence[str]]] = {}
    for bot, words in zip(speakers, lines, strict=True):
        own.setdefault(bot, []).append(words)
    counts = [repetitions(texts, 3) for texts in own.values()]
    said = sum(count for count, _ in counts)
    return sum(count for _, count in counts) / said if said else None


def _error(frames: Frames, seed: int) -> Iterator[Reading]:
    taken = frames["measures"]
    own = taken[taken["channel"].isna() & taken["bot"].isna()]
    own = own[[is_measure(str(name)) and name != THE_WORLDS for name in own["name"]]]
    if own.empty:
        yield Reading("run", None, "the run measured nothing of its talk")
        return
    bots = [str(bot) for bot in frames["bots"]["bot"]]
    said_by = frames.said["seq"].to_numpy(np.int64)
    largest = 0.0
    for seq, name, value in zip(own["seq"], own["name"], own["value"], strict=True):
        upto = int(np.searchsorted(said_by, int(seq), side="right"))
        found = again(str(name), frames.speakers[:upto], frames.texts[:upto], bots)
        largest = max(largest, abs(float(value) - found) if found is not None else float("inf"))
    why = "a value was taken where there is none" if largest == float("inf") else ""
    yield Reading("run", largest, why)


LIVE_ERROR = Metric(
    "live_error",
    family="live",
    scopes=("run",),
    unit="none",
    low=0,
    high=None,
    meaning="The largest difference between a value that the run took of its talk while it went on "
    "and the same computed from the messages said by then: 0 but for rounding. `words` is left "
    "out, as worlds have their own of that name. Empty where the scenario named no such measure.",
    source="measures, messages, bots; docs/live-measures.md",
    tables=READS,
    compute=_error,
)
