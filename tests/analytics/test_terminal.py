"""What comes out on a terminal: readable, and nothing in it acts."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from analytics.observer.panel import panel
from analytics.observer.plan import plan_of
from analytics.observer.terminal import styles
from tests.analytics.shown import (
    ACTIVE,
    ATTACKS,
    CURSOR,
    RUN,
    STYLE,
    drawn,
    said,
    view_of,
)
from tests.scenes import Table, spec_of
from utils.protocol import Started
from utils.spec import ChannelSpec, FloorSpec


def talk_of(table: Table, *, width: int = 100) -> str:
    """The talk alone, without styles and without the panel."""
    sent = CURSOR.sub("", STYLE.sub("", drawn(table, width=width)))
    return sent.partition("── ")[0]


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("width", [100, 40])
def test_a_bots_text_does_not_act_on_a_terminal(attack: str, width: int) -> None:
    sent = drawn(said(attack, f"over {attack}"), width=width)
    inert = CURSOR.sub("", STYLE.sub("", sent))
    assert not ACTIVE.search(inert)


def test_markup_in_a_bots_text_stands_there_as_it_is() -> None:
    text = "[red]not red[/red] :smile: [/]"
    assert text in talk_of(said(text))
    assert "[bold]x" in talk_of(said("[bold]x"))


def test_the_talk_hangs_beside_its_speakers() -> None:
    long = "A town is for being found in. " * 5
    table = said(long, "Who carries the bread?")
    table.propose(action={"kind": "pass"})
    assert talk_of(table, width=72).splitlines() == [
        "  run tea-1: tea, seed 7: Ada, Bo and Cy",
        "      opening  What is a town for?",
        "  Ada is served by host-ada",
        "  Bo is served by host-bo",
        "  Cy is served by host-cy",
        "  all bots are seated: turns begin",
        "   1  Ada      A town is for being found in. A town is for being found",
        "               in. A town is for being found in. A town is for being",
        "               found in. A town is for being found in.",
        "   2  Bo       Who carries the bread?",
        "   3  Cy passes",
    ]


@pytest.mark.parametrize("width", [24, 40, 56, 80, 200])
def test_no_row_is_wider_than_the_terminal(width: int) -> None:
    texts = ["word " * 60, "你好城镇" * 40, "👩‍🚀🙂" * 30, "x" * 300]
    rows = CURSOR.sub("\n", STYLE.sub("", drawn(said(*texts), width=width))).splitlines()
    assert max(cell_len(row) for row in rows) <= width


def test_speakers_have_colours_of_their_own_by_their_place_in_the_spec() -> None:
    table = said("one", "two")
    given = styles(plan_of(RUN, table.rules.spec))
    assert len(set(given.values())) == 3
    # rich keeps the codes of a style as its first console wrote them: not always 256 colours
    ada, bo = (re.search(rf"\x1b\[1;([0-9;]+)m{name}", drawn(table)) for name in ("Ada", "Bo"))
    assert ada
    assert bo
    assert ada[1] != bo[1]


def shown_below(table: Table, *, after_ms: int = 0, width: int = 80) -> list[str]:
    view = view_of(table)
    return panel(view, table.now_ms + after_ms, width=width, styles={}).plain.splitlines()


def test_the_panel_counts_down_who_holds_the_floor() -> None:
    table = Table(spec_of(turns=10)).begin()
    for _ in range(5):
        table.now_ms += 3_000
        table.propose()
    rule, progress, floor = shown_below(table)
    assert rule.startswith("── tea-1 ─")
    assert progress == f" {'━' * 24}  turn 5 of 10 · about 15 s left · 20 turns a minute"
    assert floor == " Cy holds the floor · 2 min left"
    assert shown_below(table, after_ms=30_000)[2] == " Cy holds the floor · 1 min 30 s left"


def test_the_panel_tells_what_is_missing_and_the_line_that_mends_it() -> None:
    table = Table(spec_of())
    assert shown_below(table)[2] == " waiting for an orchestrator: parley orchestrator"
    table.notice(Started(run=RUN, spec_sha256="0" * 64))
    table.join("ada")
    waits = shown_below(table, after_ms=10_000)[2]
    assert waits == " waiting 50 s yet for Bo and Cy: parley bots"
    for bot in ("bo", "cy"):
        table.join(bot)
    table.leave("bo")
    assert shown_below(table)[3] == " no host serves Bo: parley bots"
    late = shown_below(table, after_ms=130_000, width=100)[2]
    assert late == (
        " Ada holds the floor · 10 s overdue: does an orchestrator run? parley orchestrator"
    )


def test_the_panel_of_a_turn_that_asks_all_counts_the_answers() -> None:
    table = Table(spec_of(policy="simultaneous")).begin()
    table.propose(table.state.live()[1])
    assert shown_below(table)[2] == (" Ada and Cy hold the floor, 1 of 3 answered · 2 min left")


def test_the_panel_of_many_channels_shows_the_nearest_deadlines() -> None:
    pairs = [("ada", "bo"), ("cy", "dot"), ("eve", "fay"), ("gus", "hal"), ("ivy", "jo")]
    channels = [ChannelSpec(name=f"room-{at}", members=pair) for at, pair in enumerate(pairs)]
    bots = [bot for pair in pairs for bot in pair]
    table = Table(spec_of(bots, channels=channels, floor=FloorSpec(allow_s=60))).begin()
    table.now_ms += 5_000
    table.propose(table.state.live()[1])
    rows = shown_below(table)
    assert [row.split(":")[0] for row in rows[2:6]] == [" room-0", " room-2", " room-3", " room-4"]
    assert rows[6] == " and 1 more channel"
