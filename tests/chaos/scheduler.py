"""Virtual time, and threads of which one runs at a time: whose turn it is, is drawn.

A task is a thread that gives up its turn only where it waits. So whole processes of the
product, written as loops that block, run interleaved, without a race and without a wait,
and the same seed interleaves them alike.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from random import Random
from threading import Lock, Thread
from typing import NamedTuple


class Killed(BaseException):
    """The process is killed here. No `except Exception` outlives it."""


class Stuck(AssertionError):
    """The time is up, or nothing will ever happen."""


class Process:
    """What is killed, frozen and run together: the tasks of one operating-system process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_dead = False
        self.frozen_until_ms = 0


class Task:
    """A thread of a process, which waits for its turn."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.turn = Lock()
        self.turn.acquire()
        self.due: _Due | None = None


class _Due(NamedTuple):
    """A moment at which something goes on. Those of the same moment go in a drawn order."""

    at_ms: int
    drawn: float
    number: int
    what: Task | Callable[[], None]


class Scheduler:
    """Runs tasks one at a time, in virtual time.

    Args:
        chance: Draws the order of what happens at the same moment.
        now_ms: Where time begins.
    """

    def __init__(self, chance: Random, *, now_ms: int) -> None:
        self.chance, self.now_ms = chance, now_ms
        self.current: Task | None = None
        self.switches = 0
        self.failure: BaseException | None = None
        self._queue: list[_Due] = []
        self._number = 0
        self._home = Lock()
        self._home.acquire()
        self._threads: list[tuple[Thread, Task]] = []
        self._is_over: Callable[[], bool] = lambda: False
        self._until_ms = 0
        self._is_closed = False

    # --- from outside -----------------------------------------------------------------

    def run(self, is_over: Callable[[], bool], *, until_ms: int) -> None:
        """Let things happen until it is over. Raises `Stuck`, and what a task failed with."""
        self._is_over, self._until_ms = is_over, until_ms
        self._go_on(None)
        self._home.acquire()
        if self.failure is not None:
            raise self.failure

    def close(self) -> None:
        """Kill what still runs, so that no thread is left."""
        self._is_closed = True
        for thread, task in self._threads:
            task.process.is_dead = True
            if thread.is_alive():
                self.current = task
                task.turn.release()
                thread.join()

    def spawn(self, process: Process, body: Callable[[], None], *, after_ms: int = 0) -> None:
        """Begin a task of a process."""
        task = Task(process)

        def run() -> None:
            task.turn.acquire()
            try:
                if not process.is_dead:
                    body()
            except Killed:
                pass
            except BaseException as error:  # noqa: BLE001 - a test's failure ends the run
                self.failure = self.failure or error
            self._go_on(None)

        thread = Thread(target=run, daemon=True)
        self._threads.append((thread, task))
        thread.start()
        self._put(self.now_ms + after_ms, task)

    def call(self, after_ms: int, what: Callable[[], None]) -> None:
        """Have something happen later, in nobody's thread; it must not wait."""
        self._put(self.now_ms + after_ms, what)

    # --- from within a task -----------------------------------------------------------

    def wait(self, ms: int) -> None:
        """Give up the turn for so long. Raises `Killed` when the process has died."""
        task = self.current
        assert task is not None
        if task.process.is_dead or self._is_closed:
            raise Killed
        self._put(self.now_ms + ms, task)
        self._go_on(task)
        if task.process.is_dead:
            raise Killed

    def wake(self, task: Task) -> None:
        """Let a task that waits go on now."""
        self._put(self.now_ms, task)

    # ----------------------------------------------------------------------------------

    def _put(self, at_ms: int, what: Task | Callable[[], None]) -> None:
        self._number += 1
        due = _Due(at_ms, self.chance.random(), self._number, what)
        if isinstance(what, Task):
            what.due = due
        heapq.heappush(self._queue, due)

    def _go_on(self, task: Task | None) -> None:
        """Give the turn to whoever is next, and come back when it is the task's own again."""
        if self._is_closed:
            return
        following = self._next()
        self.current = following
        if following is task and task is not None:
            return
        self.switches += 1
        (following.turn if following is not None else self._home).release()
        if task is not None:
            task.turn.acquire()

    def _next(self) -> Task | None:
        """Find the next task, time going on; none when it is over."""
        try:
            while self.failure is None and not self._is_over():
                if not self._queue or self._queue[0].at_ms > self._until_ms:
                    raise Stuck(f"it is not over by {self._until_ms} ms")
                due = heapq.heappop(self._queue)
                self.now_ms = max(self.now_ms, due.at_ms)
                if not isinstance(due.what, Task):
                    due.what()
                elif due.what.due is due:  # else it was woken before
                    frozen_ms = due.what.process.frozen_until_ms
                    if frozen_ms > self.now_ms and not due.what.process.is_dead:
                        self._put(frozen_ms, due.what)
                    else:
                        return due.what
        except BaseException as error:  # noqa: BLE001 - handed to whoever called run()
            self.failure = self.failure or error
        return None


class ProcessClock:
    """The clock of one process: virtual time, from a zero of its own.

    Attributes:
        stood_still_ms: How long it stood still so far, as in a machine that slept.
    """

    def __init__(self, scheduler: Scheduler, *, zero_ms: int) -> None:
        self._scheduler, self._zero_ms = scheduler, zero_ms
        self.stood_still_ms = 0

    def now_ms(self) -> int:
        return self._scheduler.now_ms - self._zero_ms - self.stood_still_ms

    def wall_ms(self) -> int:
        return self._scheduler.now_ms

    def sleep_s(self, seconds: float) -> None:
        self._scheduler.wait(round(seconds * 1000))


class TaskLock:
    """A lock between tasks: who waits for it gives up the turn."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler, self._is_held = scheduler, False

    def __enter__(self) -> None:
        while self._is_held:
            self._scheduler.wait(1)
        self._is_held = True

    def __exit__(self, *_: object) -> None:
        self._is_held = False
