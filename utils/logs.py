"""What a process says on stderr: one line a thing, with the time and who says it."""

from __future__ import annotations

import logging
import sys

FORMAT = "%(asctime)s %(name)s: %(message)s"


def to_stderr(*, quiet: bool = False) -> None:
    """Send this process's log lines to stderr. Called by `main()`, never at import."""
    logging.basicConfig(
        stream=sys.stderr,
        format=FORMAT,
        datefmt="%H:%M:%S",
        level=logging.WARNING if quiet else logging.INFO,
        force=True,
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line a call would drown ours
