"""What may be set of the naming game, and what is said of what may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from parley.resolve import resolve_file
from utils.errors import BadInput
from worlds.naming.settings import MAX_EDGES


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("{variant: maximal}", "variant must be one of 'minimal', 'coordination', not 'maximal'"),
        ("{variants: minimal}", "unknown key 'variants'; did you mean 'variant'?"),
        ("{words: [F]}", "words must be a list of 2 to 100 items"),
        ("{words: [F, f]}", "'words' must differ by more than upper and lower case"),
        ("{words: [F, 'two words']}", "item 2 of words must be text"),
        ("{words: [F, 1]}", "item 2 of words must be text"),
        ("{payoff: [100]}", "payoff must be a list of 2 to 2 items"),
        ("{memory: 0}", "memory must be a whole number from 1 to 1000, not 0"),
        ("{at_once: 65}", "at_once must be a whole number from 1 to 64, not 65"),
        ("{encounters: 0}", "encounters must be a whole number"),
        ("{variant: minimal, memory: 3}", "'memory' says nothing in the variant 'minimal'"),
        ("{graph: line}", "graph must be"),
        ("{graph: {}}", "graph must be one of 'complete', 'ring' or a mapping of 1"),
        ("{graph: {regular: {degree: 4}, watts_strogatz: {degree: 4, rewire: 0}}}", "graph must"),
        ("{graph: {regular: {degree: 2}}}", "degree must be a whole number"),
        ("{graph: {regular: {}}}", "'degree' is missing"),
        ("{graph: {regular: {degree: 8}}}", "degree must be below the number of bots, 7"),
        ("{graph: {regular: {degree: 3}}}", "no graph of 7 bots has the odd degree 3"),
        ("{graph: {watts_strogatz: {degree: 5, rewire: 0.1}}}", "degree must be"),
        ("{graph: {watts_strogatz: {degree: 4, rewire: 2}}}", "rewire must be"),
        ("{graph: {watts_strogatz: {degree: 4}}}", "'rewire' is missing"),
    ],
)
def test_what_cannot_be_set_is_told_in_one_line(tmp_path: Path, own: str, said: str) -> None:
    refusal = refused(tmp_path, f"bots: {{count: 7}}\nworld: {{naming: {own}}}\n")
    assert refusal.startswith(f"3: {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bots: [ada]\nworld: naming\n", "it takes two to play the naming game; add a bot"),
        (
            "bots: [ada, bo]\nworld: naming\nchannels: {main: {}}\n",
            "the naming game opens its own channels; leave out 'channels'",
        ),
        (
            "bots: {count: 1000}\nworld: {naming: {graph: {regular: {degree: 200}}}}\n",
            f"the graph would have more than {MAX_EDGES} edges",
        ),
        (
            "bots: [ada, bo]\nworld: naming\nend: {any: [{measure: joy, is: 1}]}\n",
            "the world 'naming' does not measure 'joy'",
        ),
    ],
)
def test_a_scenario_that_cannot_be_played_is_told_in_one_line(
    tmp_path: Path, text: str, said: str
) -> None:
    assert said in refused(tmp_path, text)


def refused(folder: Path, text: str) -> str:
    path = folder / "words.yaml"
    path.write_text(f"parley: 1\n{text}")
    with pytest.raises(BadInput) as caught:
        resolve_file(path)
    told = str(caught.value)
    assert "\n" not in told
    return told.removeprefix(f"{path}:")
