"""Excerpts of the transcript: the beginning, the middle and the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

from analytics.report import wording
from analytics.report.markup import Html, tag
from analytics.report.plots import Cast
from analytics.report.source import Source

EACH = 6
"""Messages of the beginning, of the middle and of the end."""
MOST_CHARS = 900


def excerpts(source: Source, cast: Cast) -> Html:
    """Write what was said at the beginning, in the middle and at the end."""
    return _talk(source, cast, chosen(len(source.frames["messages"])))


def beginning(source: Source, cast: Cast) -> Html:
    """Write what was said at the beginning."""
    return _talk(source, cast, range(min(EACH, len(source.frames["messages"]))))


def _talk(source: Source, cast: Cast, places: Iterable[int]) -> Html:
    messages = source.frames["messages"]
    if messages.empty:
        return tag("p", "Nobody said anything.", class_="note")
    has_channels = messages["channel"].nunique() > 1
    items: list[Html] = []
    last = -1
    for place in places:
        if place - last > 1:
            skipped = wording.count(place - last - 1, "message")
            items.append(tag("li", f"{skipped} left out", class_="gap"))
        items.append(_message(messages.iloc[place], cast, has_channels=has_channels))
        last = place
    return tag("ol", *items, class_="talk")


def chosen(messages: int) -> Iterator[int]:
    """Choose the places of messages that are shown; a gap of one is none.

    Example:
        >>> list(chosen(5)), len(list(chosen(18))), len(list(chosen(1000)))
        ([0, 1, 2, 3, 4], 18, 18)
        >>> list(chosen(1000))[5:8]
        [5, 497, 498]
    """
    if messages <= 3 * EACH + 2:
        yield from range(messages)
        return
    middle = (messages - EACH) // 2
    for start in (0, middle, messages - EACH):
        yield from range(start, start + EACH)


def _message(row: pd.Series, cast: Cast, *, has_channels: bool) -> Html:
    speaker = row["speaker"]
    at = f"turn {row['turn']}"
    if has_channels:
        at = f"{row['channel']}, {at}"
    if pd.isna(speaker):
        author = "" if pd.isna(row["author"]) else f", {row['author']}"
        who, class_ = f"from outside{author}", "who soft"
    else:
        place = cast.series(str(speaker))
        who = cast.shown(str(speaker), most=40)
        class_ = "who" if place is None else f"who k{place + 1}"
    text = "" if pd.isna(row["text"]) else str(row["text"])
    return tag(
        "li",
        tag("span", who, tag("span", at, class_="at"), class_=class_),
        tag("p", _cut(text), class_="words", dir="auto"),
    )


def _cut(text: str) -> str:
    """Cut what would fill pages; say how much was."""
    lines = text.split("\n")
    short = "\n".join(lines[:12])[:MOST_CHARS]
    if len(short) == len(text):
        return text
    return f"{short} ... ({len(text) - len(short):,} more characters)"
