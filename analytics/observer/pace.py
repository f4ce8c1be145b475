"""How fast a run goes, and how long it may take yet. Pure: now is an argument."""

from __future__ import annotations

from analytics.observer.view import View


def turns_per_minute(view: View, now_ms: int) -> float | None:
    """Measure a run's pace.

    Args:
        view: The run.
        now_ms: Journal time now; a silence longer than the turns were so far slows the
            pace down. Without effect once the run has ended.

    Returns:
        Turns a minute, over the last 20 turns while it runs, over all of it after its
        end; none before the first turn closed.

    Example:
        >>> from analytics.observer.plan import Plan
        >>> plan = Plan("tea", "salon", 7, (), {}, (), 24, None, 0)
        >>> view = View(plan, phase="running", turns=2, pace=(0, 5_000, 10_000))
        >>> turns_per_minute(view, 11_000), turns_per_minute(view, 25_000)
        (12.0, 6.0)
    """
    if view.phase in ("ended", "closed"):
        spent_ms = view.ended_ms - view.gathered_ms
        return view.turns * 60_000 / spent_ms if view.turns and spent_ms > 0 else None
    closed = len(view.pace) - 1
    if closed < 1:
        return None
    spent_ms = view.pace[-1] - view.pace[0]
    silent_ms = max(0, now_ms - view.pace[-1] - spent_ms // closed)
    return closed * 60_000 / max(1, spent_ms + silent_ms)


def left_ms(view: View, now_ms: int) -> int | None:
    """Estimate how long a run goes on.

    Returns:
        Milliseconds to its last turn at its present pace, or to the end of its minutes
        if that is sooner; none when neither is known, 0 once it has ended.

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
        bounds.append(view.began_ms + view.plan.minutes_ms - now_ms)
    return max(0, min(bounds)) if bounds else None
