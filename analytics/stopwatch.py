"""Run time: journal time since a run began, its pauses left out. Pure."""

from __future__ import annotations

from bisect import bisect_right


class Stopwatch:
    """Turns journal time into run time, for any moment so far.

    It holds two numbers a pause, so it grows with what people do and with nothing else.
    What happens in a pause, a turn that is stepped for instance, happens at the run time
    at which the pause began.

    Attributes:
        began_ms: Journal time of the beginning; none before it.
        paused_at_ms: Journal time since when the run is paused, none while it is not.

    Example:
        >>> time = Stopwatch()
        >>> time.begin(1_000)
        >>> time.pause(1_500)
        >>> time.resume(3_500)
        >>> time.run_ms(1_400), time.run_ms(2_000), time.run_ms(3_600), time.paused_ms(3_600)
        (400, 500, 600, 2000)
    """

    def __init__(self) -> None:
        self.began_ms: int | None = None
        self.paused_at_ms: int | None = None
        self._starts: list[int] = []
        self._over: list[int] = []

    def begin(self, at_ms: int) -> None:
        """Let run time be 0 now."""
        self.began_ms = at_ms

    def pause(self, at_ms: int) -> None:
        """Let run time stand still from now on; if it does already, nothing changes."""
        if self.paused_at_ms is None:
            self.paused_at_ms = at_ms

    def resume(self, at_ms: int) -> None:
        """Let run time go on from now on."""
        if self.paused_at_ms is None:
            return
        before_ms = self._over[-1] if self._over else 0
        self._starts.append(self.paused_at_ms)
        self._over.append(before_ms + at_ms - self.paused_at_ms)
        self.paused_at_ms = None

    def skip(self, since_ms: int, at_ms: int) -> None:
        """Let the time up to now be a pause; one that goes on already ends."""
        self.pause(since_ms)
        self.resume(at_ms)

    def run_ms(self, at_ms: int) -> int | None:
        """Tell the run time at some journal time; none before the run began."""
        return None if self.began_ms is None else at_ms - self.began_ms - self.paused_ms(at_ms)

    def paused_ms(self, at_ms: int) -> int:
        """Tell how long the run had been paused by some journal time."""
        last = bisect_right(self._starts, at_ms) - 1
        paused_ms = 0
        if last >= 0:  # of the last pause that began by then, as much as was over by then
            before_ms = self._over[last - 1] if last else 0
            paused_ms = min(self._over[last], before_ms + at_ms - self._starts[last])
        if self.paused_at_ms is not None:
            paused_ms += max(0, at_ms - self.paused_at_ms)
        return paused_ms
