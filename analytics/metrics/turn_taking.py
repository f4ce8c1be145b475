"""Turn-taking: how long bots take, how long a channel is silent, who follows whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from analytics.metrics.frames import SPOKE, Frames
from analytics.metrics.seam import Metric, Reading

TURNS = {"turns": ("run_id", "bot", "outcome", "latency_ms"), "bots": ("run_id", "bot")}
GAPS = {"messages": ("run_id", "seq", "place", "run_ms", "channel", "speaker")}

Pairs = dict[tuple[str, str], float]


def latencies_ms(turns: pd.DataFrame) -> pd.DataFrame:
    """Take the turns that a bot closed itself, by acting or passing, with their latency."""
    closed = turns[turns["outcome"].isin(["acted", "passed"]) & turns["latency_ms"].notna()]
    return closed[["bot", "latency_ms"]]


def gaps_ms(heard: pd.DataFrame) -> pd.DataFrame:
    """Take the time from each message of a bot to the next one in the same channel.

    Args:
        heard: Messages in the order of the journal.

    Returns:
        `channel` and `gap_ms`, >= 0, run time; one row fewer than messages, a channel.
    """
    said = heard[heard["speaker"].notna()]
    gap_ms = said.groupby(["run_id", "channel"])["run_ms"].diff()
    return pd.DataFrame({"channel": said["channel"], "gap_ms": gap_ms}).dropna()


def adjacency(said: pd.DataFrame) -> Pairs:
    """Measure who speaks after whom.

    Args:
        said: Bots' messages in the order of the journal.

    Returns:
        (follower, followed) to the share of the followed one's messages, of those after
        which anybody spoke in the channel, that the follower spoke next; in [0, 1].

    Example:
        >>> lines = pd.DataFrame({"channel": "main", "speaker": ["ada", "bo", "ada", "cy"]})
        >>> adjacency(lines)
        {('bo', 'ada'): 0.5, ('ada', 'bo'): 1.0, ('cy', 'ada'): 0.5}
    """
    last: dict[str, str] = {}
    pairs: Counter[tuple[str, str]] = Counter()
    for channel, speaker in zip(said["channel"], said["speaker"], strict=True):
        if channel in last:
            pairs[speaker, last[channel]] += 1
        last[channel] = speaker
    followed: Counter[str] = Counter()
    for (_, before), count in pairs.items():
        followed[before] += count
    return {pair: count / followed[pair[1]] for pair, count in pairs.items()}


def _latency(frames: Frames, seed: int) -> Iterator[Reading]:
    times = latencies_ms(frames["turns"])
    if times.empty:
        yield Reading("run", None, "no turn was answered")
        return
    yield Reading("run", float(times["latency_ms"].median()))
    by_bot = times.groupby("bot")["latency_ms"].median()
    for bot in frames["bots"]["bot"]:
        if bot in by_bot.index:
            yield Reading("bot", float(by_bot[bot]), bot=bot)
        else:
            yield Reading("bot", None, "it answered no turn", bot=bot)


def _gaps(frames: Frames, seed: int) -> Iterator[Reading]:
    gaps = gaps_ms(frames.heard)
    if gaps.empty:
        yield Reading("run", None, "no channel has two messages")
        return
    yield Reading("run", float(gaps["gap_ms"].median()))
    for channel, times in gaps.groupby("channel", sort=False):
        yield Reading("channel", float(times["gap_ms"].median()), channel=str(channel))


def _adjacency(frames: Frames, seed: int) -> Iterator[Reading]:
    shares = adjacency(frames.said)
    if not shares:
        yield Reading("pair", None, "no channel has two messages")
        return
    for (bot, before), share in shares.items():
        yield Reading("pair", share, bot=bot, other=before)


LATENCY = Metric(
    "latency_median_ms",
    family="turn_taking",
    scopes=("run", "bot"),
    unit="ms",
    low=0,
    high=None,
    meaning="Median time from a grant to the answer that closed it, passing too, revoked ones "
    "left out: `answer_median_ms` counts these as not yet answered. Empty without an answer.",
    source="turns",
    tables=TURNS,
    compute=_latency,
)

GAP = Metric(
    "gap_median_ms",
    family="turn_taking",
    scopes=("run", "channel"),
    unit="ms",
    low=0,
    high=None,
    meaning="Median run time from a bot's message to the next one in the same channel; 0 within a "
    "sealed round. Empty where no channel has two.",
    source="messages",
    tables=GAPS,
    compute=_gaps,
)

ADJACENCY = Metric(
    "adjacency",
    family="turn_taking",
    scopes=("pair",),
    unit="none",
    low=0,
    high=1,
    meaning="Of the messages of `other` after which somebody spoke in the channel, the share after "
    "which `bot` did. A pair that never happened has no row; those of one `other` sum to 1. Of a "
    "sealed round it says no more than seat order. Empty where no channel has two messages.",
    source="Transition probabilities of a first-order chain; messages, bots",
    tables=SPOKE,
    compute=_adjacency,
)
