"""What a scenario file may say of measures, and how it is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from parley.resolve import resolve_file
from utils.awaited import Telling
from utils.errors import BadInput
from worlds import measures

PAGE = Path(__file__).parents[2] / "docs" / "live-measures.md"
HEAD = "parley: 1\nbots: [ada, bo]\nmodels: {m: {mind: scripted}}\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "tea.yaml"
    path.write_text(HEAD + text)
    return path


def test_the_pages_scenario_is_one(tmp_path: Path) -> None:
    path = tmp_path / "town.yaml"
    path.write_text(PAGE.read_text().split("```yaml\n")[1].split("```")[0])
    spec = resolve_file(path)
    assert spec.watched == (
        "participation_gini",
        "words_mean_last_12",
        "self_repetition_last_12",
        "distinct_2_last_12",
    )
    assert spec.when[0].do.channel == "main"
    assert [one.bound for one in spec.end.measures] == ["0.5 or more"]


def test_the_pages_commands_are_all_there_are(tmp_path: Path) -> None:
    lines = PAGE.read_text().split("```yaml\n")[2].split("```")[0].splitlines()
    verbs = set()
    for line in lines:
        text = f"when: [{{measure: words, at_least: 9, {line}}}]\n"
        verbs.add(resolve_file(written(tmp_path, text)).when[0].do.verb)
    assert verbs == set(Telling.model_fields["verb"].annotation.__args__)  # type: ignore[union-attr]


def test_the_pages_table_is_the_modules() -> None:
    table = re.search(r"<!-- measures -->\n(.*?)<!-- end -->", PAGE.read_text(), re.DOTALL)
    assert table is not None
    assert table[1].strip() in (measures.__doc__ or "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "measures: [wrods]",
            "tea.yaml:4: the world 'salon' does not measure 'wrods', nor any talk",
        ),
        ("measures: [distinct_2_last_1]", "does not measure 'distinct_2_last_1'"),
        ("end: {any: [{measure: words}]}", "one of 'is', 'at_least' and 'at_most'"),
        ("end: {any: [{measure: words, is: 1, at_most: 2}]}", "one of 'is', 'at_least'"),
        ("when: [{measure: words, is: 3, do: {mute: bob}}]", "tea.yaml:4: unknown bot 'bob'"),
        ("when: [{measure: words, is: 3, do: {mute: null}}]", "'mute' takes bot"),
        ("when: [{measure: words, is: 3, do: {dance: now}}]", "tea.yaml:4:"),
        ("when: [{measure: words, is: 3, do: inject}]", "must be one command"),
        ("when: [{measure: words, is: 3}]", "tea.yaml:4:"),
        (
            "channels: {a: {}, b: {}}\nwhen: [{measure: words, is: 3, do: {inject: Rain.}}]",
            "tea.yaml:5: 'inject' does not say in which channel",
        ),
        (
            "when: [{measure: words, is: 3, do: {inject: {text: Rain., channel: attic}}}]",
            "unknown channel 'attic'",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        resolve_file(written(tmp_path, text + "\n"))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
