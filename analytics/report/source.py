"""What a report reads of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from analytics import load
from utils.dataset import Dataset
from utils.manifest import Manifest
from utils.spec import Spec

Frames = Mapping[str, pd.DataFrame]

READ = ("messages", "turns", "measures", "interventions", "bots", "runs", "incidents")
"""Tables that are read; calls and exposures, the large ones, only by metrics that need them."""


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
        """Read a dataset: its manifest, its spec, and the tables that a report shows.

        Raises:
            BadInput: There is none, or it is of a newer version.
            BadEntry: A file is not what it should be.
        """
        return cls(Dataset.open(folder), load(folder, tables=READ))

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
