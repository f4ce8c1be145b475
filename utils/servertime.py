"""The server's clock, without asking it every time."""

from __future__ import annotations

from utils.clock import Clock
from utils.streams import Streams


class ServerTime:
    """Server time: TIME sampled now and then, and the local monotonic clock between.

    Hosts and orchestrators on several machines agree on it as far as their network is
    quick, whatever their own clocks say.
    """

    def __init__(self, streams: Streams, clock: Clock) -> None:
        self._streams, self._clock = streams, clock
        self._offset_ms = 0

    def sample(self) -> None:
        """Ask the server. Do so at the start, after every reconnect, and now and then.

        Its clock may step, and goes on while this machine sleeps, and no line breaks.
        """
        self._offset_ms = self._streams.time_ms() - self._clock.now_ms()

    def now_ms(self) -> int:
        """Tell the server's time, milliseconds since 1970."""
        return self._clock.now_ms() + self._offset_ms
