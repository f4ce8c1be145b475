"""Reports read back by a parser that knows no code of theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from analytics.export import export_run
from analytics.report.files import Written, write_report
from tests.analytics.recorded import Recorded

NOTHING_INSIDE = {"br", "col", "hr", "meta", "use"}


class Seen(HTMLParser):
    """What a browser makes of a page: its elements, its texts, what is in which element.

    Attributes:
        elements: Each element with its attributes, in order.
        texts: Each text with the elements around it.
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self.comments: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), f"an attribute twice in {tag}"
        if tag not in NOTHING_INSIDE:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in NOTHING_INSIDE:
            assert self._open, f"{tag} ends and never began"
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((tuple(self._open), data))

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def text(self, inside: str = "body") -> str:
        """Read all text inside an element, a blank between."""
        words = (" ".join(data.split()) for around, data in self.texts if inside in around)
        return " ".join(words)

    def values(self, attribute: str) -> list[str]:
        """List an attribute's values."""
        return [attrs[attribute] or "" for _, attrs in self.elements if attribute in attrs]


def dataset_of(recorded: Recorded, folder: Path) -> Path:
    """Export a run that was driven at a table."""
    export_run(recorded.streams, recorded.run, folder)
    return folder


def report_on(folder: Path, page: Path, figures: Path | None = None) -> Written:
    """Write the report on a folder."""
    return write_report(
        folder, page=page, figures=figures, made_by="Parley 0.0.0", progress=lambda _: None
    )


def seen(page: Path) -> Seen:
    """Read a page."""
    return Seen(page.read_text("utf-8"))


def references(page: str) -> Iterator[str]:
    """List what a page points at: everything but its own parts is a defect."""
    yield from re.findall(r"url\(([^)]*)\)", page)
    for attribute in ("href", "src", "srcset", "action", "data", "poster", "xlink:href"):
        yield from Seen(page).values(attribute)
