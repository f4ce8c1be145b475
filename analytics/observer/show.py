"""Shows a run as it goes on, on a screen of any kind, until it is closed."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console

from analytics.observer.follow import Arrived, Following
from analytics.observer.plain import PlainScreen
from analytics.observer.plan import Plan, plan_of
from analytics.observer.runs import spec_of
from analytics.observer.terminal import TerminalScreen
from analytics.observer.view import View, blank, evolve
from utils.clock import SYSTEM_CLOCK, Clock
from utils.journal import Sealed
from utils.streams import Streams

READ_MS = 200
"""Longest wait for a commit: how often a countdown moves and `on_idle` is called."""
DRAW_MS = 80
"""Shortest time between two drawings: a quick run must not wait for its screen."""


class Screen(Protocol):
    """Where a run is shown. A context manager: leaving it leaves a clean terminal."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None: ...

    def tell(self, before: View, after: View, sealed: Sealed) -> None:
        """Take a commit that is to be shown, in order."""

    def notice(self, text: str) -> None:
        """Take something about the reading itself."""

    def draw(self, view: View, now_ms: int) -> None:
        """Show what was taken, and the run as it stands."""


def screen_for(console: Console, plan: Plan, *, plain: bool, channel: str | None = None) -> Screen:
    """Choose a screen: plain lines when asked, or when the console is no real terminal."""
    if plain or not console.is_terminal or console.is_dumb_terminal:
        return PlainScreen(console.file, channel=channel)
    return TerminalScreen(console, plan, channel=channel)


def show_run(
    streams: Streams,
    run: str,
    *,
    console: Console,
    plain: bool,
    until_closed: bool = True,
    stop: Callable[[], bool],
    on_idle: Callable[[], None] | None = None,
) -> View:
    """Show a run from its start, live.

    Args:
        streams: A connection of this thread's own.
        run: A run that is registered; its journal may still be empty.
        console: Where to. Plain lines are written when it is no terminal.
        plain: Write plain lines in any case.
        until_closed: Go on until the record is closed; else only until the run ended.
        stop: Asked after every read; a yes ends the show.
        on_idle: Called after every read, at least every half second while the server
            answers. What it raises passes through.

    Returns:
        The run as it was shown last.

    Raises:
        BadInput: There is no such run.
        ServerGone: The server was gone for too long.
        KeyboardInterrupt: As it came; the terminal is clean by then.
    """
    plan = plan_of(run, spec_of(streams, run))
    screen = screen_for(console, plan, plain=plain)
    following = Following(streams, run)
    last = "closed" if until_closed else "ended"
    return show(
        following,
        blank(plan),
        screen,
        stop=lambda view: has_come(view, last) or stop(),
        on_idle=on_idle,
    )


def show(
    following: Following,
    view: View,
    screen: Screen,
    *,
    stop: Callable[[View], bool],
    on_idle: Callable[[], None] | None = None,
    after: int = 0,
    clock: Clock = SYSTEM_CLOCK,
) -> View:
    """Show what is followed until `stop` says so.

    Args:
        following: The run's journal, not read yet.
        view: The blank view of the run.
        screen: Where to.
        stop: Asked after every read, with the view of what was read so far.
        on_idle: Called after every read.
        after: Show only commits with higher numbers.
        clock: Local time.
    """
    start, drawn_ms = view, -DRAW_MS
    with screen:
        while True:
            came = following.read(block_ms=READ_MS)
            for one in came:
                if isinstance(one, Arrived):
                    before, view = view, evolve(view, one.sealed)
                    if one.is_new and one.sealed.seq > after:
                        screen.tell(before, view, one.sealed)
                else:
                    view = start if one.starts_over else view
                    screen.notice(one.text)
            is_over = stop(view)
            if is_over or not came or clock.now_ms() - drawn_ms >= DRAW_MS:
                screen.draw(view, following.now_ms())
                drawn_ms = clock.now_ms()
            if is_over:
                return view
            if on_idle is not None:
                on_idle()


def has_come(view: View, phase: str) -> bool:
    """Tell whether a run is over: `closed`, or `ended` and perhaps closed."""
    return view.phase == phase or view.phase == "closed"
