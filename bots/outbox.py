"""What a host has said and not yet seen consumed. Resent after a reconnect.

The engine knows an input it has seen by its nonce, so saying it twice does no harm,
and a server that forgot it hears it again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

from utils import keys
from utils.errors import ServerGone
from utils.protocol import Failed, Input, Proposed, Waiting
from utils.streams import Streams


@dataclass(frozen=True, slots=True)
class Letter:
    """One input, with the call record that goes out with it, in one MULTI."""

    run: str
    input: Input
    record: str | None

    def entries(self) -> list[tuple[str, str]]:
        """List the stream entries of this letter: the call first, then the input."""
        record = [(keys.calls(self.run), self.record)] if self.record is not None else []
        return [*record, (keys.floor(self.run), self.input.model_dump_json())]


class Outbox:
    """Sends inputs, and keeps each until a commit names its nonce or its grant is closed.

    Args:
        streams: A connection of the outbox's own: worker threads send through it.

    Attributes:
        is_behind: Whether something was not sent: `resend` is to be called.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self.is_behind = self._is_held = False
        self._lock = Lock()
        self._waiting: dict[str, Letter] = {}
        self._notes: list[tuple[str, str]] = []

    def send(self, run: str, given: Input, record: str | None = None) -> None:
        """Send an input; while the server is gone, or all is held, keep it for `resend`."""
        letter = Letter(run=run, input=given, record=record)
        with self._lock:
            self._waiting[given.nonce] = letter
            if self._is_held:
                return
            try:
                self._streams.append_all(letter.entries())
            except ServerGone:  # kept, and sent again by `resend`
                self.is_behind = True

    def note(self, run: str, record: str) -> None:
        """Write down a call that leads to no input of its own: a failed attempt."""
        with self._lock:
            self._notes.append((keys.calls(run), record))
            if self._is_held:
                return
            try:
                self._send_notes()
            except ServerGone:  # as above
                self.is_behind = True

    def acknowledge(self, nonces: tuple[str, ...]) -> None:
        """Forget inputs that a commit has named."""
        with self._lock:
            for nonce in nonces:
                self._waiting.pop(nonce, None)

    def drop_answers(self, run: str, bot: str, *, upto: int) -> None:
        """Forget what answers a bot's grants up to an epoch: they are closed."""
        self._drop(
            lambda one: (
                one.run == run
                and isinstance(one.input, Proposed | Failed | Waiting)
                and one.input.bot == bot
                and one.input.epoch <= upto
            )
        )

    def keep_runs(self, live: Sequence[str]) -> None:
        """Forget what was said to runs that are over: nobody takes it in any more."""
        self._drop(lambda one: one.run not in live)

    def drop_run(self, run: str) -> None:
        """Forget all that was said to a run, and noted of it."""
        self._drop(lambda one: one.run == run)
        with self._lock:
            self._notes = [note for note in self._notes if note[0] != keys.calls(run)]

    def hold(self) -> None:
        """Send nothing from now on, until `resend`."""
        with self._lock:
            self.is_behind = self._is_held = True

    def resend(self) -> None:
        """Send everything again that no commit has named. Raises `ServerGone`."""
        with self._lock:
            self._is_held = False
            self._send_notes()
            for letter in self._waiting.values():
                self._streams.append_all(letter.entries())
            self.is_behind = False

    def __len__(self) -> int:
        """Count what waits to be consumed."""
        with self._lock:
            return len(self._waiting)

    def _send_notes(self) -> None:
        while self._notes:
            self._streams.append_all(self._notes[:1])
            del self._notes[0]

    def _drop(self, unwanted: Callable[[Letter], bool]) -> None:
        with self._lock:
            kept = {nonce: one for nonce, one in self._waiting.items() if not unwanted(one)}
            self._waiting = kept
