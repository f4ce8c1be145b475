"""Runs driven at a table, and what a screen makes of them."""

from __future__ import annotations

import io
import re

from rich.console import Console

from analytics.observer.changes import evolve
from analytics.observer.follow import Following
from analytics.observer.plain import PlainScreen
from analytics.observer.plan import plan_of
from analytics.observer.show import Screen, show
from analytics.observer.terminal import TerminalScreen
from analytics.observer.view import View, blank
from tests.scenes import Table, spec_of
from tests.swarm import fake_streams
from utils.clock import ManualClock
from utils.spec import Spec
from utils.streams import Streams

RUN = "tea-1"
STYLE = re.compile(r"\x1b\[[0-9;]*m")
CURSOR = re.compile(r"\x1b\[\?25[lh]|\r(?=\x1b)(?:\x1b\[2K)?(?:\x1b\[1A\x1b\[2K)*")
"""What rich itself sends: cursor off and on, and the panel wiped row by row."""
ACTIVE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]")
"""Characters that act on a terminal, or hide, the newline apart."""

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


def plain_of(table: Table, *, channel: str | None = None) -> str:
    out = io.StringIO()
    played(table, PlainScreen(out, channel=channel))
    return out.getvalue()


def said(*texts: str, spec: Spec | None = None) -> Table:
    table = Table(spec or spec_of()).begin()
    for text in texts:
        table.propose(text=text)
    return table
