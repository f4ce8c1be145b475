"""Where a leader keeps the snapshots of its run, and finds the one to start from."""

from __future__ import annotations

import logging
from collections import deque

from orchestrator.rules import Rules
from orchestrator.snapshot import freeze, thaw
from orchestrator.state import State
from utils.errors import BadEntry
from utils.journal import Sealed
from utils.streams import Streams

log = logging.getLogger("orchestrator")

LAG = 2
"""Snapshots that are made before one is written: who starts from it folds that many
intervals of the journal, and can mend as much of it from its first moment on."""


class SnapshotStore:
    """The snapshots of one run.

    Args:
        spec_sha256: The hash of the run's spec.
        every: Commits from one snapshot to the next.
    """

    def __init__(self, streams: Streams, run: str, spec_sha256: str, *, every: int) -> None:
        self._streams, self._run, self._spec_sha256 = streams, run, spec_sha256
        self._every = every
        self._made: deque[tuple[int, str]] = deque()

    def keep(self, state: State) -> None:
        """Every so many commits make a snapshot, and write the one made a while ago."""
        if state.seq % self._every == 0:
            self._made.append((state.seq, freeze(state, spec_sha256=self._spec_sha256)))
            if len(self._made) > LAG:
                seq, body = self._made.popleft()
                self._streams.write_snapshot(self._run, body, seq=seq)

    def find(self, rules: Rules) -> tuple[State, Sealed] | None:
        """Find the state to start from, and the commit it is of; none to start from nothing.

        A snapshot that cannot be read, or names a commit that the journal does not hold,
        is none.
        """
        body = self._streams.read_snapshot(self._run)
        if body is None:
            return None
        try:
            state = thaw(rules, body, spec_sha256=self._spec_sha256)
            of = next(self._streams.journal(self._run, after=state.seq - 1, page=1), None)
            if of is None or (of.seq, of.sha256) != (state.seq, state.sha256):
                raise BadEntry("snapshot", f"the journal holds no such commit {state.seq}")
        except BadEntry as bad:
            log.warning("run %s: %s; folding what the journal holds", self._run, bad)
            return None
        return state, of
