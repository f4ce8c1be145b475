"""Influence: what a bot says that it had just read.

Of the words of a message that its bot says for the first time, those are taken up that
stand in a message of somebody else that was in the prompt of that very call, which the
exposure ledger says. A word is credited to the earliest such message. It may be chance
that two say one word: compare with an arm in which bots do not hear each other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from analytics.metrics.frames import MESSAGES, Frames
from analytics.metrics.participation import NO_MESSAGES
from analytics.metrics.seam import Metric, Reading
from utils.words import words_of

READS = {
    "messages": (*MESSAGES, "message_id", "call_sha256"),
    "exposures": ("run_id", "call_sha256", "kind", "item", "seen"),
    "bots": ("run_id", "bot"),
}
NO_EXPOSURES = "no call of a message says what was in its prompt"


class Uptake(NamedTuple):
    """Of one bot: new words in all, and those it had just read, by who had said them."""

    new: int
    taken: Counter[str]


def uptake(
    heard: pd.DataFrame, exposed: Mapping[str, Sequence[str]], *, outside: str = ""
) -> dict[str, Uptake]:
    """Count, bot by bot, the words it says for the first time, and whom it has them from.

    Args:
        heard: All messages in order, with `message_id`, `speaker`, `text`, `call_sha256`.
        exposed: A call to the messages in its prompt, in any order.
        outside: What words from outside are credited to, such as an opening's.

    Returns:
        Only of messages whose call is in `exposed`; the words of all others count as
        said before.
    """
    known: dict[str, set[str]] = defaultdict(set)
    words: dict[str, set[str]] = {}
    speakers: dict[str, str] = {}
    order: dict[str, int] = {}
    counted: dict[str, tuple[list[int], Counter[str]]] = {}
    columns = ("message_id", "speaker", "text", "call_sha256")
    for message, speaker, text, call in zip(*(heard[name] for name in columns), strict=True):
        order[message] = len(order)
        words[message] = set(words_of(text)) if isinstance(text, str) else set()
        speakers[message] = speaker if isinstance(speaker, str) else outside
        if not isinstance(speaker, str):
            continue
        if call in exposed:
            new, taken = counted.setdefault(speaker, ([0], Counter()))
            fresh = words[message] - known[speaker]
            new[0] += len(fresh)
            for other in sorted(
                (one for one in exposed[call] if one in order), key=order.__getitem__
            ):
                found = fresh & words[other] if speakers[other] != speaker else set()
                taken[speakers[other]] += len(found)
                fresh -= found
        known[speaker] |= words[message]
    return {bot: Uptake(new[0], taken) for bot, (new, taken) in counted.items()}


def exposed_messages(exposures: pd.DataFrame) -> dict[str, list[str]]:
    """Gather, call by call, the messages that its prompt held."""
    rows = exposures[exposures["kind"].eq("message") & exposures["seen"].eq(True)]
    return {str(call): list(items) for call, items in rows.groupby("call_sha256")["item"]}


def _uptakes(frames: Frames) -> dict[str, Uptake]:
    return uptake(frames.heard, exposed_messages(frames["exposures"]))


def _kept(frames: Frames) -> tuple[dict[str, Uptake], str]:
    if frames.said.empty:
        return {}, NO_MESSAGES
    kept = frames.once("uptake", _uptakes)
    return kept, "" if any(one.new for one in kept.values()) else NO_EXPOSURES


def _share(frames: Frames, seed: int) -> Iterator[Reading]:
    kept, why = _kept(frames)
    if why:
        yield Reading("run", None, why)
        return
    taken = sum(one.taken.total() for one in kept.values())
    yield Reading("run", taken / sum(one.new for one in kept.values()))
    for bot in frames.bots:
        one = kept.get(bot, Uptake(0, Counter()))
        if one.new:
            yield Reading("bot", one.taken.total() / one.new, bot=bot)
        else:
            yield Reading("bot", None, "it said no new word after reading", bot=bot)


def _pairs(frames: Frames, seed: int) -> Iterator[Reading]:
    kept, why = _kept(frames)
    rows = [
        Reading("pair", count / one.new, bot=bot, other=other)
        for bot, one in kept.items()
        for other, count in sorted(one.taken.items())
        if other and count
    ]
    yield from rows or [Reading("pair", None, why or "no bot took up another's word")]


UPTAKE = Metric(
    "uptake",
    family="influence",
    scopes=("run", "bot"),
    unit="none",
    low=0,
    high=1,
    meaning="Of the words that a bot says for the first time, the share that stands in somebody "
    "else's message, or an opening, in the prompt it answered. Empty where no call says what its "
    "prompt held.",
    source="messages, exposures, bots",
    tables=READS,
    compute=_share,
)
INFLUENCE = Metric(
    "influence",
    family="influence",
    scopes=("pair",),
    unit="none",
    low=0,
    high=1,
    meaning="Of the words that `bot` says for the first time, the share whose earliest message in "
    "the prompt it answered is one of `other`. A pair of which there is none has no row. Empty "
    "where no call says what its prompt held.",
    source="messages, exposures, bots",
    tables=READS,
    compute=_pairs,
)
