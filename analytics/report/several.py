"""The report on many datasets."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.report.pictures import Picture, Progress
from analytics.report.source import Source


def report_on_several(
    sources: Sequence[Source], *, made_by: str, progress: Progress
) -> tuple[str, list[Picture]]:
    """Write the page about many datasets; its figures come beside it."""
    raise NotImplementedError
