"""Run chaos at length: `python -m tests.chaos [ROW ...] [--out FILE] [--jobs N] [--share 0.1]`.

Each row is a number of blocks, each block a seed or some. After every block the figures are
in FILE; started again, it goes on from there. A row that was begun with other code, another
server or on another machine starts again. Nothing is in the figures but what was run.

    python -m tests.chaos simulation --seed 17     plays one seed, and shows what happened
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any

from tests.chaos.figures import add, fresh, goes_on, here, keep, load
from tests.chaos.promises import broken
from tests.chaos.rows import ROWS, Row
from tests.chaos.scene import BEGIN_MS, RUN
from tests.chaos.simulation import play
from tests.chaos.soak import soak
from utils.clock import monotonic_s


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="which; all by default")
    parser.add_argument("--out", type=Path, default=Path("docs/figures/reliability.json"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--share", type=float, default=1.0, help="how much of each row")
    parser.add_argument("--seed", type=int, help="play one seed of the simulation, and show it")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long the soak takes")
    given = parser.parse_args()
    if given.seed is not None:
        show(given.seed)
        return
    figures, place = load(given.out), here()
    for name in given.rows or ROWS:
        row = ROWS[name]
        if name in figures and not goes_on(figures[name], place):
            tell(f"{name}: begun with other code, or elsewhere; it starts again")
            del figures[name]
        if name == "soak":
            row = row._replace(run=partial(soak, minutes=given.minutes))
            if name in figures and figures[name]["counts"].get("minutes", 0) < given.minutes:
                del figures[name]  # a longer one is another one
        size = max(1, round(row.blocks * given.share))
        for at in run(row, figures.setdefault(name, fresh(place)), size, jobs=given.jobs):
            keep(given.out, figures)
            tell(f"{name}: {at} of {size} blocks, {len(figures[name]['broken'])} broken")
    sys.exit(any(figures[name]["broken"] for name in given.rows or ROWS))


def run(row: Row, figure: dict[str, Any], size: int, *, jobs: int) -> Iterator[int]:
    """Run the blocks of a row that are not done yet; how many are done, after each."""
    left = [block for block in range(size) if block not in figure["done"]]
    with ProcessPoolExecutor(jobs if row.is_parallel else 1) as pool:
        began_s = monotonic_s()
        for future in as_completed({pool.submit(row.run, block): block for block in left}):
            add(figure, future.result())
            now_s = monotonic_s()
            figure["seconds"] = round(figure["seconds"] + now_s - began_s, 1)
            began_s = now_s
            yield len(figure["done"])


def show(seed: int) -> None:
    """Play one seed, and tell it: faults, commits, what is broken."""
    played = play(seed)
    for fault in played.faults:
        tell(f"{fault.at_ms - BEGIN_MS:>7} ms  {fault.process}: {fault.fault} {fault.detail}")
    for sealed in played.streams.journal(RUN):
        kinds = " ".join(event.kind for event in sealed.commit.events)
        tell(f"{sealed.commit.at_ms - BEGIN_MS:>7} ms  commit {sealed.seq}: {kinds}")
    tell("\n".join(broken(played)) or "every promise is kept")


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
