"""The report's files: one page, and, where asked for, each figure with its data."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from analytics.report.page import GENERATOR
from analytics.report.pictures import Picture, Progress
from analytics.report.several import report_on_several
from analytics.report.single import report_on_one
from analytics.report.source import Source
from utils import manifest
from utils.dataset import datasets_in
from utils.errors import BadInput, ParleyError

HEAD_CHARS = 1_000
"""Of a file, to see whether it is a report."""


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        page: The page.
        figures: The figures' files, none unless asked for.
        runs: The ids of the runs it is about.
    """

    page: Path
    figures: Sequence[Path]
    runs: Sequence[str]


def default_page(folder: Path) -> Path:
    """Name the page of a folder: beside it, for a dataset is sealed.

    Example:
        >>> default_page(Path("datasets/tea")).as_posix()
        'datasets/tea.html'
    """
    whole = folder.resolve()
    return folder.parent / f"{folder.name}.html" if folder.name else Path(f"{whole}.html")


def write_report(
    folder: Path,
    *,
    page: Path | None = None,
    figures: Path | None = None,
    made_by: str,
    progress: Progress,
) -> Written:
    """Write the report on a dataset, or on a folder of them.

    Args:
        folder: A dataset, or what holds datasets.
        page: The file to write; none writes it beside the folder. An earlier report of
            that name is replaced, anything else is not.
        figures: Where each figure goes as SVG, and the data behind it as CSV; files of
            the same names are replaced.
        made_by: Program and version, for the page's foot.
        progress: Told what is done next.

    Raises:
        BadInput: There is no dataset, or a file cannot be where it should.
        BadEntry: A dataset's file is not what it should be.
    """
    found = datasets_in(folder)
    out = page or default_page(folder)
    _refuse(out, found)
    if figures is not None:
        _refuse_inside(figures, found)
    sources = []
    for one in found:
        progress(f"reading {one.name}")
        sources.append(Source.open(one))
    report = report_on_one if len(sources) == 1 else report_on_several
    text, drawn = report(sources, made_by=made_by, progress=progress)
    with _mended(out):
        written = [] if figures is None else _write_figures(figures, drawn)
        _write(out, text)
    return Written(out, written, [source.run for source in sources])


def _refuse(page: Path, datasets: Sequence[Path]) -> None:
    _refuse_inside(page, datasets)
    if not os.path.lexists(page):
        return
    try:
        with page.open(encoding="utf-8", errors="replace") as file:
            is_ours = f'content="{GENERATOR}"' in file.read(HEAD_CHARS)
    except OSError as error:
        raise BadInput(f"{page}: {error.strerror}", where="--out") from error
    if not is_ours:
        mend = "choose another, or remove it"
        raise BadInput(f"{page} exists and is no report", where="--out", mend=mend)


def _refuse_inside(path: Path, datasets: Sequence[Path]) -> None:
    """Refuse a place inside a dataset: a file too many breaks its seal."""
    for one in datasets:
        if path.resolve().is_relative_to(one.resolve()):
            raise BadInput(
                f"{path} is inside the dataset, which {manifest.NAME} seals",
                mend="choose a place beside it",
            )


def _write_figures(folder: Path, drawn: Sequence[Picture]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for one in drawn:
        for ending, text in (("svg", one.svg), ("csv", one.csv)):
            path = folder / f"{one.name}.{ending}"
            _write(path, text)
            written.append(path)
    return written


def _write(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8", newline="\n")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _mended(page: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ParleyError(
            f"{error.filename or page}: cannot be written: {error.strerror}"
        ) from error
