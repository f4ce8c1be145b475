"""Start processes of Parley on this machine, and stop exactly those again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from utils.clock import SYSTEM_CLOCK, Clock, wait_until
from utils.errors import ParleyError

GRACE_MS = 5_000
"""How long a process may take to let go after SIGTERM, before SIGKILL."""


@dataclass(slots=True)
class Launched:
    """One process, and where it says what it does."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def has_ended(self) -> bool:
        """Ask whether it has ended."""
        return self.process.poll() is not None

    def last_lines(self, most: int = 20) -> list[str]:
        """Read the last lines it wrote."""
        return self.log.read_text("utf-8", "replace").strip().splitlines()[-most:]


class ProcessDied(ParleyError):
    """A process that was started here ended by itself. Its last words are in the line."""


class Launcher:
    """Starts `parley` processes and stops them.

    A session of their own keeps the terminal's Ctrl-C from them: whoever started them
    stops them, in order.

    Args:
        env: Environment for the processes.
        logs: Folder for their logs; must exist.
    """

    def __init__(self, *, env: Mapping[str, str], logs: Path, clock: Clock = SYSTEM_CLOCK) -> None:
        self._env, self._logs, self._clock = dict(env), logs, clock
        self.running: list[Launched] = []

    def start(self, name: str, arguments: Sequence[str]) -> Launched:
        """Start `parley` with these arguments, under a name for its log."""
        path = self._logs / f"{name}.log"
        with path.open("ab") as log:
            process = self._spawn([sys.executable, "-m", "parley", *arguments], log)
        launched = Launched(name=name, process=process, log=path)
        self.running.append(launched)
        return launched

    def _spawn(self, command: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **self._env, "PYTHONSAFEPATH": "1"},
            start_new_session=True,
        )

    def check(self, *, finished_is_fine: bool = False) -> None:
        """Raise `ProcessDied` if one of the processes ended, with its last words."""
        for one in self.running:
            code = one.process.poll()
            if code is None or (finished_is_fine and code == 0):
                continue
            words = last_words(one.log)
            raise ProcessDied(f"{one.name} ended with exit code {code}: {words}")

    def stop(self) -> None:
        """Stop what was started, the last one first: SIGTERM, then SIGKILL after a grace."""
        for one in reversed(self.running):
            if one.process.poll() is None:
                one.process.send_signal(signal.SIGTERM)
        wait_until(
            lambda: all(one.process.poll() is not None for one in self.running),
            within_ms=GRACE_MS,
            clock=self._clock,
        )
        for one in self.running:
            if one.process.poll() is None:
                one.process.kill()
            one.process.wait()
        self.running.clear()


def last_words(log: Path, *, most: int = 300) -> str:
    """Read the last line a process wrote; "it said nothing" when there is none."""
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1][-most:] if lines else "it said nothing"
