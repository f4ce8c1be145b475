"""Time to an event, with those for whom it had not come when watching ended.

scipy's `ecdf` of `CensoredData` is the Kaplan-Meier estimate with Greenwood's interval;
scipy is here anyway, so lifelines, which would bring four packages of its own, is not.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from analytics.metrics.frames import Frames
from analytics.metrics.seam import Metric, Reading, Result

TURNS = {"turns": ("run_id", "outcome", "latency_ms", "reason")}


class Survival(NamedTuple):
    """Step by step: the share for whom the event has not come, and its 95 % interval.

    `times` are those at which events came; from each on, until the next, `share` holds.
    """

    times: tuple[float, ...]
    share: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def kaplan_meier(times: Sequence[float], seen: Sequence[bool]) -> Survival:
    """Estimate how many are still without an event, time by time.

    Args:
        times: How long each was watched, >= 0.
        seen: Whether the event came then; otherwise watching ended (right censoring).

    Returns:
        Shares in [0, 1], falling. No steps where no event was seen.

    Raises:
        ValueError: The two are not of one length.

    Source:
        Kaplan and Meier 1958; the interval is Greenwood's, by log-log.

    Example:
        >>> kaplan_meier([1, 2, 3, 4], [True, False, True, True]).share
        (0.75, 0.375, 0.0)
    """
    if len(times) != len(seen):
        raise ValueError(f"{len(times)} times, but {len(seen)} of 'seen'")
    if not any(seen):
        return Survival((), (), (), ())
    came = [time for time, is_seen in zip(times, seen, strict=True) if is_seen]
    left = [time for time, is_seen in zip(times, seen, strict=True) if not is_seen]
    data = stats.CensoredData(uncensored=came, right=left)
    share = stats.ecdf(data).sf
    with warnings.catch_warnings():  # where all or none are left there is no interval
        warnings.simplefilter("ignore", RuntimeWarning)
        span = share.confidence_interval(method="log-log")
    steps = np.isin(share.quantiles, came)
    return Survival(
        *(
            tuple(float(value) for value in values[steps])
            for values in (
                share.quantiles,
                share.probabilities,
                span.low.probabilities,
                span.high.probabilities,
            )
        )
    )


def median_time(survival: Survival) -> Result:
    """Find the time by which the event had come for half.

    Source:
        The least time at which the estimate is at or below 0.5.
    """
    for time, share in zip(survival.times, survival.share, strict=True):
        if share <= 0.5 + 1e-12:
            return Result(time)
    return Result(None, "it came for fewer than half" if survival.times else "it never came")


def _answers(frames: Frames, seed: int) -> Iterator[Reading]:
    turns = frames["turns"]
    timed = turns[turns["outcome"].ne("live") & turns["latency_ms"].notna()]
    if timed.empty:
        yield Reading("run", None, "no grant was closed")
        return
    came = timed["outcome"].isin(["acted", "passed"])
    survival = kaplan_meier(timed["latency_ms"].astype(float).tolist(), came.tolist())
    yield Reading("run", *median_time(survival))


ANSWER_MEDIAN = Metric(
    "answer_median_ms",
    family="time_to_event",
    scopes=("run",),
    unit="ms",
    low=0,
    high=None,
    meaning="Median time until a grant is answered, by Kaplan and Meier: one that was revoked "
    "counts as not yet answered. Empty where fewer than half would have been.",
    source="Kaplan and Meier 1958 (scipy.stats.ecdf of CensoredData); turns",
    tables=TURNS,
    compute=_answers,
)
