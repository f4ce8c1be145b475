"""What waiting costs: 20 runs, each waiting for a model's word, one orchestrator, one host.

Real processes, a real server, and a stand-in for Ollama that takes an hour a word. Prints
the CPU time that orchestrator and host use meanwhile, as a share of one core, and the
commands that reach the server. Linux only: it reads /proc.

    python benchmarks/idle.py [SECONDS] [RUNS]
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bots.offline.server import DEFAULT_MODEL, OfflineServer
from orchestrator.launch import Launched, Launcher
from parley.library import Library
from parley.starting import start
from utils.clock import SYSTEM_CLOCK, monotonic_s, wait_until
from utils.protocol import Granted
from utils.server import open_server
from utils.spec import BotSpec, ChannelSpec, EndSpec, FloorSpec, MemorySpec, ModelSpec, Spec
from utils.streams import Streams

AN_HOUR_A_WORD = 1 / 3600
SETTLING_S = 3.0


def main(seconds: float, runs: int) -> None:
    """Start everything, wait until every run waits, and measure."""
    with (
        TemporaryDirectory(prefix="bench-") as folder,
        OfflineServer(port=0, tokens_per_s=AN_HOUR_A_WORD) as model,
        open_server(None, Path(folder), "everysec") as server,
    ):
        streams = Streams(server.url)
        launcher = Launcher(env={"REDIS_URL": server.url}, logs=Path(folder))
        try:
            spec = waiting(model.url)
            started = [start(streams, spec) for _ in range(runs)]
            orchestrator = launcher.start("orchestrator", ["orchestrator"])
            host = launcher.start("host", ["bots", "--seats-per-process", str(2 * runs)])
            if not wait_until(
                lambda: all(is_waiting(streams, run) for run in started), within_ms=60_000
            ):
                raise SystemExit("the runs did not begin within a minute")
            SYSTEM_CLOCK.sleep_s(SETTLING_S)
            report(streams, (orchestrator, host), seconds, runs)
            launcher.check()
            if not all(is_waiting(streams, run) for run in started):
                raise SystemExit("a run went on: this measured no waiting")
        finally:
            launcher.stop()
            streams.close()


def waiting(url: str) -> Spec:
    """Make a scenario whose first turn takes an hour."""
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
    return Spec(
        scenario="idle",
        seed=1,
        models={"m": ModelSpec(mind="ollama", model=DEFAULT_MODEL, host=url)},
        bots=bots,
        channels=(ChannelSpec(name="main", members=("ada", "bo"), opening="Go."),),
        end=EndSpec(turns=2),
        floor=FloorSpec(allow_s=3_600),
    )


def is_waiting(streams: Streams, run: str) -> bool:
    """Tell whether the last thing that happened in a run is a grant."""
    last = [sealed.commit.events[-1] for sealed in streams.journal(run)][-1:]
    return bool(last) and isinstance(last[0], Granted)


def report(streams: Streams, processes: tuple[Launched, ...], seconds: float, runs: int) -> None:
    """Let time pass, and print what was used up."""
    before = [cpu_s(one) for one in processes]
    commands, began_s = commands_so_far(streams), monotonic_s()
    SYSTEM_CLOCK.sleep_s(seconds)
    took_s = monotonic_s() - began_s
    used_s = [cpu_s(one) - was for one, was in zip(processes, before, strict=True)]
    made = commands_so_far(streams) - commands - 1
    for one, used in zip(processes, used_s, strict=True):
        print(f"{one.name}: {100 * used / took_s:.2f} % of a core while {runs} runs wait")
    print(f"server: {made / took_s:.1f} commands a second, over {took_s:.0f} s")


def cpu_s(one: Launched) -> float:
    """Read how much CPU time a process's threads have used, by the scheduler's own count.

    Not by the process's ticks: what works for a moment at a time is seldom met by one.
    """
    tasks = Path(f"/proc/{one.process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def commands_so_far(streams: Streams) -> int:
    """Ask the server how many commands it was given."""
    return int(str(streams.info()["total_commands_processed"]))


if __name__ == "__main__":
    main(
        float(sys.argv[1]) if len(sys.argv) > 1 else 30.0,
        int(sys.argv[2]) if len(sys.argv) > 2 else 20,
    )
