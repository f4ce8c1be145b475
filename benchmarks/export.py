"""How fast a run is exported and verified, and whether memory stays flat. By hand:

python benchmarks/export.py [MESSAGES ...]

A synthetic run of two scripted bots is written to an embedded server, a commit and a
call a message. A process of its own exports it, server to folder, raw files, tables and
manifest, then verifies the folder. The server holds about 5 KB a message.
"""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from analytics.export import export_run
from analytics.files import NewFiles
from analytics.sheets import open_sheets
from analytics.tables import tables_from
from analytics.verify import verify
from orchestrator.state import Grant
from tests.analytics.recorded import Recorded, record_of
from tests.scenes import spec_of
from tests.swarm import fake_streams
from utils import keys
from utils.callfile import RecordedCall, read_call
from utils.clock import monotonic_ms
from utils.journal import NO_HASH, Commit, Consumed, Sealed, seal, sha256_of
from utils.protocol import Acted, AskSay, Event, Granted, Heard, Say, TurnClosed
from utils.server import EmbeddedServer
from utils.streams import Streams

BATCH = 1_000
TEXT = "What a town is for changes with who is asked, and when; shade, trade, or company. " * 3


def granted(turn: int) -> Granted:
    return Granted(
        channel="main",
        turn=turn,
        round=(turn + 1) // 2,
        tries=0,
        asked=1,
        bot="ada" if turn % 2 else "bo",
        epoch=turn,
        allow_ms=120_000,
        deadline_ms=1_120_000 + turn,
        seed=turn,
        ask=AskSay(max_chars=4_000),
    )


def said(grant: Granted, seq: int, sha256: str) -> list[Event]:
    turn, bot, say = grant.turn, grant.bot, Say(text=TEXT)
    return [
        Acted(channel="main", turn=turn, bot=bot, epoch=turn, call_sha256=sha256, action=say),
        TurnClosed(channel="main", turn=turn, outcome="acted", answered=1, asked=1),
        Heard(
            message_id=f"{seq}.2",
            channel="main",
            turn=turn,
            round=grant.round,
            speaker=bot,
            audience="all",
            text=TEXT,
            epoch=turn,
            call_sha256=sha256,
        ),
        granted(turn + 1),
    ]


def turns(run: Recorded, messages: int) -> Iterator[tuple[Sealed, str]]:
    """Go on with a journal that has begun: a commit, and the call it names, a message."""
    last = run.table.journal[-1]
    for turn in range(1, messages + 1):
        grant = granted(turn)
        call = record_of(run.run, Grant(grant, seq=1), response=TEXT, said=TEXT).model_dump_json()
        events = said(grant, last.seq + 1, sha256_of(call))
        proposal = f'{{"kind":"proposed","author":"host-1","action":{{"text":"{TEXT}"}}}}'
        last = seal(
            Commit(
                seq=last.seq + 1,
                prev=last.sha256,
                at_ms=1_000_000 + turn,
                cursor=f"{turn}-0",
                inputs=(Consumed(id=f"{turn}-0", author="host-1", nonce=f"n{turn}", raw=proposal),),
                events=tuple(events),
            )
        )
        yield last, call


def fill(streams: Streams, run: Recorded, messages: int) -> None:
    """Write the run to the server, in batches."""
    pipe = streams._redis.pipeline(transaction=False)
    for number, (sealed, call) in enumerate(turns(run, messages), start=1):
        pipe.xadd(keys.calls(run.run), {"b": call})
        fields = {"b": sealed.body, "h": sealed.sha256}
        pipe.xadd(keys.journal(run.run), fields, id=f"{sealed.seq}-0")
        if number % BATCH == 0:
            pipe.execute()
    pipe.execute()


def begun(streams: Streams, run: str) -> Recorded:
    """Begin a run with its first grant made, in one commit."""
    spec = spec_of(["ada", "bo"], turns=None, end=None)
    recorded = Recorded(spec, run=run, streams=streams)
    recorded.begin()
    events = [event for event in recorded.table.events() if event.kind != "granted"]
    first = Commit(seq=1, prev=NO_HASH, at_ms=1_000_000, cursor="0-0", events=(*events, granted(1)))
    recorded.table.journal[:] = [seal(first)]
    return recorded.write()


def in_memory(messages: int) -> tuple[str, list[Sealed], list[RecordedCall]]:
    """Make a run's records, parsed already."""
    run = begun(fake_streams(), "fold")
    pairs = list(turns(run, messages))
    commits = [run.table.journal[0], *(sealed for sealed, _ in pairs)]
    return run.body, commits, [read_call(f"{at}-0", call) for at, (_, call) in enumerate(pairs)]


def fold_alone(spec: str, commits: list[Sealed], calls: list[RecordedCall]) -> float:
    """Rows a second through the fold: all tables, no file written."""
    started_ms = monotonic_ms()
    rows = sum(1 for _ in tables_from(spec, commits, calls, run="fold"))
    return rows / (monotonic_ms() - started_ms) * 1000


def messages_alone(folder: Path, spec: str, commits: list[Sealed]) -> float:
    """Rows a second of one table, from row to file."""
    told = tables_from(spec, commits, [], run="fold")
    rows = [row for table, row in told if table == "messages"]
    started_ms = monotonic_ms()
    with NewFiles(folder) as files:
        with open_sheets(files, []) as sheets:
            for row in rows:
                sheets.add("messages", row)
        files.seal()
    return len(rows) / (monotonic_ms() - started_ms) * 1000


def alone(folder: Path) -> None:
    """Print how fast the parts are, records parsed already."""
    spec, commits, calls = in_memory(10_000)
    gc.freeze()  # what is held here would not be, in an export
    print(f"the fold alone:          {fold_alone(spec, commits, calls):>9,.0f} rows/s")
    print(f"messages, row to file:   {messages_alone(folder, spec, commits):>9,.0f} rows/s")


def export_and_verify(url: str, run: str, folder: Path) -> None:
    """Do it in this process, and print how long it took and what it held."""
    streams = Streams(url)
    began_s, began_ms = time.process_time(), monotonic_ms()
    exported = export_run(streams, run, folder)
    cpu_s, took_s = time.process_time() - began_s, (monotonic_ms() - began_ms) / 1000
    messages, every = exported.rows["messages"], sum(exported.rows.values())
    print(
        f"{messages - 1:>9,} messages: export {took_s:6.1f} s, {messages / took_s:>6,.0f} "
        f"messages/s, {every / took_s:>7,.0f} rows/s in all tables "
        f"({every / cpu_s:,.0f} a second of its own CPU), peak {peak():.0f} MB",
        flush=True,
    )
    began_s, began_ms = time.process_time(), monotonic_ms()
    assert verify(folder).holds
    cpu_s, took_s = time.process_time() - began_s, (monotonic_ms() - began_ms) / 1000
    print(
        f"{'':>19} verify {took_s:6.1f} s ({cpu_s:.1f} s of CPU), peak {peak():.0f} MB", flush=True
    )


def peak() -> float:
    """MB that this process held at most; `getrusage` would tell its parent's, too."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        export_and_verify(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
        return
    sizes = [int(one) for one in sys.argv[1:]] or [10_000, 100_000]
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedServer.open(Path(folder) / "server", fsync="everysec") as server,
    ):
        (Path(folder) / "alone").mkdir()
        alone(Path(folder) / "alone")
        streams = Streams(server.url)
        for messages in sizes:
            run = f"bench-{messages}"
            fill(streams, begun(streams, run), messages)
            child = [sys.executable, __file__, "--child", server.url, run, str(Path(folder) / run)]
            subprocess.run(child, check=True)
            shutil.rmtree(Path(folder) / run)
            streams._redis.delete(keys.journal(run), keys.calls(run))


if __name__ == "__main__":
    main()
