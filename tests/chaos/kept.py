"""A run of which the server holds the end and a recorder's folder all: do both agree?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from analytics.recorder.recording import CLOSED
from analytics.recorder.segments import Segments
from analytics.recorder.track import NOTHING_READ, call_line, commit_line
from utils import keys
from utils.protocol import Closed
from utils.streams import Streams, unseal_entry


def taken(streams: Streams, run: str) -> Counter[str]:
    """Count what was taken from a run's streams, by what it was."""
    counts: Counter[str] = Counter()
    for what, name in (
        ("commits", keys.journal(run)),
        ("inputs", keys.floor(run)),
        ("calls", keys.calls(run)),
        ("entries of channels", keys.channel(run, "*")),
    ):
        for key in streams.names(name):
            counts[f"trimmed: {what}"] += streams.tally(key)[0] - streams.count(key)
    return +counts


def wrongly_kept(streams: Streams, run: str, folder: Path) -> Iterator[str]:
    """List what is wrong with the recording of a closed run.

    Args:
        streams: Has the folder for the beginnings of what was trimmed.
    """
    journal = list(streams.all(keys.journal(run)))
    events = [event for entry in journal for event in unseal_entry(entry).commit.events]
    closed = next((event for event in reversed(events) if isinstance(event, Closed)), None)
    if closed is None:
        yield "the recording is closed, and the record is not"
        return
    commits = [commit_line(entry) for entry in journal]
    upto = closed.last_call_id or NOTHING_READ
    calls = [call_line(entry) for entry in streams.all(keys.calls(run), upto=upto)]
    yield from _parting("commits", written(folder / "journal"), commits)
    yield from _parting("calls", written(folder / "calls"), calls)
    told = json.loads((folder / CLOSED).read_text())
    if (told["commits"], told["calls"]) != (len(commits), closed.calls):
        yield (
            f"the recording says it has {told['commits']} commits and {told['calls']} calls; "
            f"the record has {len(commits)} and {closed.calls}"
        )
    if (folder / "incidents.jsonl").exists():
        yield "the recording says that the server forgot something and went on otherwise"


def written(folder: Path) -> list[str]:
    """Read the lines of a recorded stream."""
    segments = Segments(folder)
    segments.look()
    return list(segments.lines())


def _parting(what: str, recorded: list[str], held: list[str]) -> Iterator[str]:
    """Tell where a recorded stream and the record's part."""
    if recorded != held:
        pairs = zip(recorded, held, strict=False)
        same = next(
            (number for number, (ours, theirs) in enumerate(pairs) if ours != theirs),
            min(len(recorded), len(held)),
        )
        yield (
            f"{what}: {len(recorded)} are recorded, the record has {len(held)}; "
            f"they part after {same}"
        )
