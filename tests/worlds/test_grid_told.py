"""What the grid tells, to a body and to an observer, and what a scenario may not ask of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worlds.grid_played import BODIES, Hand, grid_spec
from utils.errors import BadInput
from utils.protocol import AskAct
from utils.spec import ChannelSpec
from worlds.grid.rules import Grid


def test_a_body_is_told_in_words_and_as_data_what_it_sees_and_can_do() -> None:
    hand = Hand({"ada": (2, 2), "bo": (3, 1), "cy": (2, 5), "dot": (7, 5)}, [(2, 2), (4, 2)])
    ask = hand.grid.ask(hand.state, "ada", "do-ada")
    assert isinstance(ask, AskAct)
    assert "column 3 from the west and row 3 from the north" in ask.text
    assert "A berry lies at your feet" in ask.text
    assert "1 berry 2 east" in ask.text
    assert "bo 1 east and 1 north, near enough to talk to" in ask.text
    assert "cy 3 south, too far off to hear you" in ask.text
    assert "dot" not in ask.text
    assert '{"do": "take"}' in ask.text
    assert '"give"' not in ask.text
    hand.means("ada", "take").step()
    later = hand.grid.ask(hand.state, "ada", "do-ada")
    assert isinstance(later, AskAct)
    assert '{"do": "give", "to": "bo"}' in later.text
    assert "{'const': 'give'}" in str(later.answer_schema)
    assert "{'const': 'take'}" not in str(later.answer_schema)
    assert later.view == hand.grid.view(hand.state, "ada")


def test_an_observer_is_shown_the_whole_land_and_a_bot_without_body_nothing() -> None:
    hand = Hand({"ada": (2, 2)}, [(1, 1)])
    body = {"cell": [2, 2], "energy": 10, "carries": 0}
    shown = {"tick": 0, "bodies": {"ada": body}, "berries": {"1,1": 1}}
    assert hand.grid.view(hand.state, None) == shown
    assert hand.grid.view(hand.state, "judge") is None


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"judge": "zoe"}, "no bot 'zoe'"),
        ({"sleepers": ["zoe"]}, "no bot 'zoe'"),
        ({"judge": "ada", "sleepers": ["ada"]}, "no body"),
        ({"reach": 5, "sight": 4}, "sight"),
        ({"width": 1, "height": 2}, "do not fit"),
        ({"ticks": 0}, "ticks"),
        ({"moons": 2}, "moons"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(BadInput, match=why) as refused:
        Grid().initial(grid_spec(BODIES, **settings))
    assert refused.value.where.startswith("world")


def test_a_scenario_that_opens_channels_or_has_names_too_long_is_refused() -> None:
    spec = grid_spec(BODIES)
    main = ChannelSpec(name="main", members=BODIES)
    with pytest.raises(BadInput, match="opens its own"):
        Grid().initial(spec.model_copy(update={"channels": (main,)}))
    with pytest.raises(BadInput, match="over 61 characters"):
        Grid().initial(grid_spec(("a" * 62,)))
