"""Names of a scenario looked up: one that is nowhere is refused with its line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from utils.errors import BadInput
from utils.names import look_up
from utils.yamlfile import Document

PLANNED_VALUES: Mapping[str, tuple[str, ...]] = {
    "policy": ("chain", "moderated"),
    "audience": ("graph", "shuffled_items"),
    "mind": ("remote",),
    "world": ("town", "city", "wilds", "markets"),
}
"""Names that DESIGN gives to things that are not built yet."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Looks names up, and says in which line the one stands that is nowhere."""

    document: Document

    def name(self, what: str, word: str, known: Iterable[str], *at: str | int) -> None:
        check_known(what, word, known, self.document.where(*at))

    def refuse(self, reason: str, *at: str | int, mend: str = "") -> BadInput:
        return BadInput(reason, where=self.document.where(*at), mend=mend)


def check_known(what: str, word: str, known: Iterable[str], where: str) -> None:
    """Check that a name is known. Raises BadInput: with the nearest, or that it is planned."""
    table = dict.fromkeys(known)
    if word not in table and word in PLANNED_VALUES.get(what, ()):
        raise BadInput(f"{what} '{word}' is planned but not built yet", where=where)
    look_up(word, table, what, where)
