"""The tables of a dataset as pandas frames with typed columns.

from analytics import load

frames = load("datasets/tea")
frames["messages"].groupby("speaker").text.count()
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.cells import restored
from utils.dataset import Dataset, datasets_in
from utils.errors import BadEntry, BadInput
from utils.names import look_up, nearest, shown

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    Types = dict[str, dict[str, str]]
    """Table to column to type, as a dataset's own codebook has them."""


def load(
    folder: str | Path,
    *,
    tables: Collection[str] | None = None,
    columns: Mapping[str, Collection[str]] | None = None,
) -> dict[str, DataFrame]:
    """Read a dataset's tables, or those of a folder of datasets one below another.

    Integers are `Int64`, decimals `Float64`, booleans `boolean`, texts and JSON `string`;
    an empty cell is missing. Texts are as they were said, whatever the files had to
    write for spreadsheets. Columns and rows are counted; `parley verify` checks the files.

    Args:
        folder: A dataset, or a folder that holds datasets.
        tables: Which to read; all of them unless it is given.
        columns: Of a table named here, which to read; all of them of any other.

    Returns:
        Table to frame. Rows have the order of the files, datasets that of their names.

    Raises:
        BadInput: There is no dataset, it is of a newer version, or it has no such table
            or column.
        BadEntry: A file is not what it should be.
    """
    # Half a second: only who asks for frames pays for it.
    import pandas  # noqa: PLC0415  # half a second: only who asks for frames pays

    each = [_Tables(Dataset.open(one)) for one in datasets_in(Path(folder))]
    names = list(each[0].types) if tables is None else list(tables)
    frames = {}
    for name in names:
        parts = [one.frame(name, (columns or {}).get(name)) for one in each]
        frames[name] = parts[0] if len(parts) == 1 else pandas.concat(parts, ignore_index=True)
    return frames


class _Tables:
    """The tables of one dataset."""

    def __init__(self, dataset: Dataset) -> None:
        self.types = _codebook(dataset.folder / "codebook.csv")
        self._folder = dataset.folder
        self._rows = dataset.manifest.rows
        self._is_raw = dataset.manifest.text == "raw"

    def frame(self, table: str, columns: Collection[str] | None) -> DataFrame:
        import pandas  # noqa: PLC0415  # half a second: only who asks for frames pays

        types = self.types.get(table)
        if types is None:
            close = nearest(table, self.types)
            mend = f"did you mean {shown(close)}?" if close else f"there are {_and(self.types)}"
            raise BadInput(f"no table {shown(table)} in {self._folder}", mend=mend)
        path = self._folder / "tables" / f"{table}.csv"
        for name in columns or ():
            look_up(name, types, f"column of {table}", str(self._folder))
        try:
            head = pandas.read_csv(path, nrows=0, dtype=str, encoding="utf-8").columns
            if list(head) != list(types):
                raise BadEntry(f"{path}:1", "its columns are not those of codebook.csv")
            cells = pandas.read_csv(
                path,
                usecols=None if columns is None else list(columns),
                dtype=str,
                na_filter=False,
                encoding="utf-8",
                lineterminator="\n",
            )
        except OSError as error:
            raise BadEntry(str(path), error.strerror or "cannot be read") from error
        except ValueError as error:
            raise BadEntry(str(path), str(error).strip() or "cannot be read") from error
        # A table that was cut off gives numbers too, and wrong ones.
        if len(cells) != self._rows.get(table, len(cells)):
            why = f"it has {len(cells):,} of the {self._rows[table]:,} rows that were sealed"
            raise BadEntry(str(path), f"{why}; see: parley verify {self._folder}")
        typed = {name: self._typed(cells[name], types[name], path) for name in cells.columns}
        return pandas.DataFrame(typed)

    def _typed(self, cells: Series[str], kind: str, path: Path) -> Any:
        import pandas  # noqa: PLC0415  # half a second: only who asks for frames pays

        missing = (cells == "").to_numpy(dtype=bool)
        try:
            # By way of 0, and not of NaN: a float has not room for every integer.
            if kind == "integer":
                values = cells.mask(missing, "0").to_numpy(dtype=object).astype("int64")
                return pandas.arrays.IntegerArray(values, missing)
            if kind == "decimal":
                numbers = cells.mask(missing, "0").to_numpy(dtype=object).astype("float64")
                return pandas.arrays.FloatingArray(numbers, missing)
        except ValueError as error:
            raise BadEntry(str(path), f"column {cells.name}: {error}") from error
        if kind == "boolean":
            return pandas.arrays.BooleanArray((cells == "true").to_numpy(dtype=bool), missing)
        if kind == "text" and not self._is_raw:
            escaped = cells.str.startswith("'") | cells.str.contains("\\", regex=False)
            cells = cells.where(~escaped, cells[escaped].map(restored))
        return cells.astype("string").mask(missing)


def _codebook(path: Path) -> Types:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            types: Types = {}
            for row in csv.DictReader(file):
                types.setdefault(row["table"], {})[row["column"]] = row["type"]
            return types
    except (OSError, ValueError, KeyError) as error:
        raise BadEntry(str(path), "no codebook") from error


def _and(names: Iterable[str]) -> str:
    return ", ".join(names)
