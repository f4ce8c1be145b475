"""What a report reads of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from analytics.cells import restored
from analytics.tables import TABLES
from utils.dataset import Dataset
from utils.manifest import Manifest
from utils.spec import Spec

Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Source:
    """One dataset, as far as a report needs it.

    Attributes:
        dataset: Its manifest and its spec.
        frames: Table to frame.
    """

    dataset: Dataset
    frames: Frames

    @classmethod
    def open(cls, folder: Path) -> Source:
        """Read a dataset."""
        return cls(Dataset.open(folder), {name: _frame(folder, name) for name in TABLES})

    @property
    def manifest(self) -> Manifest:
        return self.dataset.manifest

    @property
    def run(self) -> str:
        return self.manifest.run

    @cached_property
    def spec(self) -> Spec:
        """The resolved scenario."""
        return self.dataset.spec()

    @cached_property
    def told(self) -> Mapping[str, Any]:
        """The one row of `runs`, without what is empty."""
        rows = self.frames["runs"].to_dict("records")
        row = rows[0] if rows else {}
        return {str(name): value for name, value in row.items() if not pd.isna(value)}

    def number(self, column: str) -> float:
        """Read a number of `runs`; 0 where there is none."""
        return float(self.told.get(column, 0))

    def word(self, column: str) -> str:
        """Read a text of `runs`; empty where there is none."""
        return str(self.told.get(column, ""))


def _frame(folder: Path, table: str) -> pd.DataFrame:
    path = folder / "tables" / f"{table}.csv"
    types = {one.name: one.type for one in TABLES[table]}
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    for name in frame.columns:
        kind = types.get(name, "text")
        if kind == "integer":
            frame[name] = frame[name].astype("Int64")
        elif kind == "decimal":
            frame[name] = frame[name].astype("Float64")
        elif kind == "boolean":
            frame[name] = frame[name].map({"true": True, "false": False}).astype("boolean")
        elif kind == "text":
            frame[name] = frame[name].map(restored, na_action="ignore")
    return frame
