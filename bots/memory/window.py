"""Window memory: the latest of what was heard, counted in messages, tokens or rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bots.memory.seam import Recalled
from bots.tokens import estimate_tokens
from utils.protocol import Heard
from utils.spec import MemorySpec

Fits = Callable[[Heard], bool]


class WindowMemory:
    """The last `amount` messages, tokens or rounds, of a channel or of all of them.

    Messages: the last `amount` of them. Tokens: as many of the last as fit in an
    estimate of `amount` tokens. Rounds: those of the last `amount` rounds in which
    anything was heard, the running one included; an opening is round 0 of its channel.
    """

    def __init__(self, spec: MemorySpec) -> None:
        self.spec = spec

    def recall(self, latest: Iterable[Heard], channel: str) -> Recalled:
        """Recall what is in the window."""
        fits = _WINDOWS[self.spec.unit](self.spec.amount)
        messages: list[Heard] = []
        for event in latest:
            if self.spec.scope == "channel" and event.channel != channel:
                continue
            if not fits(event):
                return Recalled(tuple(reversed(messages)), older=event.message_id)
            messages.append(event)
        return Recalled(tuple(reversed(messages)))


def messages_window(amount: int) -> Fits:
    """Count messages: whether one more fits, asked once for each, newest first."""
    left = amount

    def fits(event: Heard) -> bool:
        nonlocal left
        left -= 1
        return left >= 0

    return fits


def tokens_window(amount: int) -> Fits:
    """Count estimated tokens."""
    left = amount

    def fits(event: Heard) -> bool:
        nonlocal left
        left -= estimate_tokens(event.text)
        return left >= 0

    return fits


def rounds_window(amount: int) -> Fits:
    """Count rounds, each channel's being its own."""
    rounds: set[tuple[str, int]] = set()

    def fits(event: Heard) -> bool:
        rounds.add((event.channel, event.round))
        return len(rounds) <= amount

    return fits


_WINDOWS: dict[str, Callable[[int], Fits]] = {
    "messages": messages_window,
    "tokens": tokens_window,
    "rounds": rounds_window,
}
