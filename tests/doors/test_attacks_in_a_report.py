"""What one bot said with bad intent, as a page: every text of it is a text."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle
from xml.etree import ElementTree

import pandas as pd
import pytest

from analytics.export import export_run
from analytics.report.excerpts import excerpts
from analytics.report.markup import tag
from analytics.report.pictures import Picture
from analytics.report.plots import Cast
from analytics.report.several import report_on_several
from analytics.report.single import report_on_one
from analytics.report.source import Source
from tests.analytics.reported import Seen
from tests.doors.attacked import attacked_run
from tests.doors.corpus import CORPUS, Attack
from tests.doors.judges import acting, running
from utils.printable import printable

OURS = set(
    "html head meta title style body header main footer nav section div p h1 h2 h3 a span code"
    " table caption thead tbody tr th td dl dt dd ol ul li figure figcaption b"
    " svg g path text defs use clippath rect".split()
)
GIVEN = set(
    "lang charset http-equiv content name href id class role tabindex dir scope title viewbox"
    " aria-label aria-labelledby"
    " x y width height d transform clip-path fill stroke opacity fill-opacity stroke-opacity"
    " stroke-width stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin"
    " font-size font-weight text-anchor".split()
)
NAMES = ("run_id", "name", "scope", "outcome", "channel", "speaker", "bot", "message_id")
"""Columns that hold what Parley checked, and by which tables are joined."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Read an attacked run, and put an attack into every cell of it that may hold a text."""
    folder = tmp_path_factory.mktemp("attacked") / "dataset"
    with attacked_run() as played:
        export_run(played.streams, played.run, folder)
    read = Source.open(folder)
    texts = cycle(one.text[:4_000] for one in CORPUS)
    frames = {name: frame.copy() for name, frame in read.frames.items()}
    for frame in frames.values():
        for column in frame.columns:
            if isinstance(frame[column].dtype, pd.StringDtype) and column not in NAMES:
                frame[column] = pd.Series([next(texts) for _ in frame.index], dtype=object)
    return replace(read, frames=frames)


def wrong(page: str) -> list[str]:
    """List what is in a page that nobody of ours put there."""
    parts = Seen(page)
    return [
        *(tag for tag, _ in parts.elements if tag not in OURS),
        *(name for _, attrs in parts.elements for name in attrs if name not in GIVEN),
        *(one for one in parts.values("href") if not one.startswith("#")),
        *parts.comments,
        *acting("".join(data for around, data in parts.texts if around[-1] != "style")),
        *acting("".join(value or "" for _, attrs in parts.elements for value in attrs.values())),
    ]


@pytest.fixture(scope="module")
def reported(source: Source) -> tuple[str, list[Picture]]:
    return report_on_one([source], made_by="x", progress=lambda _: None)


def test_no_element_and_no_attribute_of_a_report_comes_from_a_text(
    reported: tuple[str, list[Picture]],
) -> None:
    page, _ = reported
    assert wrong(page) == []
    assert "&lt;" in page


def test_no_element_of_a_report_on_many_comes_from_a_text(source: Source) -> None:
    page, _ = report_on_several([source, source], made_by="x", progress=lambda _: None)
    assert wrong(page) == []


def test_no_figure_is_anything_but_marks_and_words(reported: tuple[str, list[Picture]]) -> None:
    _, drawn = reported
    for one in drawn:
        names = {
            element.tag.rpartition("}")[2] for element in ElementTree.fromstring(one.svg).iter()
        }
        assert names <= {"svg", "title", "g", "path", "text", "defs", "use", "clipPath", "rect"}
        assert acting(one.svg) == set()
        cells = (cell for line in one.csv.splitlines() for cell in line.split(","))
        assert [cell for cell in cells if running(cell)] == []


def test_an_attack_that_is_not_escaped_would_be_found() -> None:
    assert wrong("<p><script>x</script></p>") == ["script"]
    assert wrong('<p onclick="x">y</p>') == ["onclick"]
    assert wrong("<p>\u202eab</p>") == ["\u202e"]
    assert wrong('<p><a href="javascript:x">y</a></p>') == ["javascript:x"]
    assert wrong("<p><!-- x --></p>") == [" x "]


@pytest.mark.parametrize("attack", CORPUS, ids=lambda attack: attack.name)
def test_an_attack_is_read_as_the_text_it_is_wherever_it_stands(attack: Attack) -> None:
    short = attack.text[:2_000]
    page = tag("p", short, title=short, lang="en").markup
    parts = Seen(page)
    assert [name for name, _ in parts.elements] == ["p"]
    assert parts.elements[0][1] == {"title": printable(short), "lang": "en"}
    assert "".join(data for _, data in parts.texts).strip() == printable(short).strip()
    assert acting(page) == set()


def test_excerpts_show_every_attack_and_cut_what_is_vast(source: Source) -> None:
    frame = source.frames["messages"].head(len(CORPUS)).copy()
    frame["text"] = pd.Series([one.text for one in CORPUS][: len(frame)], dtype=object)
    for start in range(0, len(frame), 18):
        some = replace(source, frames={**source.frames, "messages": frame.iloc[start : start + 18]})
        markup = excerpts(some, Cast.of(some)).markup
        assert wrong(markup) == []
        assert len(markup) < 18 * 8_000
