"""The tables that metrics read, and what several of them take from these. Pure.

Tables are as docs/data.md has them, text as it was said, nothing as None or NA.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TypeVar

import pandas as pd

from utils.words import words_of

T = TypeVar("T")

MESSAGES = ("run_id", "seq", "place", "channel", "turn", "speaker", "text")
BOTS = ("run_id", "bot")
SAID = {"messages": MESSAGES, "bots": BOTS}
"""What a metric of who said what reads."""
SPOKE = {"messages": MESSAGES[:-1], "bots": BOTS}
"""What a metric of who spoke reads: no text, so that it can do where texts are withheld."""


class Frames:
    """Tables of one run; for a metric of scope `study`, of several, one below another.

    Args:
        tables: Name to table. One may be read when it is first asked for.
        embeddings: A row a message, its index the `message_id`: what a model makes of
            its text. None where no model was asked.
    """

    def __init__(
        self, tables: Mapping[str, pd.DataFrame], *, embeddings: pd.DataFrame | None = None
    ) -> None:
        self._tables, self.embeddings = tables, embeddings
        self._made: dict[str, object] = {}

    def __getitem__(self, table: str) -> pd.DataFrame:
        return self._tables[table]

    @cached_property
    def heard(self) -> pd.DataFrame:
        """All messages in the order of the journal, numbered from 0, run by run."""
        messages = self["messages"]
        return messages.sort_values(["run_id", "seq", "place"], ignore_index=True)

    @cached_property
    def said(self) -> pd.DataFrame:
        """The messages that bots said, in order, numbered from 0."""
        heard = self.heard
        return heard[heard["speaker"].notna()].reset_index(drop=True)

    @cached_property
    def speakers(self) -> list[str]:
        """Who said each of `said`."""
        return [str(one) for one in self.said["speaker"]]

    @cached_property
    def texts(self) -> list[str]:
        """The text of each of `said`."""
        return ["" if pd.isna(one) else str(one) for one in self.said["text"]]

    @cached_property
    def words(self) -> list[list[str]]:
        """The words of each of `said`."""
        return [words_of(text) for text in self.texts]

    @cached_property
    def bots(self) -> list[str]:
        """The run's bots, the silent ones too, in the scenario's order."""
        return list(dict.fromkeys([*(str(one) for one in self["bots"]["bot"]), *self.speakers]))

    def once(self, what: str, make: Callable[[Frames], T]) -> T:
        """Make something that several metrics take, when the first of them asks for it."""
        if what not in self._made:
            self._made[what] = make(self)
        return self._made[what]  # type: ignore[return-value]  # one `make` a name
