"""`parley runs`: what runs there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from analytics.observer.runs import Glance
    from utils.streams import Streams

HELP = """List the runs there are, the last started first.

PHASE is `gathering` while bots take their seats, then `running`, `ended`, and `closed`
once the record is complete; `paused` until somebody lets it go on; `waiting for an
orchestrator` while nobody leads the run; `unreadable` when its record is damaged.
STARTED is local time.

With --json: one object a line, with the keys run, scenario, phase (new, gathering,
running, ended, closed or unreadable), paused, leader, turns, turns_asked, started_ms,
spec_sha256 and labels.

\b
Examples:
  parley runs
  parley runs --limit 3 --json
"""
COLUMNS = ("RUN", "SCENARIO", "PHASE", "TURNS", "STARTED", "LABELS")


@click.command(help=HELP, short_help="List runs.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Most runs."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(limit: int, as_json: bool) -> None:
    """List runs."""
    from parley.opening import records, settings

    with records(settings(), name="runs") as connection:
        for line in list_runs(connection, limit=limit, as_json=as_json):
            click.echo(line)


def list_runs(streams: Streams, *, limit: int, as_json: bool) -> list[str]:
    """Write the last runs as lines: a table, or JSON."""
    from analytics.observer.runs import glance, registered

    entries = registered(streams)
    glances = [glance(streams, entry) for entry in entries[:limit]]
    if as_json:
        return [_json(one) for one in glances]
    if not glances:
        return ["no runs yet; start one with: parley demo"]
    rows = _table([COLUMNS, *(_row(one) for one in glances)])
    more = len(entries) - len(glances)
    return [*rows, f"and {more} more: parley runs --limit {len(entries)}"] if more else rows


def _row(one: Glance) -> tuple[str, ...]:
    from utils.printable import printable_line

    is_led = one.leader is not None or one.phase in ("ended", "closed", "unreadable")
    phase = "paused" if one.is_paused else one.phase
    most = "at most " if one.is_most else ""
    asked = "" if one.turns_asked is None else f" of {most}{one.turns_asked}"
    labels = (f"{name}={printable_line(value)}" for name, value in one.entry.labels.items())
    return (
        one.entry.run,
        one.entry.scenario,
        phase if is_led else "waiting for an orchestrator",
        f"{one.turns}{asked}",
        _local(one.entry.started_ms),
        " ".join(labels),
    )


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Set rows in columns; all but the last column hold ASCII only."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(COLUMNS) - 1)]
    return [
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]
        ).rstrip()
        for row in rows
    ]


def _local(ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(ms / 1000, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _json(one: Glance) -> str:
    import json

    return json.dumps(
        {
            "run": one.entry.run,
            "scenario": one.entry.scenario,
            "phase": one.phase,
            "paused": one.is_paused,
            "leader": one.leader,
            "turns": one.turns,
            "turns_asked": one.turns_asked,
            "started_ms": one.entry.started_ms,
            "spec_sha256": one.entry.spec_sha256,
            "labels": one.entry.labels,
        }
    ).replace("\x7f", "\\u007f")
