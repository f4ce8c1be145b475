"""The last commits as they were written, for a server that forgets its tail."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

KEPT_COMMITS = 10_000
"""Commits a leader keeps to mend the journal of a server that forgot its tail."""

KEPT_CHARS = 64_000_000
"""Most characters they may have together: of long commits, a leader keeps fewer."""


class Kept(NamedTuple):
    """A commit as it was written, with the entries that went beside it.

    Strings only: ten thousand commits as models are a million objects, which Python's
    garbage collector would go through again and again.
    """

    seq: int
    sha256: str
    body: str
    beside: dict[str, str]

    @property
    def chars(self) -> int:
        """How many characters it takes."""
        return len(self.body) + sum(map(len, self.beside.values()))


class KeptCommits:
    """The last commits, as many as there is room for, and the last one in any case.

    Args:
        commits: Most of them.
        chars: Most characters of all together.

    Example:
        >>> kept = KeptCommits(commits=5, chars=10)
        >>> for seq in range(1, 5):
        ...     kept.add(Kept(seq, "", "four", {}))
        >>> [one.seq for one in kept.after(0)], [one.seq for one in kept.after(3)]
        ([3, 4], [4])
    """

    def __init__(self, *, commits: int = KEPT_COMMITS, chars: int = KEPT_CHARS) -> None:
        self._most, self._most_chars = commits, chars
        self._kept: deque[Kept] = deque()
        self._chars = 0

    def add(self, one: Kept) -> None:
        """Keep one more, and let the oldest go."""
        self._kept.append(one)
        self._chars += one.chars
        while len(self._kept) > 1 and (
            len(self._kept) > self._most or self._chars > self._most_chars
        ):
            self._chars -= self._kept.popleft().chars

    def after(self, seq: int) -> list[Kept]:
        """List those kept that came after a commit."""
        return [one for one in self._kept if one.seq > seq]
