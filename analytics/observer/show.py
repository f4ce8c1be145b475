"""Shows a run as it goes on, on a screen of any kind, until it is closed."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from analytics.observer.changes import evolve
from analytics.observer.follow import Arrived, Notice
from analytics.observer.leadership import Leadership
from analytics.observer.view import Phase, View
from utils.clock import SYSTEM_CLOCK, Clock
from utils.journal import Sealed

READ_MS = 200
"""Longest wait for a commit: how often a countdown moves and `on_idle` is called."""
DRAW_MS = 80
"""Shortest time between two drawings: a quick run must not wait for its screen."""


class Source(Protocol):
    """Where commits come from: a run that is followed, or a record that is played again."""

    def now_ms(self) -> int:
        """Tell journal time now, as far as it is known."""

    def read(self, *, block_ms: int = ..., count: int = ...) -> list[Arrived | Notice]:
        """Read what came; wait for it, at most so long."""


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


def show(
    following: Source,
    view: View,
    screen: Screen,
    *,
    stop: Callable[[View], bool],
    on_idle: Callable[[], None] | None = None,
    leadership: Leadership | None = None,
    after: int = 0,
    clock: Clock = SYSTEM_CLOCK,
) -> View:
    """Show what is followed until `stop` says so.

    Args:
        following: The run's journal, not read yet, or a record of one.
        view: The blank view of the run.
        stop: Asked after every read, with the view of what was read so far.
        on_idle: Called after every read.
        leadership: Asked, while nothing comes of a run that is not closed, who leads it.
        after: Show only commits with higher numbers.
    """
    start, drawn_ms = view, -DRAW_MS
    with screen:
        while True:
            came = following.read(block_ms=READ_MS)
            for one in came:
                if isinstance(one, Notice):
                    view = start if one.starts_over else view
                    screen.notice(one.text)
                    continue
                before, view = view, evolve(view, one.sealed)
                if one.is_new and one.sealed.seq > after:
                    screen.tell(before, view, one.sealed)
            if leadership is not None and not came and view.phase != "closed":
                news = leadership.look()
                if news:
                    screen.notice(news)
            is_over = stop(view)
            if is_over or not came or clock.now_ms() - drawn_ms >= DRAW_MS:
                screen.draw(view, following.now_ms())
                drawn_ms = clock.now_ms()
            if is_over:
                return view
            if on_idle is not None:
                on_idle()


def has_come(view: View, phase: Phase) -> bool:
    """Tell whether a run is over: `closed`, or `ended` and perhaps closed."""
    return view.phase == phase or view.phase == "closed"
