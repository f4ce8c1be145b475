"""Runs driven at a table, with their records on a server inside this process."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from analytics.columns import Row
from analytics.tables import tables_from
from orchestrator.state import Grant
from tests.scenes import Table, spec_of
from tests.swarm import fake_streams
from utils import keys
from utils.callfile import RecordedCall, read_call
from utils.calls import CallRecord, ChatMessage, Exposure, messages_sha256
from utils.journal import sha256_of
from utils.protocol import CallsCounted, Started
from utils.spec import Spec
from utils.streams import Streams

RUN = "tea-1"


class Recorded:
    """A run whose journal and calls can be exported at any moment.

    Attributes:
        table: Where it is driven; `write` brings the journal to the server.
    """

    def __init__(
        self, spec: Spec | None = None, *, run: str = RUN, streams: Streams | None = None
    ) -> None:
        self.run = run
        self.streams = streams or fake_streams()
        self.spec = spec or spec_of()
        self.body = self.spec.model_dump_json()
        self.table = Table(self.spec)
        self._written = 0
        entry = {
            "run": run,
            "scenario": self.spec.scenario,
            "spec_sha256": sha256_of(self.body),
            "labels": self.spec.labels,
            "started_ms": 5,
        }
        assert self.streams.register(run, spec=self.body, entry=json.dumps(entry), now_ms=5)

    def begin(self) -> Recorded:
        self.table.notice(Started(run=self.run, spec_sha256=sha256_of(self.body)))
        for bot in self.spec.bots:
            self.table.join(bot.name)
        return self

    def say(self, text: str, *, after_ms: int = 10, **call: Any) -> str:
        """Let the holder of the floor ask its model and say this; the call's hash."""
        self.table.now_ms += after_ms
        sha256 = self.call(said=text, response=text, **call)
        self.table.propose(text=text, call_sha256=sha256)
        return sha256

    def call(self, grant: Grant | None = None, **changes: Any) -> str:
        """Record an attempt at the live grant; its hash."""
        body = record_of(self.run, grant or self.table.grant, **changes).model_dump_json()
        self.streams.append(keys.calls(self.run), body)
        return sha256_of(body)

    def talk(self, turns: int) -> Recorded:
        for number in range(turns):
            self.say(f"Line {number}.")
        return self

    def close(self) -> Recorded:
        calls, last_id = self.streams.tally(keys.calls(self.run))
        self.table.notice(CallsCounted(calls=calls, last_id=last_id))
        return self

    def write(self) -> Recorded:
        """Bring the commits made so far to the server."""
        for sealed in self.table.journal[self._written :]:
            self.streams.commit(self.run, sealed, {})
        self._written = len(self.table.journal)
        return self

    def calls(self) -> list[RecordedCall]:
        entries = self.streams.all(keys.calls(self.run))
        return [read_call(entry.id, entry.body) for entry in entries]


def record_of(run: str, grant: Grant, **changes: Any) -> CallRecord:
    """Write the record of an answered attempt at a grant."""
    event = grant.event
    messages = (ChatMessage(role="system", content="Be."), ChatMessage(role="user", content="Go."))
    given = {
        "run": run,
        "call_id": f"c{event.epoch}",
        "attempt": 1,
        "bot": event.bot,
        "host": f"host-{event.bot}",
        "seat": 1,
        "channel": event.channel,
        "turn": event.turn,
        "tries": event.tries,
        "epoch": event.epoch,
        "source": "model",
        "mind": "ollama",
        "model": "llama3.2:1b",
        "prompt": "default",
        "prompt_sha256": "a" * 64,
        "messages": messages,
        "messages_sha256": messages_sha256(messages),
        "options": {"temperature": 0.8, "stop": ("\n", "Bo:")},
        "seed": event.seed % 2**31,
        "outcome": "answered",
        "prompt_tokens": 40,
        "answer_tokens": 7,
        "total_ns": 1_500_000,
        "started_ms": 77,
        "took_ms": 12.5,
        "exposures": (Exposure(item="1.2", seen=True),),
    }
    return CallRecord.model_validate(given | changes)


def tables(run: Recorded) -> dict[str, list[Row]]:
    """Fold a run's records into its tables; those without rows are left out."""
    rows: dict[str, list[Row]] = {}
    for table, row in tables_from(run.body, run.table.journal, run.calls(), run=run.run):
        rows.setdefault(table, []).append(row)
    return rows


def pick(rows: list[Row], *names: str) -> list[tuple[Any, ...]]:
    """Take some columns of a table."""
    return [tuple(row[name] for name in names) for row in rows]


def read_table(folder: Path, table: str) -> list[dict[str, str]]:
    """Read a table back as anybody would."""
    with (folder / "tables" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def every_file(folder: Path) -> dict[str, bytes]:
    """Read a dataset's files, by their path in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
