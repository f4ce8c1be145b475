"""Dataset folders read back for metrics: the tables and columns that are asked for, no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analytics.cells import restored
from analytics.tables import TABLES
from utils.errors import BadInput

LABEL = "label_"


@dataclass(frozen=True, slots=True)
class Dataset:
    """One run's folder.

    Attributes:
        labels: Of the run, in the order of its columns.
    """

    folder: Path
    run: str
    labels: dict[str, str]


def datasets_in(folder: Path) -> list[Dataset]:
    """Find a dataset, or all those in a folder, at any depth, sorted by path.

    Raises:
        BadInput: There is none, or one cannot be read.
    """
    found = sorted(
        path.parent.parent
        for path in folder.rglob("tables/runs.csv")
        if not any(part.endswith(".partial") for part in path.relative_to(folder).parts)
    )
    if not found:
        raise BadInput("there is no dataset", where=str(folder), mend="write one: parley export")
    return [_open(one) for one in found]


def read_embeddings(path: Path) -> dict[str, pd.DataFrame]:
    """Read what a model makes of messages: a CSV file of `run_id`, `message_id`, numbers.

    Returns:
        Run to a row a message, its index the `message_id`.

    Raises:
        BadInput: It cannot be read, or is of another form.
    """
    cells = _read(path, None)
    if list(cells.columns[:2]) != ["run_id", "message_id"] or len(cells.columns) < 3:
        what = "its columns are not run_id, message_id, and numbers"
        raise BadInput(what, where=str(path))
    try:
        numbers = cells.iloc[:, 2:].astype(float)
    except ValueError as error:
        raise BadInput(f"a cell is no number: {error}", where=str(path)) from error
    numbers.index = pd.Index(cells["message_id"])
    return {
        str(run): numbers[cells["run_id"].eq(run).to_numpy()] for run in cells["run_id"].unique()
    }


def _open(folder: Path) -> Dataset:
    path = folder / "tables" / "runs.csv"
    runs = _read(path, None)
    if len(runs) != 1 or "run_id" not in runs:
        raise BadInput("it is not the table of one run", where=str(path))
    row = runs.iloc[0]
    labels = {name: _text(row[name]) or "" for name in runs.columns if name.startswith(LABEL)}
    return Dataset(folder, str(row["run_id"]), labels)


class Tables(Mapping[str, pd.DataFrame]):
    """A dataset's tables, each read when it is first asked for.

    Args:
        columns: Table to the columns that are read of it.
    """

    def __init__(self, dataset: Dataset, columns: Mapping[str, Iterable[str]]) -> None:
        self._folder = dataset.folder / "tables"
        self._columns = {table: sorted(names) for table, names in columns.items()}
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, table: str) -> pd.DataFrame:
        if table not in self._read:
            path = self._folder / f"{table}.csv"
            self._read[table] = _typed(table, _read(path, self._columns[table]))
        return self._read[table]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def _read(path: Path, columns: list[str] | None) -> pd.DataFrame:
    try:
        return pd.read_csv(
            path, dtype=str, keep_default_na=False, usecols=columns, encoding="utf-8"
        )
    except FileNotFoundError as error:
        raise BadInput("there is no such table", where=str(path)) from error
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot be read: {error}", where=str(path)) from error


def _typed(table: str, cells: pd.DataFrame) -> pd.DataFrame:
    """Turn cells into values by the types of the codebook; labels are text."""
    types = {column.name: column.type for column in TABLES.get(table, ())}
    made = {name: _values(cells[name], types.get(name, "text")) for name in cells.columns}
    return pd.DataFrame(made)


def _values(cells: pd.Series[str], kind: str) -> pd.Series:
    if kind == "integer":
        return cells.where(cells.ne(""), None).astype("Int64")
    if kind == "decimal":
        return pd.to_numeric(cells.where(cells.ne(""), None))
    if kind == "boolean":
        return cells.map({"true": True, "false": False}).astype("boolean")
    if kind == "json":
        return cells
    return pd.Series([_text(one) for one in cells], index=cells.index, dtype=object)


def _text(cell: str) -> str | None:
    if not cell:
        return None
    return restored(cell) if "\\" in cell or cell[0] == "'" else cell
