"""A run is shown until it is over, and the terminal is clean afterwards."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from analytics.observer.plain import PlainScreen
from analytics.observer.plan import plan_of
from analytics.observer.terminal import TerminalScreen, screen_for, show_run
from tests.analytics.shown import (
    RUN,
    said,
    stored,
)
from tests.scenes import Table, spec_of
from utils.errors import BadInput
from utils.protocol import CallsCounted


def closed_run() -> Table:
    table = said("A town is a promise.", spec=spec_of(turns=1))
    table.notice(CallsCounted(calls=1, last_id="1-0"))
    return table


def never() -> bool:
    return False


def test_a_run_is_shown_until_its_record_is_closed() -> None:
    out = io.StringIO()
    view = show_run(stored(closed_run()), RUN, console=Console(file=out), plain=False, stop=never)
    assert view.phase == "closed"
    assert out.getvalue().endswith("-- the record is closed: 1 turn, 1 call\n")


def test_a_run_that_has_ended_is_enough_when_it_need_not_be_closed() -> None:
    table = said("Well.", spec=spec_of(turns=1))
    view = show_run(
        stored(table),
        RUN,
        console=Console(file=io.StringIO()),
        plain=True,
        until_closed=False,
        stop=never,
    )
    assert view.phase == "ended"


def test_the_show_ends_when_it_is_told_to_and_has_shown_what_there_was() -> None:
    out = io.StringIO()
    view = show_run(
        stored(said("one")), RUN, console=Console(file=out), plain=True, stop=lambda: True
    )
    assert view.turns == 1
    assert "[main 1] Ada: one\n" in out.getvalue()


def raising(error: BaseException) -> Callable[[], None]:
    def on_idle() -> None:
        raise error

    return on_idle


@pytest.mark.parametrize("error", [KeyboardInterrupt(), BadInput("a child died")])
def test_whatever_ends_the_show_leaves_a_clean_terminal(error: BaseException) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, height=24)
    with pytest.raises(type(error)):
        show_run(
            stored(said("one")),
            RUN,
            console=console,
            plain=False,
            stop=never,
            on_idle=raising(error),
        )
    assert out.getvalue().count("\x1b[?25l") == out.getvalue().count("\x1b[?25h") == 1
    assert "Ada" in out.getvalue()


def test_a_quiet_console_stays_quiet() -> None:
    out = io.StringIO()
    view = show_run(
        stored(closed_run()), RUN, console=Console(file=out, quiet=True), plain=True, stop=never
    )
    assert view.phase == "closed"
    assert out.getvalue() == ""


def test_plain_lines_are_chosen_when_asked_or_where_there_is_no_real_terminal() -> None:
    plan = plan_of(RUN, spec_of())
    terminal = Console(file=io.StringIO(), force_terminal=True, _environ={})
    dumb = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "dumb"})
    pipe = Console(file=io.StringIO())
    ascii_file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    poor = Console(file=ascii_file, force_terminal=True, _environ={})
    assert isinstance(screen_for(terminal, plan, plain=False), TerminalScreen)
    for console, plain in ((terminal, True), (dumb, False), (pipe, False), (poor, False)):
        assert isinstance(screen_for(console, plan, plain=plain), PlainScreen)
