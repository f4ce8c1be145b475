"""The tables of a dataset as files: CSV that ends its lines in a newline alone, and Parquet."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from operator import itemgetter

from analytics.cells import cell, raw_text, safe
from analytics.codebook import HEADER, codebook_rows
from analytics.columns import Column, Row, Value
from analytics.files import Files, Sink
from analytics.parquet import open_parquet
from analytics.tables import TABLES, columns_of
from utils.manifest import TextForm, Withheld


@dataclass(frozen=True, slots=True)
class Form:
    """How a dataset is written.

    Attributes:
        text: `raw` leaves the text cells of CSV files as they are: a spreadsheet may run them.
        withheld: What was taken out of the records, before they came here.
        parquet: Whether each table is written as Parquet too.
    """

    text: TextForm = "spreadsheet"
    withheld: tuple[Withheld, ...] = ()
    parquet: bool = False


PLAIN = Form()

SHORT_CHARS, MOST_PLAIN = 40, 4_096
"""Cells no longer than this, so many a table, are remembered as safe to write as they are."""


class Sheets:
    """All tables of one dataset, open for rows.

    Args:
        labels: Names of the run's labels.

    Attributes:
        rows: Table to how many rows were written, the header not counted.
    """

    def __init__(self, files: Files, labels: Iterable[str], form: Form, stack: ExitStack) -> None:
        self.rows = dict.fromkeys(TABLES, 0)
        self._write: dict[str, list[Callable[[Row], object]]] = {}
        names = list(labels)
        for table in TABLES:
            columns = columns_of(table, names)
            into = self._write[table] = [
                _rows_into(files.open(f"tables/{table}.csv"), columns, form.text)
            ]
            if form.parquet:
                path = files.path(f"tables/{table}.parquet")
                into.append(stack.enter_context(open_parquet(path, columns)))

    def add(self, table: str, row: Row) -> None:
        """Write one row."""
        for write in self._write[table]:
            write(row)
        self.rows[table] += 1


@contextmanager
def open_sheets(files: Files, labels: Iterable[str], form: Form = PLAIN) -> Iterator[Sheets]:
    """Hold a dataset's tables open for as long as the block runs."""
    with ExitStack() as stack:
        yield Sheets(files, labels, form, stack)


def write_codebook(file: Sink, labels: Iterable[str]) -> None:
    """Write every column of every table: its type, unit, meaning and source."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows([cell(one) for one in row] for row in codebook_rows(labels))


def _rows_into(file: Sink, columns: Sequence[Column], text: TextForm) -> Callable[[Row], object]:
    names = [column.name for column in columns]
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    quoting = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(names)
    values: Callable[[Row], tuple[Value, ...]] = itemgetter(*names)
    # The writer itself writes numbers as numbers and none as nothing; JSON is safe as it is.
    texts = [place for place, one in enumerate(columns) if one.type == "text"]
    booleans = [place for place, one in enumerate(columns) if one.type == "boolean"]
    # Raw text may hold a carriage return, which not every Python quotes where it must be.
    is_raw = text == "raw"
    spelled = raw_text if is_raw else safe
    plain: set[Value] = {None}  # names come again and again: they are looked at once

    def write(row: Row) -> None:
        cells = list(values(row))
        is_odd = is_raw
        for place in texts:
            value = cells[place]
            if value not in plain:
                cells[place] = written = spelled(str(value))
                if ";" in written or "\t" in written or "|" in written:
                    is_odd = True  # some spreadsheets take these for separators, too
                elif written == value and len(written) <= SHORT_CHARS and len(plain) < MOST_PLAIN:
                    plain.add(written)
        for place in booleans:
            cells[place] = cell(cells[place])
        (quoting if is_odd else writer).writerow(cells)

    return write
