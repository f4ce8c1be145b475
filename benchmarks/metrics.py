"""How long all metrics of one run take, metric by metric.

    python benchmarks/metrics.py --messages 10000

The run is made up: bots that say English words, drawn as words are (a Zipf law), and half
of them from VADER's lexicon, which is the hard case for it; each heard the last 20 messages.
"""

from __future__ import annotations

import csv
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import pandas as pd
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from analytics.codebook import HEADER, codebook_rows
from analytics.tables import TABLES
from tests.scenes import spec_of
from utils.dataset import Dataset
from utils.manifest import Manifest, manifest_text

RUN, HEARD = "made-up", 20


def made_up(folder: Path, *, messages: int, words: int, bots: int) -> Path:
    """Write the tables that metrics read."""
    tables = folder / "tables"
    tables.mkdir(parents=True)
    names = [f"bot-{number}" for number in range(bots)]
    rows = _messages(messages, words, names)
    _write(tables, "messages", rows)
    _write(tables, "bots", [{"bot": name, "display": name.title()} for name in names])
    _write(tables, "runs", [{"scenario": "made-up"}])
    _write(tables, "world_events", [])
    turns = [{"bot": row["speaker"], "outcome": "acted", "latency_ms": 900} for row in rows]
    _write(tables, "turns", turns)
    seen = [
        {"call_sha256": row["call_sha256"], "kind": "message", "seen": "true"}
        | {"item": before["message_id"]}
        for at, row in enumerate(rows)
        for before in rows[max(0, at - HEARD) : at]
    ]
    _write(tables, "exposures", seen)
    _write(tables, "measures", [])
    manifest = Manifest(
        run=RUN,
        scenario=RUN,
        phase="closed",
        commits=0,
        last_sha256="",
        calls=0,
        spec_sha256="0" * 64,
        seed=0,
        files={},
    )
    (folder / "manifest.json").write_text(manifest_text(manifest))
    (folder / "raw").mkdir()
    (folder / "raw" / "spec.json").write_text(spec_of().model_dump_json())
    with (folder / "codebook.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *codebook_rows()])
    return folder


def _messages(count: int, words: int, names: list[str]) -> list[dict[str, object]]:
    dice = np.random.default_rng(7)
    lengths = dice.poisson(words, count) + 1
    toned = sorted(word for word in SentimentIntensityAnalyzer().lexicon if word.isalpha())
    known = [word for one in toned for word in (one, f"un{one}")]
    dice.shuffle(known)
    drawn = iter(np.minimum(dice.zipf(1.3, lengths.sum()), len(known)) - 1)
    return [
        {
            "message_id": f"{at + 1}.0",
            "seq": at + 1,
            "place": 0,
            "run_ms": at * 1_000,
            "channel": "main",
            "turn": at + 1,
            "speaker": names[at % len(names)],
            "text": " ".join(known[next(drawn)] for _ in range(length)).capitalize() + ".",
            "call_sha256": f"call-{at}",
        }
        for at, length in enumerate(lengths)
    ]


def _write(tables: Path, table: str, rows: list[dict[str, object]]) -> None:
    columns = [column.name for column in TABLES[table]]
    pd.DataFrame(rows, columns=columns).assign(run_id=RUN if rows else None).to_csv(
        tables / f"{table}.csv", index=False
    )


@click.command()
@click.option("--messages", default=10_000, show_default=True)
@click.option("--words", default=50, show_default=True, help="A message, on average.")
@click.option("--bots", default=5, show_default=True)
def main(messages: int, words: int, bots: int) -> None:
    """Measure how long all metrics of one run take."""
    with TemporaryDirectory() as place:
        folder = made_up(Path(place) / RUN, messages=messages, words=words, bots=bots)
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        from analytics.catalogue import metrics  # noqa: PLC0415 - it is timed
        from analytics.measuring import measure  # noqa: PLC0415 - it is timed

        chosen = metrics()
        print(f"{time.perf_counter() - began_s:6.2f} s  to load {len(chosen)} metrics")
        took_s: dict[str, float] = {}
        last_s = time.perf_counter()
        for one in measure([Dataset.open(folder)], chosen):
            now_s = time.perf_counter()
            took_s[one.metric.name] = took_s.get(one.metric.name, 0.0) + now_s - last_s
            last_s = now_s
        for name, spent_s in sorted(took_s.items(), key=lambda pair: -pair[1])[:12]:
            print(f"{spent_s:6.2f} s  {name}")
        print(f"{time.perf_counter() - began_s:6.2f} s  in all, {messages:,} messages")
        print(f"{time.process_time() - began_cpu_s:6.2f} s  of that on a processor")


if __name__ == "__main__":
    main()
