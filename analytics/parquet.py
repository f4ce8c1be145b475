"""A table as a Parquet file: typed columns, texts as they were, the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
    import pyarrow  # noqa: PLC0415
    import pyarrow.parquet  # noqa: PLC0415

    kinds: dict[Type, Any] = {
        "text": pyarrow.string(),
        "json": pyarrow.string(),
        "integer": pyarrow.int64(),
        "decimal": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
    }
    schema = pyarrow.schema([(column.name, kinds[column.type]) for column in columns])
    held: dict[str, list[Value]] = {column.name: [] for column in columns}
    texts = {column.name for column in columns if kinds[column.type] == pyarrow.string()}
    rows = chars = 0

    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:

        def flush() -> None:
            nonlocal rows, chars
            if rows:
                writer.write_batch(pyarrow.record_batch(held, schema=schema))
            for values in held.values():
                values.clear()
            rows = chars = 0

        def write(row: Row) -> None:
            nonlocal rows, chars
            for name, values in held.items():
                value = row[name]
                if isinstance(value, str) and name in texts:
                    chars += len(value)
                    value = _storable(value)
                values.append(value)
            rows += 1
            if rows >= GROUP_ROWS or chars >= GROUP_CHARS:
                flush()

        yield write
        flush()


def _storable(text: str) -> str:
    r"""Write out what UTF-8 cannot hold.

    Example:
        >>> _storable("é"), _storable("\udcff")
        ('é', '\\udcff')
    """
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()
