"""How fast a run goes, and how long it may take yet. Pure: now is an argument."""

from __future__ import annotations

from analytics.observer.view import View
from analytics.observer.words import lasting
from utils.names import counted


def turns_per_minute(view: View, now_ms: int) -> float | None:
    """Measure a run's pace.

    Args:
        view: The run.
        now_ms: Journal time now; a silence longer than the turns were so far slows the
            pace down. Without effect once the run has ended.

    Returns:
        Turns a minute of run time, over the last 20 turns while it runs, over all of it
        after its end; none before the first turn closed. Turns that were stepped in a
        pause do not count, and pauses take no time.

    Example:
        >>> from analytics.observer.plan import Plan
        >>> plan = Plan("tea", "salon", 7, (), {}, (), 24, None, 0)
        >>> view = View(plan, phase="running", turns=2, pace=(0, 5_000, 10_000))
        >>> turns_per_minute(view, 11_000), turns_per_minute(view, 25_000)
        (12.0, 6.0)
    """
    if view.phase in ("ended", "closed"):
        spent_ms = view.run_ms(view.ended_ms) - view.gathered_run_ms
        turns = view.turns - view.stepped
        return turns * 60_000 / spent_ms if turns and spent_ms > 0 else None
    closed = len(view.pace) - 1
    if closed < 1:
        return None
    spent_ms = view.pace[-1] - view.pace[0]
    silent_ms = max(0, view.run_ms(now_ms) - view.pace[-1] - spent_ms // closed)
    return closed * 60_000 / max(1, spent_ms + silent_ms)


def left_ms(view: View, now_ms: int) -> int | None:
    """Estimate how long a run goes on.

    Returns:
        Milliseconds of run time to its last turn at its present pace, or to the end of
        its minutes if that is sooner; none when neither is known, 0 once it has ended.

    Example:
        >>> from analytics.observer.plan import Plan
        >>> plan = Plan("tea", "salon", 7, (), {}, (), 24, None, 0)
        >>> left_ms(View(plan, phase="running", turns=2, pace=(0, 5_000, 10_000)), 11_000)
        110000
    """
    if view.phase in ("ended", "closed"):
        return 0
    bounds = []
    pace = turns_per_minute(view, now_ms)
    if view.plan.turns_asked is not None and pace:
        bounds.append(round((view.plan.turns_asked - view.turns) * 60_000 / pace))
    if view.plan.minutes_ms is not None and view.phase != "new":
        bounds.append(view.plan.minutes_ms - view.run_ms(now_ms))
    return max(0, min(bounds)) if bounds else None


def paused(view: View, now_ms: int) -> str:
    """Say how long a run has been paused, or how many turns may yet close in its pause.

    Args:
        view: A run that is paused.
        now_ms: Journal time now.

    Example:
        >>> from analytics.observer.plan import Plan
        >>> plan = Plan("tea", "salon", 7, (), {}, (), 24, None, 0)
        >>> paused(View(plan, paused_at_ms=1_000), 13_000)
        'paused for 12 s'
        >>> paused(View(plan, paused_at_ms=1_000, steps=2), 13_000)
        'paused, 2 turns may yet close'
    """
    if view.steps:
        return f"paused, {counted(view.steps, 'turn')} may yet close"
    return f"paused for {lasting(now_ms - (view.paused_at_ms or now_ms))}"
