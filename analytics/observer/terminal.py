"""A run on a terminal: the talk scrolls by, and below it stands who holds the floor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.text import Text

from analytics.observer.follow import Following
from analytics.observer.lines import Line, lines
from analytics.observer.panel import panel
from analytics.observer.plain import PlainScreen, is_of
from analytics.observer.plan import Plan, plan_of
from analytics.observer.runs import spec_of
from analytics.observer.show import Screen, has_come, show
from analytics.observer.view import Phase, View, blank
from utils.journal import Sealed
from utils.streams import Streams

COLOURS = (33, 166, 28, 133, 30, 161, 99, 136, 131, 67, 100, 168)
"""Of the 256: contrast above 3 on black and on white alike, neighbours far apart."""
NARROW_CELLS = 56
"""On narrower terminals a name gets a line of its own."""
MAX_TEXT_CELLS = 92
"""Wider lines are hard to read."""
MAX_NAME_CELLS = 16
FEW_TAG_CELLS = 8
"""Cells for a channel's name where the world makes the names, such as `met-1234`."""
TONES = {"did": "dim", "quiet": "dim", "warning": "yellow", "end": "bold", "outside": "italic"}


class TerminalScreen:
    """Prints the talk as ordinary output, so that scrolling back works, over a live panel.

    A bot's words reach the terminal as `rich.text.Text`, never as markup, and are
    printable already.

    Args:
        console: A terminal.
        plan: What is known of the run beforehand.
        channel: Show this channel only, and what concerns the whole run.
        every: Show every event: see `lines`.
    """

    def __init__(
        self, console: Console, plan: Plan, *, channel: str | None = None, every: bool = False
    ) -> None:
        self._console, self._channel, self._every = console, channel, every
        self._styles = styles(plan)
        self._is_tagged = len(plan.channels) != 1 and channel is None
        longest = max((len(name) for name in plan.channels), default=FEW_TAG_CELLS)
        self._tag_cells = min(MAX_NAME_CELLS, longest)
        names = [cell_len(name) for name in plan.displays.values()]
        self._name_cells = min(MAX_NAME_CELLS, max([len("opening"), *names]))
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._waiting: list[Line | str] = []

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._live.stop()

    def tell(self, before: View, after: View, sealed: Sealed) -> None:
        """Keep the lines of a commit until the next drawing."""
        for line in lines(before, after, sealed, every=self._every):
            if is_of(line.channel, self._channel):
                self._waiting.append(line)
                longest = max(self._tag_cells, len(line.channel or ""))
                self._tag_cells = min(MAX_NAME_CELLS, longest)

    def notice(self, text: str) -> None:
        """Keep something about the reading itself until the next drawing."""
        self._waiting.append(text)

    def draw(self, view: View, now_ms: int) -> None:
        """Print what was kept, and draw the panel anew."""
        width = self._console.width
        rows = [row for one in self._waiting for row in self._rows(one, width)]
        self._waiting.clear()
        if rows:
            self._console.print(Text("\n").join(rows), no_wrap=True, overflow="ignore", crop=False)
        below = panel(view, now_ms, width=width, styles=self._styles, channel=self._channel)
        self._live.update(below, refresh=True)

    def _rows(self, one: Line | str, width: int) -> Iterator[Text]:
        if isinstance(one, str):
            yield from self._hang(Text("  "), Text(one, style="yellow"), width)
        elif one.tone not in ("said", "did", "outside"):
            label = Text(self._place(one) if one.channel else "  ", style="dim")
            yield from self._hang(label, Text(one.text, style=TONES[one.tone]), width)
        elif width < NARROW_CELLS:
            place = " ".join(self._place(one).split())
            yield Text(" ").append_text(self._name(one)).append(f"  {place}", style="dim")
            yield from self._hang(Text("   "), Text(one.text, style=TONES.get(one.tone, "")), width)
        else:
            name = self._name(one)
            name.pad_right(max(2, self._name_cells + 2 - name.cell_len))
            label = Text().append(self._place(one), style="dim").append_text(name)
            yield from self._hang(label, Text(one.text, style=TONES.get(one.tone, "")), width)

    def _place(self, one: Line) -> str:
        """Write channel and turn as a column, the channel only where there are several."""
        tag = f" {one.channel or '':<{self._tag_cells}}" if self._is_tagged else ""
        return f"{tag} {one.turn or '':>3}  "

    def _name(self, one: Line) -> Text:
        if one.tone == "outside":
            return Text(one.speaker.strip("()"), style="dim italic")
        return Text(one.speaker, style=f"{self._styles.get(one.bot or '', '')} bold")

    def _hang(self, label: Text, body: Text, width: int) -> Iterator[Text]:
        """Wrap a text beside its label; every further line starts where the first did."""
        indent = label.cell_len
        room = max(8, min(MAX_TEXT_CELLS, width - indent - 1))
        wrapped = body.wrap(self._console, room, overflow="fold")
        for place, row in enumerate(wrapped):
            row.rstrip()
            yield Text.assemble(label if place == 0 else " " * indent, row)


def styles(plan: Plan) -> dict[str, str]:
    """Give every bot a colour, by its place in the spec.

    Example:
        >>> styles(Plan("tea", "salon", 7, ("ada", "bo"), {}, (), None, None, 0))
        {'ada': 'color(33)', 'bo': 'color(166)'}
    """
    return {bot: f"color({COLOURS[at % len(COLOURS)]})" for at, bot in enumerate(plan.bots)}


class QuietScreen(PlainScreen):
    """Shows nothing, for a console that is quiet."""

    def tell(self, before: View, after: View, sealed: Sealed) -> None:
        """Show nothing."""

    def notice(self, text: str) -> None:
        """Show nothing."""


def screen_for(
    console: Console,
    plan: Plan,
    *,
    plain: bool,
    channel: str | None = None,
    every: bool = False,
) -> Screen:
    """Choose a screen: plain lines when asked, or when the console is no real terminal."""
    if console.quiet:
        return QuietScreen(console.file)
    is_able = console.is_terminal and not console.is_dumb_terminal
    if plain or not is_able or not console.encoding.startswith("utf"):
        return PlainScreen(console.file, channel=channel, every=every)
    return TerminalScreen(console, plan, channel=channel, every=every)


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
    last: Phase = "closed" if until_closed else "ended"
    return show(
        following,
        blank(plan),
        screen,
        stop=lambda view: has_come(view, last) or stop(),
        on_idle=on_idle,
    )
