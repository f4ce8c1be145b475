"""Where a record does not follow from itself: what grade B finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One place at which something was decided or asked that does not follow.

    Attributes:
        what: What differs, in words.
        commit: The commit; of a call, the one that granted it. None if there is none.
        channel, turn, bot: Where in the run it stands, as far as it stands anywhere.
        call: The call's id and attempt, as `<epoch>.<seat> attempt <n>`; empty where it
            is about the commit itself.
        line: Of the call among all calls, from 1.
    """

    what: str
    commit: int | None = None
    channel: str | None = None
    turn: int | None = None
    bot: str | None = None
    call: str = ""
    line: int | None = None

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in the order of the run, to find the first."""
        return self.commit or 0, self.line or 0

    def __str__(self) -> str:
        """Write it as a line.

        Example:
            >>> print(Finding("Bo comes next, not Ada", 12, "main", 5))
            commit 12, main, turn 5: Bo comes next, not Ada
        """
        about = [
            None if self.commit is None else f"commit {self.commit}",
            self.channel,
            None if self.turn is None else f"turn {self.turn}",
            self.bot,
            f"call {self.call}" if self.call else None,
        ]
        place = ", ".join(one for one in about if one is not None)
        return f"{place}: {self.what}" if place else self.what
