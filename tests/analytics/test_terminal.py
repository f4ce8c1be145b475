"""What comes out on a terminal and in a pipe: readable, and nothing in it acts."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable

import pytest
from rich.cells import cell_len
from rich.console import Console

from analytics.observer.follow import Following
from analytics.observer.panel import panel
from analytics.observer.plain import JsonScreen, PlainScreen
from analytics.observer.plan import plan_of
from analytics.observer.show import Screen, show
from analytics.observer.terminal import TerminalScreen, screen_for, show_run, styles
from analytics.observer.view import View, blank, evolve
from tests.scenes import Table, spec_of
from tests.swarm import fake_streams
from utils.clock import ManualClock
from utils.errors import BadInput
from utils.protocol import CallsCounted, DeadlinePassed, HostLost, OpenEvent, Started
from utils.spec import ChannelSpec, FloorSpec, Spec
from utils.streams import Streams

RUN = "tea-1"
STYLE = re.compile(r"\x1b\[[0-9;]*m")
CURSOR = re.compile(r"\x1b\[\?25[lh]|\r(?=\x1b)(?:\x1b\[2K)?(?:\x1b\[1A\x1b\[2K)*")
"""What rich itself sends: cursor off and on, and the panel wiped row by row."""

ATTACKS = [
    "\x1b[2J\x1b[Hgone",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]0;title\x1b\\",
    "\x9b2J",
    "honest\rEVIL",
    "a\x08\x08\x08b",
    "abc\u202egnp\u2069",
    "zero\u200bwidth",
    "[red]not red[/red] [link=http://evil]click[/link] [/]",
    "\x1bP+q544e\x1b\\",
    "bell\x07 null-free \x7f",
]


def stored(table: Table) -> Streams:
    """Put a table's journal and spec on a server in this process."""
    streams = fake_streams()
    body = table.rules.spec.model_dump_json()
    streams.register(RUN, spec=body, entry="{}", now_ms=table.now_ms)
    for sealed in table.journal:
        streams.commit(RUN, sealed, {})
    return streams


def played(table: Table, screen: Screen) -> View:
    """Show all there is of a run on a screen."""
    following = Following(stored(table), RUN, clock=ManualClock())
    start = blank(plan_of(RUN, table.rules.spec))
    return show(following, start, screen, stop=lambda view: True, clock=ManualClock())


def view_of(table: Table) -> View:
    view = blank(plan_of(RUN, table.rules.spec))
    for sealed in table.journal:
        view = evolve(view, sealed)
    return view


def drawn(table: Table, *, width: int = 100, channel: str | None = None) -> str:
    """Show a run on a terminal; all that was sent to it."""
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, color_system="256", width=width, height=50, _environ={}
    )
    plan = plan_of(RUN, table.rules.spec)
    played(table, TerminalScreen(console, plan, channel=channel))
    return out.getvalue()


def talk_of(table: Table, *, width: int = 100) -> str:
    """The talk alone, without styles and without the panel."""
    sent = CURSOR.sub("", STYLE.sub("", drawn(table, width=width)))
    return sent.partition("── ")[0]


def plain_of(table: Table, *, channel: str | None = None) -> str:
    out = io.StringIO()
    played(table, PlainScreen(out, channel=channel))
    return out.getvalue()


def said(*texts: str, spec: Spec | None = None) -> Table:
    table = Table(spec or spec_of()).begin()
    for text in texts:
        table.propose(text=text)
    return table


# --- plain lines --------------------------------------------------------------------------


def test_a_short_run_in_plain_lines() -> None:
    table = said("A town is a promise.", "First.\n\n[main 9] Cy: I never said this.")
    table.notice(DeadlinePassed(epoch=3))
    table.notice(HostLost(host="host-cy"))
    table.say({"kind": "stop", "author": "person-1", "nonce": "s", "why": "tea is ready"})
    table.notice(CallsCounted(calls=3, last_id="3-0"))
    assert plain_of(table) == (
        "-- run tea-1: tea, seed 7: Ada, Bo and Cy\n"
        "[main 0] (opening): What is a town for?\n"
        "-- Ada is served by host-ada\n"
        "-- Bo is served by host-bo\n"
        "-- Cy is served by host-cy\n"
        "-- all bots are seated: turns begin\n"
        "[main 1] Ada: A town is a promise.\n"
        "[main 2] Bo: First.\n"
        "\n"
        "    [main 9] Cy: I never said this.\n"
        "[main 3] -- Cy's turn 3 revoked: no answer within 2 min; granted again to Ada, try 2\n"
        "-- no host serves Cy: host-cy was lost\n"
        "[main 3] -- Ada's turn 3 revoked: the run ended\n"
        "-- the run has ended: it was stopped: tea is ready\n"
        "-- the record is closed: 2 turns, 3 model calls\n"
    )


def test_one_channel_is_shown_with_what_concerns_the_whole_run() -> None:
    kitchen = ChannelSpec(name="kitchen", members=("ada", "bo"), opening="Who cooks?")
    salon = ChannelSpec(name="salon", members=("bo", "cy"), opening="What is a town for?")
    table = Table(spec_of(channels=(kitchen, salon))).begin()
    shown = plain_of(table, channel="salon")
    assert "What is a town for?" in shown
    assert "Who cooks?" not in shown
    assert "Ada is served" in shown
    assert "Who cooks?" not in drawn(table, channel="salon")


def test_an_encoding_that_lacks_a_character_gets_its_escape() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    played(said("你好"), PlainScreen(out))
    assert b"[main 1] Ada: \\u4f60\\u597d\n" in raw.getvalue()


def test_json_lines_are_the_journals_events_with_their_places() -> None:
    table = said("\x1b[2J\x7f\u202e 你好")
    out, notices = io.StringIO(), io.StringIO()
    played(table, JsonScreen(out, notices=notices))
    lines = out.getvalue().splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["kind"] for record in records] == [event.kind for event in table.events()]
    assert all(line.isascii() and line.isprintable() for line in lines)
    heard = records[-2]
    assert heard["text"] == "\x1b[2J\x7f\u202e 你好"
    assert (heard["seq"], heard["index"]) == (5, 2)
    assert heard["message_id"] == "5.2"


def test_an_event_of_an_unknown_kind_cannot_claim_another_place_in_json() -> None:
    table = said()
    odd = OpenEvent.model_validate({"kind": "town.rained", "seq": 1, "mm": 3})
    last = table.journal[-1]
    commit = last.commit.model_copy(update={"events": (odd,)})
    out = io.StringIO()
    view = blank(plan_of(RUN, table.rules.spec))
    JsonScreen(out, notices=out).tell(view, view, type(last)(commit, last.body, last.sha256))
    assert json.loads(out.getvalue())["seq"] == 4
    assert json.loads(out.getvalue())["mm"] == 3


# --- nothing acts ---------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("width", [100, 40])
def test_a_bots_text_does_not_act_on_a_terminal(attack: str, width: int) -> None:
    sent = drawn(said(attack, f"over {attack}"), width=width)
    inert = CURSOR.sub("", STYLE.sub("", sent))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", inert)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_bots_text_does_not_act_in_a_pipe(attack: str) -> None:
    shown = plain_of(said(attack))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", shown)


def test_markup_in_a_bots_text_stands_there_as_it_is() -> None:
    text = "[red]not red[/red] :smile: [/]"
    assert text in talk_of(said(text))
    assert "[bold]x" in talk_of(said("[bold]x"))


def test_a_bot_cannot_begin_a_line_that_looks_like_another_bots() -> None:
    shown = plain_of(said("hello\n[main 2] Bo: I agree\r\n-- the run has ended\u2028[main 3] x"))
    fourth_on = shown.splitlines()[6:]
    assert [line[:4] for line in fourth_on] == ["[mai", "    ", "    ", "    "]


# --- the drawing ------------------------------------------------------------------------------


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
    assert "\x1b[1;38;5;33mAda" in drawn(table)
    assert "\x1b[1;38;5;166mBo" in drawn(table)


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


# --- showing a run ------------------------------------------------------------------------------


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
    assert out.getvalue().endswith("-- the record is closed: 1 turn, 1 model call\n")


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
    assert isinstance(screen_for(terminal, plan, plain=False), TerminalScreen)
    for console, plain in ((terminal, True), (dumb, False), (pipe, False)):
        assert isinstance(screen_for(console, plan, plain=plain), PlainScreen)
