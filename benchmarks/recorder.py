"""How many commits a second a recorder follows, and what then is left at the server. By hand:

python benchmarks/recorder.py [COMMITS ...]

The synthetic run of `benchmarks/export.py`, a call with each commit, is at an embedded
server already; a recorder takes it all in, each batch on the disk before the next. It
trims nothing, since such a run has no snapshot; what a trim costs is measured by itself,
on the dearest part of it: to choose what goes of a long channel.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
from pathlib import Path

from analytics.recorder.process import Recorder
from analytics.recorder.trim import spent
from benchmarks.export import begun, fill
from utils import keys
from utils.clock import SYSTEM_CLOCK, monotonic_ms
from utils.mail import KEPT_MESSAGES
from utils.server import EmbeddedServer
from utils.streams import Entry, Streams


def record(streams: Streams, run: str, out: Path, commits: int) -> None:
    """Record a run that is there, and say how fast that was."""
    fill(streams, begun(streams, run), commits)
    recorder = Recorder(streams.another(), out, clock=SYSTEM_CLOCK)
    started_ms, before_s = monotonic_ms(), cpu_s()
    recorder.run(until_idle=True)
    took_ms, used_s = monotonic_ms() - started_ms, cpu_s() - before_s
    recording = recorder.recordings[run]
    assert recording.journal.agreed == commits + 1
    assert recording.calls.agreed == commits
    octets = sum(path.stat().st_size for path in (out / run).rglob("*") if path.is_file())
    held = streams._redis.memory_usage(keys.journal(run), samples=0) / commits
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{commits:>9,} commits: {commits / took_ms * 1000:>7,.0f} commits/s and as many calls, "
        f"{commits / used_s:,.0f} a second of its own processor time, "
        f"{octets / commits:,.0f} octets on disk a commit, {held:,.0f} at the server for its "
        f"journal alone, peak memory so far {peak_mb:.0f} MB"
    )


def cpu_s() -> float:
    """Tell the processor time this process has used: what others do does not count."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def choose(messages: int) -> None:
    """Choose what goes of a channel that everybody hears."""
    bots = [f"bot-{number}" for number in range(8)]
    opened = {"kind": "channel_opened", "members": bots}
    heard = {"kind": "heard", "audience": "all", "text": "Shade, trade, or company. " * 10}
    entries = [
        Entry("k", f"{seq}-0", {"b": json.dumps({"events": [opened if seq == 1 else heard]})})
        for seq in range(1, messages + 1)
    ]
    started_ms = monotonic_ms()
    gone = spent(entries, before=(messages, 0), reach=KEPT_MESSAGES)
    assert len(gone) == messages - 1 - KEPT_MESSAGES
    print(f"a channel of {messages:,} messages: {monotonic_ms() - started_ms} ms to choose in")


def main() -> None:
    sizes = [int(one) for one in sys.argv[1:]] or [2_000, 20_000, 100_000]
    choose(KEPT_MESSAGES + 1_000)
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedServer.open(Path(folder) / "server", fsync="everysec") as server,
    ):
        streams = Streams(server.url)
        for commits in sizes:
            record(streams, f"bench-{commits}", Path(folder) / "recordings" / str(commits), commits)
            streams._redis.flushall()


if __name__ == "__main__":
    main()
