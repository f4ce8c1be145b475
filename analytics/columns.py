"""What a column is. The columns themselves stand beside the rows they belong to.

`analytics.tables.TABLES` has all of them; `codebook.csv` and docs/data.md are written
from there, and a test holds the three together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Type = Literal["text", "integer", "decimal", "boolean", "json"]
Value = str | int | float | bool | None
Row = dict[str, Value]
"""One row: column name to value, none where there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one table.

    Attributes:
        name: Unique in its table.
        type: `json` is text that holds JSON, keys sorted.
        unit: What a number counts or measures; "none" for everything else.
        meaning: One sentence or two. Formulas belong here.
        source: The record and field it comes from, `Heard.text` say; what is computed
            from several names them all.
    """

    name: str
    type: Type
    unit: str
    meaning: str
    source: str


def text(name: str, meaning: str, source: str) -> Column:
    """Declare a column of text."""
    return Column(name, "text", "none", meaning, source)


def integer(name: str, meaning: str, source: str, *, unit: str = "none") -> Column:
    """Declare a column of whole numbers."""
    return Column(name, "integer", unit, meaning, source)


def decimal(name: str, meaning: str, source: str, *, unit: str) -> Column:
    """Declare a column of numbers with a decimal point."""
    return Column(name, "decimal", unit, meaning, source)


def boolean(name: str, meaning: str, source: str) -> Column:
    """Declare a column of `true` and `false`."""
    return Column(name, "boolean", "none", meaning, source)


def as_json(name: str, meaning: str, source: str) -> Column:
    """Declare a column of JSON."""
    return Column(name, "json", "none", meaning, source)


RUN_ID = text(
    "run_id", "The run's id: the same in every row of a dataset.", "Began.run, Forked.run"
)


def label_columns(labels: Iterable[str]) -> tuple[Column, ...]:
    """Declare one column for each of a run's labels, sorted by name.

    Example:
        >>> [column.name for column in label_columns(["study", "arm"])]
        ['label_arm', 'label_study']
    """
    return tuple(
        text(f"label_{name}", f"The run's label '{name}'.", "Spec.labels")
        for name in sorted(labels)
    )
