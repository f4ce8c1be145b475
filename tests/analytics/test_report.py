"""The report on one dataset."""

from __future__ import annotations

import base64
import csv
import hashlib
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from analytics.export import export_run
from analytics.metrics.frames import Frames
from analytics.metrics.seam import Metric, Reading
from analytics.report.measured import measured, told
from analytics.report.page import STYLE
from analytics.report.source import Source
from analytics.sheets import Form
from tests.analytics.recorded import Recorded, every_file
from tests.analytics.reported import Seen, dataset_of, references, report_on, seen
from tests.scenes import spec_of
from utils.errors import BadInput


def talk() -> Recorded:
    """Play a run in which an attempt fails, and one answer is cut."""
    run = Recorded(spec_of(turns=6)).begin()
    run.say("A town is for those who are late.", answer_tokens=8)
    run.call(outcome="server", said=None, response="", error="status 500 | <b>bold</b>")
    run.say("Late for what?")
    run.say("For supper, Bo: and for the bridge.", cut=(("speaker", "Bo: Hm."),))
    run.say("A bridge is a promise.")
    run.say("I count eleven bolts, and trust nine of them.")
    run.say("Then count again.")
    return run.close().write()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dataset_of(talk(), tmp_path_factory.mktemp("report") / "tea")


@pytest.fixture(scope="module")
def page(dataset: Path) -> Path:
    out = dataset.parent / "pages" / "tea.html"
    report_on(dataset, out, out.parent / "figures")
    return out


def test_it_says_what_was_asked_and_how_it_ended(page: Path) -> None:
    text = seen(page).text("main") + seen(page).text("header")
    for said in (
        "Run tea-1",
        "Seed 7",
        "round_robin",
        "What is a town for?",
        "Ada, Bo, Cy",
        "after 6 turns, or after 10 min of silence",
        "120 s a grant, 3 tries a turn",
        "It ended because all its turns were done.",
    ):
        assert said in text


def test_what_was_lost_stands_before_every_figure(page: Path) -> None:
    text = seen(page).text("main")
    lost = [text.index(name) for name in ("Revoked for time", "Resampled", "Cut", "Failed att")]
    assert max(lost) < text.index("What was asked") < text.index("Figure 1.")
    assert "Failed attempts 1 7 calls 14.3%" in text
    assert "Cut 1 7 calls 14.3%" in text
    assert "Revoked for time 0 6 grants 0%" in text


def test_two_reports_on_one_dataset_are_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        report_on(dataset, tmp_path / name / "tea.html", tmp_path / name / "figures")
    assert every_file(tmp_path / "one") == every_file(tmp_path / "two")


def test_the_dataset_is_as_it_was(dataset: Path, tmp_path: Path) -> None:
    before = every_file(dataset)
    report_on(dataset, tmp_path / "tea.html")
    assert every_file(dataset) == before


def test_the_page_points_at_nothing_but_its_own_parts(page: Path) -> None:
    whole = page.read_text("utf-8")
    pointed = list(references(whole))
    ids = seen(page).values("id")
    assert len(pointed) > 10
    assert {one for one in pointed if not one.startswith("#")} == set()
    assert {one[1:] for one in pointed} <= set(ids)
    assert len(set(ids)) == len(ids)
    assert list(references('<p><a href="http://example.org/">x</a><img src="y"></img></p>')) != []


def test_the_page_allows_one_style_and_nothing_else(page: Path) -> None:
    parts = seen(page)
    (policy,) = (
        attrs["content"]
        for tag, attrs in parts.elements
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    (style,) = (data for around, data in parts.texts if around[-1] == "style")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.split("; ")[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]
    assert parts.values("style") == []
    assert not {tag for tag, _ in parts.elements} & {"script", "link", "iframe", "img", "object"}
    assert not [name for _, attrs in parts.elements for name in attrs if name.startswith("on")]


def test_every_figure_is_a_file_too_with_its_data_beside_it(page: Path) -> None:
    files = every_file(page.parent / "figures")
    assert set(files) == {
        f"{name}.{kind}"
        for name in ("participation", "adjacency", "latency", "lengths", "metrics")
        for kind in ("svg", "csv")
    }
    for name, content in files.items():
        if name.endswith(".svg"):
            assert ElementTree.fromstring(content).tag == "{http://www.w3.org/2000/svg}svg"
            assert b"var(" not in content


def test_the_data_behind_a_figure_are_those_of_the_dataset(page: Path) -> None:
    with (page.parent / "figures" / "participation.csv").open(encoding="utf-8") as file:
        rows = {row["bot"]: row for row in csv.DictReader(file)}
    assert {bot: int(row["messages"]) for bot, row in rows.items()} == {"ada": 2, "bo": 2, "cy": 2}
    assert [int(rows[bot]["words"]) for bot in ("ada", "bo", "cy")] == [13, 12, 10]
    assert float(rows["ada"]["share_of_words"]) == pytest.approx(13 / 35)


def test_figures_take_their_colours_from_the_page(page: Path) -> None:
    whole = page.read_text("utf-8")
    assert not re.findall(r'(?:fill|stroke)="#', whole)
    assert whole.count("var(--s1)") > 10
    for svg in (page.parent / "figures").glob("*.svg"):
        assert not re.findall(r"#0000[0a]\d", svg.read_text("utf-8"))


def test_a_metric_that_a_run_cannot_give_says_why_and_is_no_zero() -> None:
    metric = Metric("m", "f", ("run",), "bits", 0, None, "Of `x`.", "S 2024", {}, lambda f, s: [])
    text = Seen(told([(metric, [Reading("run", None, "one bot")])]).markup).text("table")
    assert text.endswith("m – one bot bits at least 0 Of x . S 2024")
    many = [Reading("bot", value, bot=str(value)) for value in (1.0, 4.0, 2.0)]
    assert "m 2 median of 3 bots 1 to 4 bits" in Seen(told([(metric, many)]).markup).text("table")


def test_a_metric_that_fails_costs_its_own_row_alone(dataset: Path) -> None:
    def fail(frames: Frames, seed: int) -> list[Reading]:
        raise ZeroDivisionError("no turns")

    metric = Metric("m", "f", ("run",), "bits", 0, None, "Of `x`.", "S 2024", {}, fail)
    (found,) = measured(Source.open(dataset), [metric], lambda _: None)
    assert found[1] == [
        Reading("run", None, "the metric 'm' failed on tea-1: ZeroDivisionError: no turns")
    ]


def test_every_metric_there_is_stands_in_the_report(page: Path) -> None:
    text = seen(page).text("main")
    assert "mtld" in text
    assert "participation_gini 0 0 to 1" in text
    assert "no encounters of a naming game" in text


def test_an_answer_of_the_offline_model_is_called_what_it_is(tmp_path: Path) -> None:
    run = Recorded(spec_of(turns=1)).begin()
    run.say("Hm.", language_model=False)
    folder = dataset_of(run.close().write(), tmp_path / "tea")
    report_on(folder, tmp_path / "tea.html")
    assert "No language model answered here." in seen(tmp_path / "tea.html").text("header")


def test_a_run_in_which_nothing_was_said_has_a_report(tmp_path: Path) -> None:
    folder = dataset_of(Recorded(spec_of(turns=3)).begin().write(), tmp_path / "tea")
    written = report_on(folder, tmp_path / "tea.html", tmp_path / "figures")
    text = seen(tmp_path / "tea.html").text("body")
    assert written.figures == []
    assert "This run was running when it was exported: it was cut at commit" in text
    assert "Nothing to draw." in text


def test_digests_of_withheld_texts_are_not_taken_for_words(tmp_path: Path) -> None:
    run = talk()
    export_run(run.streams, run.run, tmp_path / "tea", form=Form(withheld=("texts",)))
    written = report_on(tmp_path / "tea", tmp_path / "tea.html", tmp_path / "figures")
    text = seen(tmp_path / "tea.html").text("body")
    assert "The texts of this dataset were withheld" in text
    assert "mtld – the texts were withheld" in text
    assert "lengths.csv" not in [path.name for path in written.figures]
    assert "words" not in (tmp_path / "figures" / "participation.csv").read_text("utf-8")
    assert "latency_median_ms 10" in text


def test_nothing_is_written_into_a_dataset(dataset: Path) -> None:
    with pytest.raises(BadInput, match=r"is inside the dataset"):
        report_on(dataset, dataset / "report.html")
    with pytest.raises(BadInput, match=r"is inside the dataset"):
        report_on(dataset, dataset.parent / "x.html", dataset / "figures")


def test_only_an_earlier_report_is_replaced(dataset: Path, tmp_path: Path) -> None:
    page = tmp_path / "tea.html"
    page.write_text("<p>My own notes.</p>")
    with pytest.raises(BadInput, match=r"exists and is no report"):
        report_on(dataset, page)
    assert page.read_text() == "<p>My own notes.</p>"
    page.unlink()
    report_on(dataset, page)
    report_on(dataset, page)


def test_what_is_no_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no dataset at"):
        report_on(tmp_path, tmp_path / "x.html")


# Colours


def luminance(colour: str) -> float:
    """Compute the relative luminance of WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_texts_and_series_stand_out_from_the_paper(mode: str) -> None:
    light, dark = STYLE.split("prefers-color-scheme: dark", 1)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light if mode == "light" else dark))
    texts = ("ink", "soft", "accent", "warn", *(f"s{place}" for place in range(1, 9)))
    weak = [name for name in texts if contrast(colours[name], colours["paper"]) < 4.5]
    assert weak == []
    assert contrast("#777777", "#888888") < 4.5
