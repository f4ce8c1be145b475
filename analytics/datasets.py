"""What metrics read of datasets: the tables and columns that are asked for, no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from analytics.frames import load
from utils.dataset import Dataset
from utils.errors import BadInput


class Tables(Mapping[str, pd.DataFrame]):
    """The tables of one dataset, or of several, each read when it is first asked for.

    Args:
        columns: Table to the columns that are read of it.
    """

    def __init__(self, datasets: Sequence[Dataset], columns: Mapping[str, Iterable[str]]) -> None:
        self._folders = [one.folder for one in datasets]
        self._columns = {table: sorted(names) for table, names in columns.items()}
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, table: str) -> pd.DataFrame:
        if table not in self._read:
            wanted = {table: self._columns[table]}
            parts = [load(one, tables=[table], columns=wanted)[table] for one in self._folders]
            self._read[table] = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
        return self._read[table]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def read_embeddings(path: Path) -> dict[str, pd.DataFrame]:
    """Read what a model makes of messages: a CSV file of `run_id`, `message_id`, numbers.

    Returns:
        Run to a row a message, its index the `message_id`.

    Raises:
        BadInput: It cannot be read, or is of another form.
    """
    try:
        cells = pd.read_csv(path, dtype=str, na_filter=False, encoding="utf-8")
        if list(cells.columns[:2]) != ["run_id", "message_id"] or len(cells.columns) < 3:
            what = "its columns are not run_id, message_id, and numbers"
            raise BadInput(what, where=str(path))
        numbers = cells.iloc[:, 2:].astype(float)
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot be read: {error}", where=str(path)) from error
    numbers.index = pd.Index(cells["message_id"])
    runs = cells["run_id"]
    return {str(run): numbers[runs.eq(run).to_numpy()] for run in runs.unique()}
