"""The tables in short, what went wrong, what people did, and the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analytics.report import wording
from analytics.report.asked import left_out, mono
from analytics.report.markup import Child, Html, joined, pairs, table, tag
from analytics.report.plots import Cast
from analytics.report.source import Source
from utils.printable import printable_line

MOST_ROWS = 40
MOST_INCIDENTS = 25

MEANINGS: Mapping[str, str] = {
    "messages": "one thing heard",
    "turns": "one grant, and how it closed",
    "actions": "one thing done that is not speech",
    "calls": "one attempt at a model: prompt and answer as text",
    "exposures": "one item in one prompt: who saw what, and what was left out",
    "memories": "one thing a bot wrote down",
    "measures": "one value that the world measured",
    "interventions": "one thing that somebody outside told the run",
    "world_events": "one event of a kind of the world's own",
    "bots": "one bot, and how it fared",
    "runs": "the run itself",
    "incidents": "one thing that went wrong, and what was done",
}


def bots(source: Source, cast: Cast) -> Html:
    """Write how each bot fared."""
    frame = source.frames["bots"]
    head = ("bot", "said", "heard", "granted", "passed", "revoked", "median latency", "slowest",
            "calls", "failed", "prompt tokens", "answer tokens")  # fmt: skip
    names = "said received granted passed revoked latency_p50_ms latency_max_ms".split()
    names += "calls calls_failed prompt_tokens answer_tokens".split()
    rows = []
    for row in frame.head(MOST_ROWS).to_dict("records"):
        cells = [_cell(row, name) for name in names]
        rows.append((cast.shown(str(row["bot"]), most=40), *cells))
    whole = table(head, rows, numeric=range(1, len(head)), caption="How each bot fared")
    return joined((whole, left_out(len(frame) - len(rows), "bot", "bots.csv")))


def tables(source: Source) -> Html:
    """Write how many rows each table has, and what a row is."""
    rows = [
        (mono(f"{name}.csv"), MEANINGS.get(name, ""), wording.count(rows))
        for name, rows in source.manifest.rows.items()
    ]
    return table(("table", "a row is", "rows"), rows, numeric=(2,), caption="Tables")


def incidents(source: Source) -> Html:
    """Write what went wrong: counted by name, then one by one as far as there is room."""
    frame = source.frames["incidents"]
    if frame.empty:
        return tag("p", "None: nothing was rejected or revoked, and no attempt failed.")
    counts = frame["name"].value_counts(sort=False).sort_values(ascending=False, kind="stable")
    counted = table(
        ("what", "times"),
        ((str(name), wording.count(times)) for name, times in counts.items()),
        numeric=(1,),
        caption="Incidents by name",
    )
    first = frame.sort_values("run_ms", kind="stable", na_position="last").head(MOST_INCIDENTS)
    rows = [
        (
            _word(row, "name"),
            wording.duration(_number(row, "run_ms")),
            _word(row, "channel"),
            _word(row, "turn"),
            _word(row, "bot"),
            tag("div", _word(row, "detail"), class_="long"),
            tag("div", _word(row, "done"), class_="long"),
        )
        for row in first.to_dict("records")
    ]
    head = ("what", "at", "channel", "turn", "bot", "detail", "what was done")
    single = table(head, rows, numeric=(1, 3), caption="Incidents")
    return joined((counted, single, left_out(len(frame) - len(rows), "incident", "incidents.csv")))


def interventions(source: Source) -> Html | None:
    """Write what people told the run; nothing where they told it nothing."""
    frame = source.frames["interventions"]
    if frame.empty:
        return None
    rows = [
        (
            _word(row, "verb"),
            _word(row, "author"),
            wording.duration(_number(row, "run_ms")),
            " ".join(part for part in (_word(row, "channel"), _word(row, "bot")) if part),
            tag("div", _word(row, "text") or _word(row, "args"), class_="long"),
        )
        for row in frame.head(MOST_ROWS).to_dict("records")
    ]
    head = ("what", "by", "at", "to", "words")
    whole = table(head, rows, numeric=(2,), caption="Interventions")
    more = left_out(len(frame) - len(rows), "intervention", "interventions.csv")
    return joined((whole, more))


def manifest(source: Source) -> Html:
    """Write what the dataset says of itself."""
    seal = source.manifest
    started = ", ".join(f"{name} {version}" for name, version in seal.started_with.items())
    made = ", ".join(f"{name} {version}" for name, version in seal.made_with.items())
    facts = pairs(
        {
            "Run": seal.run,
            "Seal": mono(seal.seal) if seal.seal else None,
            "Chain's last hash": mono(seal.last_sha256),
            "Commits, calls": f"{wording.count(seal.commits)}, {wording.count(seal.calls)}",
            "Scenario's hash": mono(seal.spec_sha256),
            "Format": f"{seal.format}, text cells {seal.text}",
            "Withheld": ", ".join(seal.withheld),
            "Started with": started,
            "Made with": made,
        },
        is_long=True,
    )
    promises = [
        joined((tag("h3", title), tag("ul", *(tag("li", one) for one in said))))
        for title, said in (
            ("What is deterministic", seal.deterministic),
            ("What is not", seal.not_deterministic),
        )
        if said
    ]
    files = table(
        ("file", "bytes", "SHA-256"),
        (
            (mono(name), wording.count(seal.files[name].bytes), mono(seal.files[name].sha256))
            for name in sorted(seal.files)
        ),
        numeric=(1,),
        caption="Files and their hashes",
    )
    return joined((facts, *promises, tag("h3", "Files"), files))


def _cell(row: Mapping[Any, Any], name: str) -> Child:
    number = _number(row, name)
    if name.endswith("_ms"):
        return wording.duration(number)
    said = wording.count(number)
    return (
        tag("span", said, class_="some") if number and name in ("revoked", "calls_failed") else said
    )


def _number(row: Mapping[Any, Any], name: str) -> float | None:
    value = row.get(name)
    return None if value is None or pd.isna(value) else float(value)


def _word(row: Mapping[Any, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None or pd.isna(value) else printable_line(str(value), most=240)
