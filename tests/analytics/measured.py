"""Tables made by hand, for metrics."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import pandas as pd

from analytics.metrics.frames import Frames
from analytics.metrics.seam import Metric, Reading, readings
from analytics.tables import TABLES

Line = tuple[str | None, str]
"""Who said it, none for words from outside, and what."""

BOTS = ("ada", "bo", "cy")
GAP_MS = 100


def frames_of(
    lines: Sequence[Line], *, bots: Sequence[str] = BOTS, run: str = "tea", **tables: Any
) -> Frames:
    """Make a run's tables from what was said in its one channel, every 100 ms.

    Every message of a bot comes from a call whose prompt held all messages before it.
    """
    return Frames({**_empty(), **told(lines, bots=bots, run=run), **tables})


def told(
    lines: Sequence[Line], *, bots: Sequence[str] = BOTS, run: str = "tea"
) -> dict[str, pd.DataFrame]:
    made = [_message(run, place, line) for place, line in enumerate(lines)]
    messages = pd.DataFrame(made, columns=_columns("messages")).astype({"speaker": object})
    exposures = [
        {"run_id": run, "call_sha256": one["call_sha256"], "kind": "message", "seen": True}
        | {"item": before["message_id"]}
        for place, one in enumerate(made)
        if one["speaker"]
        for before in made[:place]
    ]
    turns = [
        {"run_id": run, "bot": one["speaker"], "outcome": "acted", "latency_ms": 10 + place}
        for place, one in enumerate(made)
        if one["speaker"]
    ]
    return {
        "messages": messages,
        "turns": pd.DataFrame(turns, columns=_columns("turns")),
        "exposures": pd.DataFrame(exposures, columns=_columns("exposures")),
        "bots": pd.DataFrame([{"run_id": run, "bot": bot, "display": bot.title()} for bot in bots]),
    }


def met(encounters: Iterable[tuple[str, str, str, str]], *, run: str = "tea") -> pd.DataFrame:
    """Make the table of a naming game: who met whom, and what either named."""
    fields = [
        {
            "encounter": number,
            "speaker": speaker,
            "hearer": hearer,
            "words": [one, other],
            "success": one == other,
        }
        for number, (speaker, hearer, one, other) in enumerate(encounters, start=1)
    ]
    rows = [
        {"run_id": run, "seq": number, "place": 0, "kind": "naming.met", "fields": json.dumps(one)}
        for number, one in enumerate(fields)
    ]
    return pd.DataFrame(rows, columns=_columns("world_events"))


def read(metric: Metric, frames: Frames) -> list[Reading]:
    return list(readings(metric, frames))


def _message(run: str, place: int, line: Line) -> dict[str, Any]:
    speaker, text = line
    return {
        "run_id": run,
        "message_id": f"{place + 1}.0",
        "seq": place + 1,
        "place": 0,
        "run_ms": place * GAP_MS,
        "channel": "main",
        "turn": place,
        "speaker": speaker,
        "text": text,
        "call_sha256": f"call-{place}" if speaker else None,
    }


def _columns(table: str) -> list[str]:
    return [column.name for column in TABLES[table]]


@cache
def _empty() -> dict[str, pd.DataFrame]:
    return {table: pd.DataFrame(columns=_columns(table)) for table in TABLES}
