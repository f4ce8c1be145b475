"""How fast a run is exported, and whether memory stays flat. By hand:

python benchmarks/export.py [MESSAGES ...]

A synthetic run of two scripted bots is written to an embedded server, a commit and a
call a message, then exported: server to folder, raw files, tables and all.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from analytics.export import export_run
from analytics.tables import tables_from
from orchestrator.state import Grant
from tests.analytics.recorded import Recorded, record_of
from tests.scenes import spec_of
from tests.swarm import fake_streams
from utils import keys
from utils.callfile import RecordedCall
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


def fold_alone(messages: int) -> float:
    """Messages a second through the fold, records parsed already, no file written."""
    run = begun(fake_streams(), "fold")
    commits = [run.table.journal[0], *(sealed for sealed, _ in turns(run, messages))]
    none: list[RecordedCall] = []
    started_ms = monotonic_ms()
    rows = sum(1 for table, _ in tables_from(run.body, commits, none, run="fold"))
    assert rows > 2 * messages
    return messages / (monotonic_ms() - started_ms) * 1000


def main() -> None:
    sizes = [int(one) for one in sys.argv[1:]] or [2_000, 20_000, 100_000]
    print(f"the fold alone: {fold_alone(10_000):,.0f} messages/s, and as many turns")
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedServer.open(Path(folder) / "server", fsync="everysec") as server,
    ):
        streams = Streams(server.url)
        for messages in sizes:
            run = f"bench-{messages}"
            fill(streams, begun(streams, run), messages)
            started_ms = monotonic_ms()
            exported = export_run(streams, run, Path(folder) / run)
            took_ms = monotonic_ms() - started_ms
            assert exported.rows["messages"] == messages + 1
            peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            every = sum(exported.rows.values())
            print(
                f"{messages:>9,} messages: {took_ms / 1000:6.1f} s, "
                f"{messages / took_ms * 1000:>7,.0f} messages/s, "
                f"{every / took_ms * 1000:>7,.0f} rows/s in all tables, "
                f"peak memory so far {peak_mb:.0f} MB"
            )


if __name__ == "__main__":
    main()
