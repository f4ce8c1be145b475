"""A table as a Parquet file: typed columns, texts as they were, the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analytics.cells import raw_text
from analytics.columns import Column, Row, Type, Value

GROUP_ROWS = 20_000
GROUP_CHARS = 8_000_000
"""A row group ends at so many rows or characters: this, times two or three, is held of a table."""


@contextmanager
def open_parquet(path: Path, columns: Sequence[Column]) -> Iterator[Callable[[Row], None]]:
    r"""Hold a Parquet file open; what comes back writes one row into it.

    Numbers are int64 and double, texts and JSON strings, and none is null; a lone half of
    a surrogate pair, which Parquet cannot hold, is written as `\uhhhh`.
    """
    # A tenth of a second and 60 MB: only who asks for Parquet pays for it.
    import pyarrow  # noqa: PLC0415  # as said above
    import pyarrow.parquet  # noqa: PLC0415  # as said above

    kinds: dict[Type, Any] = {
        "text": pyarrow.string(),
        "json": pyarrow.string(),
        "integer": pyarrow.int64(),
        "decimal": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
    }
    schema = pyarrow.schema([(column.name, kinds[column.type]) for column in columns])
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        group = _Group(
            columns, lambda held: writer.write_batch(pyarrow.record_batch(held, schema=schema))
        )
        yield group.add
        group.flush()


class _Group:
    """The rows of a row group, column by column, until they are written."""

    def __init__(
        self, columns: Sequence[Column], write: Callable[[dict[str, list[Value]]], object]
    ) -> None:
        self._held: dict[str, list[Value]] = {column.name: [] for column in columns}
        self._write = write
        self._rows = self._chars = 0

    def add(self, row: Row) -> None:
        for name, values in self._held.items():
            value = row[name]
            if isinstance(value, str):
                self._chars += len(value)
                value = raw_text(value)
            values.append(value)
        self._rows += 1
        if self._rows >= GROUP_ROWS or self._chars >= GROUP_CHARS:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self._write(self._held)
        for values in self._held.values():
            values.clear()
        self._rows = self._chars = 0
