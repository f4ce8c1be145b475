"""How far long work is, drawn on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SHORT = 5_000
"""Records of which work is done before anybody wonders: nothing is drawn."""


@contextmanager
def drawn(what: str, *, beyond: int = SHORT) -> Iterator[Callable[[int, int], None] | None]:
    """Hold a progress bar on stderr, if that is a terminal and there is much to do.

    Args:
        beyond: How many records that is more than.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # 0.1 s to import
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, visible=False)
        yield lambda done, of: bar.update(task, completed=done, total=of, visible=of > beyond)
