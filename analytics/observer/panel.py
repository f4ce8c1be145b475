"""The panel below the talk: who holds the floor, how far the run is, what is missing.

Pure: a view, a time and a width in, rows of text out.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from analytics.observer.pace import left_ms, paused, turns_per_minute
from analytics.observer.view import Channel, View
from analytics.observer.words import lasting, listed, measure, rate
from utils.names import counted

MAX_CHANNELS = 4
"""Channels shown at once; of more, those with the nearest deadlines."""
MAX_MEASURES = 3
OVERDUE_MS = 3_000
"""How late a deadline may fire before the orchestrator is asked after."""
SLOW_GATHERING_MS, SLOW_CLOSING_MS = 5_000, 15_000
"""When waiting becomes worth a thought."""
BAR_CELLS = 24
BARE_CELLS = 64
"""On narrower terminals the bar is left out."""


def panel(
    view: View,
    now_ms: int,
    *,
    width: int,
    styles: Mapping[str, str],
    channel: str | None = None,
) -> Text:
    """Draw the panel.

    Args:
        view: The run.
        now_ms: Journal time now.
        width: Of the terminal, in cells; every row is cut to it.
        styles: Bot to the style of its name.
        channel: Show this channel only.
    """
    rule = f"── {view.plan.run} {'─' * width}"
    rows = [Text(rule[:width], style="dim"), _progress(view, now_ms, width)]
    rows += _measures(view)
    rows += _floors(view, now_ms, styles, channel)
    rows += _paused(view, now_ms)
    rows += _missing(view, now_ms)
    for row in rows:
        row.truncate(width, overflow="ellipsis")
    return Text("\n", no_wrap=True).join(rows)


def _progress(view: View, now_ms: int, width: int) -> Text:
    row = Text(" ")
    asked = view.plan.turns_asked
    if asked and width >= BARE_CELLS:
        done = min(BAR_CELLS, view.turns * BAR_CELLS // asked)
        row.append("━" * done, style="color(35)").append("━" * (BAR_CELLS - done), style="dim")
        row.append("  ")
    row.append(view.plan.progress(view.turns), style="bold")
    for part in _times(view, now_ms):
        row.append(f" · {part}", style="dim")
    return row


def _times(view: View, now_ms: int) -> list[str]:
    pace, left = turns_per_minute(view, now_ms), left_ms(view, now_ms)
    if left is None or view.phase != "running" or view.paused_at_ms is not None:
        parts = []
    else:
        parts = [f"{'at most ' if view.plan.measures else ''}about {lasting(left)} left"]
    return parts if pace is None else [*parts, rate(pace)]


def _measures(view: View) -> list[Text]:
    """Show what was measured last, the measures that end the run first."""
    if not view.measured:
        return []
    ends = {one.measure: one.bound for one in view.plan.measures}
    names = sorted(view.measured, key=lambda name: (name not in ends, name))
    parts = [
        measure(name, view.measured[name], ends.get(name, "")) for name in names[:MAX_MEASURES]
    ]
    more = len(names) - len(parts)
    return [Text(f" {' · '.join(parts)}{f' · and {more} more' if more else ''}", style="dim")]


def _floors(view: View, now_ms: int, styles: Mapping[str, str], wanted: str | None) -> list[Text]:
    if view.phase != "running":
        return []
    channels = [one for one in view.channels.values() if wanted in (None, one.name)]
    held = [one for one in channels if one.holders]
    near = sorted(held, key=_deadline)[:MAX_CHANNELS]
    rows = [_floor(view, one, now_ms, styles) for one in held if one in near]
    if len(held) > MAX_CHANNELS:
        rows.append(Text(f" and {counted(len(held) - MAX_CHANNELS, 'more channel')}", style="dim"))
    if rows or view.is_paused:
        return rows
    return [Text(" nobody holds the floor", style="dim")]


def _paused(view: View, now_ms: int) -> list[Text]:
    rows = []
    if view.paused_at_ms is not None and view.phase in ("gathering", "running"):
        mend = "" if view.steps else f": parley tell {view.plan.run} resume"
        rows.append(Text(f" {paused(view, now_ms)}{mend}", style="yellow"))
    if view.muted and view.phase == "running":
        names = listed([view.display(bot) for bot in view.muted], most=5)
        rows.append(Text(f" muted: {names}", style="dim"))
    return rows


def _floor(view: View, channel: Channel, now_ms: int, styles: Mapping[str, str]) -> Text:
    row = Text(" ")
    if len(view.channels) > 1 or channel.name not in view.plan.channels:
        row.append(f"{channel.name}: ", style="dim")
    first = channel.holders[0]
    row.append(view.display(first.bot), style=f"{styles.get(first.bot, '')} bold")
    others = [view.display(holder.bot) for holder in channel.holders[1:]]
    if others:
        joint = ", " if len(others) > 1 else " and "
        row.append(f"{joint}{listed(others, most=4)}")
    row.append(" hold the floor" if others else " holds the floor")
    if channel.asked > 1:
        row.append(f", {channel.asked - len(channel.holders)} of {channel.asked} answered")
    if first.tries:
        row.append(f", try {first.tries + 1}", style="yellow")
    left = _deadline(channel) - now_ms
    if left < -OVERDUE_MS:
        late = f" · {lasting(-left)} overdue: does an orchestrator run? parley orchestrator"
        return row.append(late, style="yellow")
    return row.append(f" · {lasting(left)} left", style="dim")


def _deadline(channel: Channel) -> int:
    return min(holder.deadline_ms for holder in channel.holders)


def _missing(view: View, now_ms: int) -> list[Text]:
    """Tell what the run waits for, and the line that mends it."""
    unserved = listed([view.display(bot) for bot in view.unserved], most=5)
    if view.phase == "new":
        return [Text(" waiting for an orchestrator: parley orchestrator", style="dim")]
    if view.phase == "ended":
        mend = ": parley orchestrator" if now_ms - view.ended_ms > SLOW_CLOSING_MS else ""
        return [Text(f" the run has ended; its record waits to be closed{mend}", style="dim")]
    if view.phase == "gathering":
        left = lasting(view.began_ms + view.plan.gather_ms - now_ms)
        style = "yellow" if now_ms - view.began_ms > SLOW_GATHERING_MS else "dim"
        return [Text(f" waiting {left} yet for {unserved}: parley bots", style=style)]
    if view.phase == "running" and view.unserved:
        return [Text(f" no host serves {unserved}: parley bots", style="yellow")]
    return []
