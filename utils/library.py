"""Where the personas, prompts and scenarios that come with Parley are."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from utils.errors import Missing

Kind = Literal["personas", "prompts", "scenarios"]

_HOME = Path(__file__).resolve().parent.parent
"""Where the packages lie side by side: the repository, or site-packages."""


def shipped(kind: Kind, *, home: Path = _HOME) -> Path:
    """Find the folder of data that came with this installation.

    Args:
        kind: Which folder.
        home: Where the package `parley` lies.

    Returns:
        `parley/data/<kind>` of an installed wheel; else `<kind>` at the repository's
        root, for an editable installation.

    Raises:
        Missing: Neither exists: the installation is broken.

    Example:
        >>> shipped("personas").name
        'personas'
    """
    for folder in (home / "parley" / "data" / kind, home / kind):
        if folder.is_dir():
            return folder
    raise Missing(
        f"the {kind} that come with Parley are not installed",
        where=str(home),
        mend="install Parley again",
    )
