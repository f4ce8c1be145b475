"""What must be beside a journal, whatever happened: in the channels, and on the recorder's disk."""

from __future__ import annotations

from collections.abc import Iterator

from analytics.recorder.track import call_line, commit_line
from tests.chaos.entries import written
from tests.chaos.scene import RUN
from tests.chaos.simulation import Played
from tests.swarm import happened
from utils import keys
from utils.journal import Sealed
from utils.mail import ChannelEntry
from utils.streams import Entry, order_of


def added(played: Played, *names: str) -> list[Entry]:
    """List what was added to streams, in order: what was forgotten is not in it, trimmed is."""
    entries = []
    for group in played.log:
        for does, key, *rest in group:
            if does == "add" and key in names:
                fields = rest[1]
                named = dict(zip(fields[::2], fields[1::2], strict=True))
                entries.append(Entry(key, written(rest[0]), named))
    return entries


def in_channels(played: Played, journal: list[Sealed]) -> Iterator[str]:
    """A channel's entries are the journal's, each on top of the one before."""
    for opened in happened(journal, "channel_opened"):
        last = ""
        told = []
        entries = added(played, keys.channel(RUN, opened.channel))
        for entry in entries:
            read = ChannelEntry.model_validate_json(entry.body)
            sha256 = journal[read.seq - 1].sha256
            if (entry.id, read.commit_sha256) != (f"{read.seq}-0", sha256) or read.prev != last:
                yield f"{opened.channel} {entry.id} is not the journal's"
            last = f"{read.seq}:{sha256}"
            told += [event for event in read.events if event.kind == "heard"]
        if told != [one for one in happened(journal, "heard") if one.channel == opened.channel]:
            yield f"{opened.channel}: what is heard there is not what the journal says"
        yield from _left(played, opened.channel, entries)


def _left(played: Played, channel: str, entries: list[Entry]) -> Iterator[str]:
    """What is left of a channel is part of it, its end always; all of it where nobody trims."""
    left = list(played.streams.all(keys.channel(RUN, channel)))
    gone = [one for one in entries if one not in left]
    if [one for one in entries if one in left] != left:
        yield f"{channel}: what is left there was never written"
    if gone and (not played.scene.trimmed_at or gone[-1] == entries[-1]):
        yield f"{channel}: {len(gone)} entries are gone, the last of them {gone[-1].id}"


def on_disk(played: Played, journal: list[Sealed]) -> Iterator[str]:
    """The recorder has every commit and every call up to the record's end, to the last byte."""
    if played.kept is None:
        return
    commits = [commit_line(one) for one in added(played, keys.journal(RUN))]
    if played.kept.lines["journal"] != commits:
        yield "what is recorded is not the journal"
    last = [order_of(one.last_call_id) for one in happened(journal, "closed")]
    calls = [one for one in added(played, keys.calls(RUN)) if order_of(one.id) <= last[-1]]
    held, recorded = [call_line(one) for one in calls], played.kept.lines["calls"]
    more = [line for line in recorded if line not in held]  # what the server lost, it alone has
    if [line for line in recorded if line not in more] != held:
        yield "what is recorded are not the calls"
    if more and "tail lost" not in {one.fault for one in played.faults}:
        yield f"{len(more)} calls are recorded that were never written"
    if played.kept.closed != journal[-1].sha256:
        yield "the recording is closed at another commit"


def trimmed(played: Played) -> int:
    """Count the entries that were taken from the server."""
    return sum(len(write[2]) for group in played.log for write in group if write[0] == "remove")
