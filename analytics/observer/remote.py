"""The keys by which a replay on a terminal is held, hurried and skipped on."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from analytics.observer.replaying import Replaying

KEYS = {
    b" ": "hold",
    b"+": "quicker",
    b"=": "quicker",
    b"\x1b[A": "quicker",
    b"-": "slower",
    b"\x1b[B": "slower",
    b"n": "skip",
    b"\x1b[C": "skip",
}
"""Space; plus, equals and the arrow up; minus and the arrow down; n and the arrow right."""

TIMES = 2.0


class Remote:
    """Reads keys as they are typed, and does what they say. A context manager.

    Leaving it leaves the terminal as it was; where there is none, nothing is read.

    Args:
        replaying: What is held and hurried.
        terminal: A file descriptor; by default standard input's.
    """

    def __init__(self, replaying: Replaying, *, terminal: int | None = None) -> None:
        self._replaying = replaying
        self._terminal = sys.stdin.fileno() if terminal is None else terminal
        self._was: list[Any] | None = None

    def __enter__(self) -> Self:
        if os.isatty(self._terminal):
            self._was = termios.tcgetattr(self._terminal)
            tty.setcbreak(self._terminal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._was is not None:
            with suppress(termios.error):  # the terminal may be gone
                termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._was)
            self._was = None

    def look(self) -> None:
        """Do what was typed since the last look."""
        typed = self._typed()
        while typed:
            key = next((key for key in KEYS if typed.startswith(key)), typed[:1])
            self._do(KEYS.get(key, ""))
            typed = typed[len(key) :]

    def _typed(self) -> bytes:
        if self._was is None or not select.select([self._terminal], [], [], 0)[0]:
            return b""
        with suppress(OSError):
            return os.read(self._terminal, 1_000)
        return b""

    def _do(self, what: str) -> None:
        match what:
            case "hold":
                self._replaying.hold()
            case "quicker":
                self._replaying.hurry(TIMES)
            case "slower":
                self._replaying.hurry(1 / TIMES)
            case "skip":
                self._replaying.skip()
