"""The tables of a dataset as CSV files: UTF-8, lines that end in a newline alone."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from operator import itemgetter
from pathlib import Path
from typing import TextIO

from analytics.cells import cell
from analytics.codebook import HEADER, codebook_rows
from analytics.columns import Column, Row, Value
from analytics.tables import TABLES, columns_of

_OTHERS = re.compile("[;\t|]")
"""What some spreadsheets take for a separator, too: all text of such a row is quoted."""


class Sheets:
    """All tables of one dataset, open for rows.

    Args:
        folder: Where `<table>.csv` are made; must exist.
        labels: Names of the run's labels.

    Attributes:
        rows: Table to how many rows were written, the header not counted.
    """

    def __init__(self, folder: Path, labels: Iterable[str], stack: ExitStack) -> None:
        self.rows = dict.fromkeys(TABLES, 0)
        self._write: dict[str, Callable[[Row], object]] = {}
        names = list(labels)
        for table in TABLES:
            file = stack.enter_context(open_new(folder / f"{table}.csv"))
            self._write[table] = _rows_into(file, columns_of(table, names))

    def add(self, table: str, row: Row) -> None:
        """Write one row."""
        self._write[table](row)
        self.rows[table] += 1


@contextmanager
def open_sheets(folder: Path, labels: Iterable[str]) -> Iterator[Sheets]:
    """Hold a dataset's tables open for as long as the block runs."""
    with ExitStack() as stack:
        yield Sheets(folder, labels, stack)


def write_codebook(path: Path, labels: Iterable[str]) -> None:
    """Write every column of every table: its type, unit, meaning and source."""
    with open_new(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows([cell(one) for one in row] for row in codebook_rows(labels))


def open_new(path: Path) -> TextIO:
    """Open a new text file of a dataset: UTF-8, line ends as they are written."""
    return path.open("x", encoding="utf-8", newline="")


def _rows_into(file: TextIO, columns: Sequence[Column]) -> Callable[[Row], object]:
    names = [column.name for column in columns]
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    quoting = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(names)
    values: Callable[[Row], tuple[Value, ...]] = itemgetter(*names)
    # The writer itself writes numbers as numbers and none as nothing; JSON is safe as it is.
    places = [place for place, one in enumerate(columns) if one.type in ("text", "boolean")]

    def write(row: Row) -> None:
        cells = list(values(row))
        is_odd = False
        for place in places:
            if cells[place] is not None:
                text = cells[place] = cell(cells[place])
                is_odd = is_odd or (isinstance(text, str) and _OTHERS.search(text) is not None)
        (quoting if is_odd else writer).writerow(cells)

    return write
