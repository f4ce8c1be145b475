"""The recorder's process: every run's streams to disk, and the server trimmed behind it.

One thread, one connection. It reads, writes, waits until that is on the disk, and then
rests a little, so that many commits share one wait for the disk. It holds no state that
its files do not hold: killed anywhere and started again, it goes on as if nothing had
been.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from analytics.observer.runs import Registered
from analytics.recorder.disk import Disk
from analytics.recorder.recording import Recording, is_whole
from analytics.recorder.segments import SIZE
from utils import keys
from utils.clock import Clock
from utils.errors import BadInput, ParleyError, ServerEvicts, ServerGone, StreamError
from utils.names import check_name
from utils.streams import MAX_BLOCK_MS, Entry, Streams
from utils.waiting import Wait

log = logging.getLogger("recorder")

LOOK_MS = 1_500
"""How often the server is looked at, whether it still keeps what it is given."""

REST_MS = 50
"""Pause after something was written: what comes meanwhile is written with one wait."""

PAGE = 1_000
"""Most entries of a stream that are read at once."""
MAX_ENTRIES = 4_000
"""Most entries that are read at once, of all streams together."""

Trim = Callable[[Streams, Recording], None]
"""Takes from the server what is on disk and nobody needs there."""


class Recorder:
    """Records every run there is.

    Args:
        streams: This process's only connection.
        out: The folder; gets one a run.
        clock: Local time.
        trim: Called after each batch of a run was written; none to leave the server as it is.
        disk: What is done to files.
        size: Lines of a segment.
    """

    def __init__(
        self,
        streams: Streams,
        out: Path,
        *,
        clock: Clock,
        trim: Trim | None = None,
        disk: Disk | None = None,
        size: int = SIZE,
    ) -> None:
        self.streams, self.out, self.clock = streams, out, clock
        self.recordings: dict[str, Recording] = {}
        self.is_connected, self._connects = False, 0
        self._trim, self._disk, self._size = trim, disk or Disk(), size
        self._broken: set[str] = set()
        self._registry = "0-0"
        self._wait = Wait(clock, log)
        self._looked_ms, self._may_trim = 0, True
        self._stopping = False

    def stop(self) -> None:
        """Ask the loop to end after this step; safe from a signal handler."""
        self._stopping = True

    def run(
        self, *, until_idle: bool = False, is_abandoned: Callable[[], bool] = lambda: False
    ) -> None:
        """Work until told to stop.

        Args:
            until_idle: Leave when there is nothing to record just now.
            is_abandoned: Asked between two steps.

        Raises:
            ParleyError: The disk refused.
        """
        try:
            while not self._stopping and not is_abandoned():
                came = self.step(block_ms=0 if until_idle else MAX_BLOCK_MS)
                if until_idle and not came and self.is_connected:
                    break
                if came and not until_idle:
                    self.clock.sleep_s(REST_MS / 1000)
        except OSError as error:
            where = error.filename or self.out
            raise ParleyError(f"{where}: cannot be written: {error.strerror}") from error

    def step(self, *, block_ms: int = MAX_BLOCK_MS) -> bool:
        """Read what came and write it; whether anything came."""
        try:
            if not self.is_connected or self._connects != self.streams.connects:
                self._connect()
            elif self.clock.now_ms() - self._looked_ms >= LOOK_MS:
                self._look()
            came = self._read(min(block_ms, LOOK_MS))
            self._wait.over()
            return came
        except ServerGone as gone:
            self.is_connected = False
            self._wait.out(gone)
            return False
        except StreamError as error:
            self._wait.rest()
            return self._part_with_spoiled(error)

    def _part_with_spoiled(self, error: StreamError) -> bool:
        """Give up the runs whose keys are no streams any more; whether there are any."""
        log.error("%s", error)
        before = list(self.recordings.items())
        for run, recording in before:
            with self._guard(run):
                for key in recording.positions():
                    self.streams.count(key)
        return len(self.recordings) < len(before)

    def _connect(self) -> None:
        """After a (re)connect: see what the server still holds of what is here."""
        self._look()
        self._connects = self.streams.connects
        self._registry = "0-0"
        self._broken.clear()
        for run, recording in list(self.recordings.items()):
            with self._guard(run):
                recording.align(self.streams)
                self._take(recording, [])
        for run in self.streams.live_runs():
            if run not in self.recordings:  # even a closed one: the server may have forgotten that
                self._begin(run)
        self.is_connected = True

    def _look(self) -> None:
        """See whether the server may drop keys by now: then leave there what is there."""
        was, self._may_trim = self._may_trim, True
        self._looked_ms = self.clock.now_ms()
        try:
            self.streams.look()
        except ServerEvicts as evicts:
            self._may_trim = False
            if was:
                log.warning("%s; recorded as far as it is there, and not trimmed", evicts)

    def _read(self, block_ms: int) -> bool:
        after = {keys.RUNS: self._registry}
        for recording in self.recordings.values():
            after.update(recording.positions())
        count = max(10, min(PAGE, MAX_ENTRIES // len(after)))
        read = self.streams.read(after, block_ms=block_ms, count=count)
        if self.streams.connects != self._connects:
            return False  # another connection read this: look back first
        arrived: dict[str, list[Entry]] = defaultdict(list)
        for entry in read:
            if entry.key == keys.RUNS:
                self._registry = entry.id
                self._find(entry)
            else:
                arrived[keys.run_of(entry.key)].append(entry)
        for run, entries in arrived.items():
            with self._guard(run):
                self._take(self.recordings[run], entries)
        return bool(read)

    def _take(self, recording: Recording, entries: list[Entry]) -> None:
        recording.take(entries)
        if self._trim is not None and self._may_trim:
            self._trim(self.streams, recording)
        self._finish(recording)

    def _finish(self, recording: Recording) -> None:
        if recording.close(self.streams):
            del self.recordings[recording.run]
            count = recording.journal.segments.count
            log.info("run %s: recorded to its end, %d commits", recording.run, count)

    def _find(self, entry: Entry) -> None:
        """Take up a run of the registry, unless its folder has it to its end already."""
        try:
            run = Registered.model_validate_json(entry.body).run
        except ValidationError:
            return  # no run's entry
        if run in self.recordings:
            return
        with self._guard(run):
            if not is_whole(self.streams, run, self.out / run):
                self._begin(run)

    def _begin(self, run: str) -> None:
        if run in self._broken or not self._is_named(run):
            return
        with self._guard(run):
            recording = Recording(run, self.out / run, self._disk, size=self._size)
            recording.open(self.streams)
            self.recordings[run] = recording
            count = recording.journal.segments.count
            log.info("run %s: recording from commit %d on", run, count + 1)
            self._take(recording, [])

    def _is_named(self, run: str) -> bool:
        """Tell whether a run has a name: it becomes a folder, and anybody may list a run."""
        try:
            check_name(run, "run")
        except BadInput as error:
            log.error("cannot be recorded: %s", error)
            self._broken.add(run)
            return False
        return True

    @contextmanager
    def _guard(self, run: str) -> Iterator[None]:
        """Do something with a run; give the run up when it cannot be recorded."""
        try:
            yield
        except StreamError as broken:
            log.error("run %s: cannot be recorded: %s", run, broken)
            self._broken.add(run)
            self.recordings.pop(run, None)


@contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Hold a folder for one recorder alone; the kernel frees it if we are killed.

    Raises:
        BadInput: It cannot be made, or another recorder is at work in it.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        held = os.open(out, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        mend = "name a folder, or a place where one can be made"
        raise BadInput(f"{out}: {error.strerror}", where="--out", mend=mend) from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        what = f"another recorder is at work in {out}"
        raise BadInput(what, where="--out", mend="one is enough for all runs") from error
    finally:
        os.close(held)
