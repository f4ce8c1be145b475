"""What a person sees of a run: a fold of its journal, frozen. Pure.

`analytics.observer.changes` says what each event does to it.

All times are journal time, server milliseconds; what depends on now takes `now_ms`.
Texts and names in a view are printable already. A view does not grow with the
conversation, nor with the channels that have come and gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from analytics.observer.plan import Plan
from utils.printable import printable_line

Phase = Literal["new", "gathering", "running", "ended", "closed"]


@dataclass(frozen=True, slots=True)
class Holder:
    """A bot that holds the floor of a channel, since and until journal times.

    `is_due` says that the world's clock waits for no answer: it acts in the bot's stead.
    """

    bot: str
    turn: int
    tries: int
    epoch: int
    since_ms: int
    deadline_ms: int
    is_due: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that is open; `turn` is the last one closed, `asked` that of the open one.

    `done` is what was done so far in an open turn that asks several: bot, epoch, action.
    """

    name: str
    members: tuple[str, ...]
    turn: int = 0
    asked: int = 0
    holders: tuple[Holder, ...] = ()
    done: tuple[tuple[str, int, str], ...] = ()

    def holder(self, epoch: int) -> Holder | None:
        """Find who holds a grant."""
        return next((one for one in self.holders if one.epoch == epoch), None)


@dataclass(frozen=True, slots=True)
class Word:
    """Something that was heard: its beginning. `author` is the person whose words they are."""

    message_id: str
    channel: str
    turn: int
    speaker: str | None
    text: str
    at_ms: int
    author: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A run at commit `seq`, for a screen.

    Attributes:
        began_ms, gathered_ms, ended_ms: Journal time, 0 while it has not happened; and
            `gathered_run_ms`, run time.
        end: Why the run ended, and `end_detail` the words given with it.
        turns: Turns closed, in all channels; `given_up` and `passed` of them, and
            `stepped`, those that closed in a pause.
        opened: Channels opened so far, those that are closed by now among them.
        revoked, rejected, incidents, fell_back, calls: Counts; calls are known once it
            is closed.
        pace: Run times: the start, then the last turns closed in no pause, the oldest first.
        paused_at_ms: Journal time since when the run is paused, none while it is not.
        paused_ms: How long it was paused before that.
        steps: Turns that may yet close in the pause.
        muted: Bots that are granted nothing.
        absent: Bots whose turns go by because nobody serves them.
        world_ms: The world's time.
        measured: What was measured last, by name, of the run as a whole.
        seats: Every bot to its host, none while nobody serves it.
        spoken: Every bot to the number of things it was heard to say.
    """

    plan: Plan
    phase: Phase = "new"
    seq: int = 0
    at_ms: int = 0
    began_ms: int = 0
    gathered_ms: int = 0
    gathered_run_ms: int = 0
    ended_ms: int = 0
    end: str = ""
    end_detail: str = ""
    turns: int = 0
    given_up: int = 0
    passed: int = 0
    stepped: int = 0
    opened: int = 0
    revoked: int = 0
    rejected: int = 0
    incidents: int = 0
    fell_back: int = 0
    calls: int = 0
    pace: tuple[int, ...] = ()
    paused_at_ms: int | None = None
    paused_ms: int = 0
    steps: int = 0
    muted: tuple[str, ...] = ()
    absent: frozenset[str] = frozenset()
    world_ms: int = 0
    measured: Mapping[str, float] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    seats: Mapping[str, str | None] = field(default_factory=dict)
    spoken: Mapping[str, int] = field(default_factory=dict)
    last_word: Word | None = None

    def display(self, bot: str) -> str:
        """Tell the name a bot is shown by."""
        return self.plan.displays.get(bot) or printable_line(bot)

    def run_ms(self, at_ms: int) -> int:
        """Turn journal time, now or later than the last event, into run time."""
        until_ms = at_ms if self.paused_at_ms is None else min(at_ms, self.paused_at_ms)
        return until_ms - self.began_ms - self.paused_ms

    @property
    def is_paused(self) -> bool:
        """Whether nothing new may be granted now."""
        return self.paused_at_ms is not None and not self.steps

    @property
    def unserved(self) -> tuple[str, ...]:
        """The bots that no host serves, in the spec's order."""
        return tuple(bot for bot in self.plan.bots if self.seats.get(bot) is None)


def blank(plan: Plan) -> View:
    """Make the view of a run without a journal."""
    return View(
        plan=plan,
        seats=dict.fromkeys(plan.bots),
        spoken=dict.fromkeys(plan.bots, 0),
    )
