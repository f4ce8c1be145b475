"""What coordination costs: 10,000 turns of two scripted bots, each at a host of its own.

Real processes, a real server with `appendfsync everysec`, no model. Prints the time a
turn, and the ratio of the last thousand turns to the first thousand: it should stay
near 1, for the cost of a turn must not grow with the conversation.

    python benchmarks/turns.py [TURNS] [always|everysec]
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.launch import Launcher
from parley.library import Library
from parley.starting import start, wait_for_close
from utils.clock import SYSTEM_CLOCK
from utils.server import open_server
from utils.spec import BotSpec, ChannelSpec, EndSpec, MemorySpec, ModelSpec, Spec
from utils.streams import Streams


def main(turns: int, fsync: str) -> None:
    """Run once and print what it took."""
    library = Library.open()
    bots = tuple(
        BotSpec(
            name=name,
            persona=library.personas[name],
            prompt=library.templates["default"],
            model="m",
            memory=MemorySpec(),
        )
        for name in ("ada", "bo")
    )
    spec = Spec(
        scenario="bench",
        seed=1,
        models={"m": ModelSpec(mind="scripted")},
        bots=bots,
        channels=(ChannelSpec(name="main", members=("ada", "bo"), opening="Go."),),
        end=EndSpec(turns=turns),
    )
    with TemporaryDirectory(prefix="bench-") as folder:
        server = open_server(None, Path(folder), fsync)
        streams = Streams(server.url)
        launcher = Launcher(env={"REDIS_URL": server.url}, logs=Path(folder))
        try:
            run = start(streams, spec)
            launcher.start("orchestrator", ["orchestrator", "--run", run, "--until-closed"])
            for number in range(2):
                launcher.start(f"host-{number}", ["bots", "--run", run])
            if not wait_for_close(streams, run, within_ms=600_000, clock=SYSTEM_CLOCK):
                raise SystemExit("it did not end within ten minutes")
            report(streams, run, turns, fsync)
        finally:
            launcher.stop()
            streams.close()
            server.close()


def report(streams: Streams, run: str, turns: int, fsync: str) -> None:
    """Read the turns' times out of the journal."""
    at_ms = [
        sealed.commit.at_ms
        for sealed in streams.journal(run)
        for event in sealed.commit.events
        if event.kind == "turn_closed"
    ]
    span = max(1, turns // 10)
    first, last = at_ms[span - 1] - at_ms[0], at_ms[-1] - at_ms[-span]
    per_turn_us = (at_ms[-1] - at_ms[0]) * 1000 / (len(at_ms) - 1)
    print(f"{len(at_ms)} turns, appendfsync {fsync}: {per_turn_us:.0f} us a turn")
    print(f"first {span}: {first} ms, last {span}: {last} ms, ratio {last / first:.3f}")


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 10_000,
        sys.argv[2] if len(sys.argv) > 2 else "everysec",
    )
