"""Twenty bots talk for an hour: what the processes take of memory and files, and how fast they are.

The processes are those of the commands, a recorder among them, which trims the server. The
server is looked at like the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import linear_regression, mean, median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from analytics.recorder.beginnings import Recorded
from orchestrator.launch import Launcher
from parley.starting import start
from tests.chaos.blocks import Block
from tests.scenes import spec_of
from tests.swarm import happened
from utils import keys
from utils.clock import SYSTEM_CLOCK, wait_until
from utils.server import EmbeddedServer
from utils.spec import ModelSpec
from utils.streams import Streams

BOTS = tuple(f"bot-{number:02}" for number in range(20))
EVERY_S = 5.0
FLAT, SLOWER = 0.05, 0.25
WARM_UP = 0.25
"""Share of the time after which nothing should grow any more."""
COMING_MS = 120_000


class Look(NamedTuple):
    """A process at one moment: seconds since the beginning, kilobytes, open files."""

    at_s: float
    rss_kb: int
    files: int


def soak(number: int, *, minutes: float = 60.0) -> Block:
    """Talk for so long, and tell what grew."""
    with TemporaryDirectory(prefix="chaos-") as name:
        folder = Path(name)
        with EmbeddedServer.open(folder / "server", fsync="everysec") as server:
            launcher = Launcher(env={"REDIS_URL": server.url}, logs=folder)
            pid = server.home.server_pid()
            try:
                looks, took_ms = _talk(launcher, Streams(server.url), folder / "kept", minutes, pid)
            finally:
                launcher.stop()
    wrong = [*grown(looks), *slower(took_ms)]
    counts = {"minutes": round(minutes), "turns": len(took_ms), "bots": len(BOTS)}
    quarters = {
        "turn_ms in the first quarter": took_ms[: len(took_ms) // 4],
        "turn_ms in the last quarter": took_ms[-(len(took_ms) // 4) :],
        **{f"{who}: rss_kb": [look.rss_kb for look in seen] for who, seen in looks.items()},
        **{f"{who}: open files": [look.files for look in seen] for who, seen in looks.items()},
    }
    return Block(number, 1, wrong, counts, quarters)


def _talk(
    launcher: Launcher, streams: Streams, recordings: Path, minutes: float, server_pid: int
) -> tuple[dict[str, list[Look]], list[int]]:
    """Let them talk; look at each process now and then, and read how long the turns took."""
    model = launcher.start("model", ["offline-model", "--port", "0", "--tokens-per-s", "1000"])
    assert wait_until(lambda: "http" in model.log.read_text(), within_ms=COMING_MS)
    host = model.log.read_text().split(" at ")[1].split()[0]
    asked = ModelSpec(model="parley-offline", host=host)
    run = start(streams, spec_of(BOTS, turns=1_000_000, model=asked))
    launcher.start("orchestrator", ["orchestrator"])
    for number in (1, 2):
        launcher.start(f"host-{number}", ["bots", "--seats-per-process", "10"])
    launcher.start("recorder", ["record", "--out", str(recordings), "--keep", "1000"])
    assert wait_until(lambda: streams.count(keys.journal(run)) > 60, within_ms=COMING_MS)
    began_ms, looks = SYSTEM_CLOCK.now_ms(), defaultdict[str, list[Look]](list)
    while (at_s := (SYSTEM_CLOCK.now_ms() - began_ms) / 1000) < minutes * 60:
        launcher.check()
        for one in launcher.running:
            looks[one.name].append(Look(at_s, *taken(one.process.pid)))
        looks["server"].append(Look(at_s, *taken(server_pid)))
        SYSTEM_CLOCK.sleep_s(EVERY_S)
    streams.beginnings = Recorded(recordings)
    closed_ms = [
        sealed.commit.at_ms for sealed in streams.journal(run) if happened([sealed], "turn_closed")
    ]
    streams.close()
    return dict(looks), [after - before for before, after in pairwise(closed_ms)]


def taken(pid: int) -> tuple[int, int]:
    """Look at what a process takes: kilobytes, open files."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]), len(list(Path(f"/proc/{pid}/fd").iterdir()))


def grown(looks: dict[str, list[Look]]) -> list[str]:
    """List what is not flat within `FLAT` once the processes are warm."""
    found = []
    measures: dict[str, Callable[[Look], int]] = {
        "rss": lambda look: look.rss_kb,
        "open files": lambda look: look.files,
    }
    for who, seen in looks.items():
        warm = seen[int(WARM_UP * len(seen)) :]
        for what, of in measures.items():
            values = [of(look) for look in warm]
            slope = linear_regression([look.at_s for look in warm], values).slope
            share = slope * (warm[-1].at_s - warm[0].at_s) / mean(values)
            if abs(share) > FLAT:
                found.append(f"{who}: {what} changes by {share:+.1%} in {warm[-1].at_s:.0f} s")
    return found


def slower(took_ms: list[int]) -> list[str]:
    """Tell if the last quarter's turns take longer than the first one's."""
    quarter = len(took_ms) // 4
    first, last = median(took_ms[:quarter]), median(took_ms[-quarter:])
    if last > (1 + SLOWER) * first:
        return [f"a turn takes {last:.0f} ms in the last quarter, {first:.0f} in the first"]
    return []
