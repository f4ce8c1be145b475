"""What a host has said and not yet seen consumed. Resent after a reconnect.

The engine knows an input it has seen by its nonce, so saying it twice does no harm,
and a server that forgot it hears it again. It does not remember nonces for ever: of each
bot at most four inputs are kept here, and it remembers more than that of every author.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

from utils import keys
from utils.errors import ServerGone, StreamError
from utils.protocol import Failed, Input, Joined, Left, Proposed, Waiting
from utils.streams import Streams

log = logging.getLogger("bots")


@dataclass(frozen=True, slots=True)
class Letter:
    """One input, with the call record that goes out with it, in one MULTI."""

    run: str
    input: Input
    record: str | None

    @property
    def place(self) -> tuple[str, ...]:
        """What it takes the place of: a bot asks for one seat, and answers one grant."""
        match self.input:
            case Proposed() | Failed():
                return self.run, self.input.bot, "answer"
            case Joined() | Left() | Waiting():
                return self.run, self.input.bot, self.input.kind
            case _:
                return self.run, self.input.nonce

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
        self._waiting: dict[tuple[str, ...], Letter] = {}
        self._places: dict[str, tuple[str, ...]] = {}
        self._notes: list[tuple[str, str]] = []

    def send(self, run: str, given: Input, record: str | None = None) -> None:
        """Send an input; while the server is gone, or all is held, keep it for `resend`.

        It takes the place of an earlier one. Two things are otherwise: more time is not
        asked for again while nobody has said whether there is more, and an answer that is
        late is not kept in place of the one to a later grant: its record alone is.
        """
        letter = Letter(run=run, input=given, record=record)
        with self._lock:
            before = self._waiting.get(letter.place)
            is_late = _epoch(before) > _epoch(letter)
            if not is_late:
                if before is not None and _asks_the_same(before.input, given):
                    return
                self._forget(before)
                self._waiting[letter.place] = letter
                self._places[given.nonce] = letter.place
            if not self._is_sent(letter) and is_late and record is not None:
                self._notes.append((run, record))

    def note(self, run: str, record: str) -> None:
        """Write down a call that leads to no input of its own: a failed attempt."""
        with self._lock:
            self._notes.append((run, record))
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
                self._forget(self._waiting.get(self._places.get(nonce, ())))

    def drop_answers(self, run: str, bot: str, *, upto: int) -> None:
        """Forget what answers a bot's grants up to an epoch: they are closed."""
        with self._lock:
            for what in ("answer", "waiting"):
                letter = self._waiting.get((run, bot, what))
                if _epoch(letter) <= upto:
                    self._forget(letter)

    def keep_runs(self, live: Sequence[str]) -> None:
        """Forget what was said to runs that are over, and noted of them: nobody takes it in."""
        self._drop(lambda one: one.run not in live)
        with self._lock:
            self._notes = [note for note in self._notes if note[0] in live]

    def drop_run(self, run: str) -> None:
        """Forget all that was said to a run, and noted of it."""
        self._drop(lambda one: one.run == run)
        with self._lock:
            self._notes = [note for note in self._notes if note[0] != run]

    def hold(self) -> None:
        """Send nothing from now on, until `resend`."""
        with self._lock:
            self.is_behind = self._is_held = True

    def resend(self) -> None:
        """Send everything again that no commit has named. Raises `ServerGone`.

        What the server refuses it would refuse again: it is dropped, and the rest goes on.
        """
        with self._lock:
            self._is_held = False
            self._send_notes()
            for letter in list(self._waiting.values()):
                if not self._is_taken(letter.run, letter.entries()):
                    self._forget(letter)
            self.is_behind = False

    def __len__(self) -> int:
        """Count what waits to be consumed."""
        with self._lock:
            return len(self._waiting)

    def _is_sent(self, letter: Letter) -> bool:
        """Send a letter, unless all is held or the server is gone: `resend` does it then."""
        if self._is_held:
            return False
        try:
            self._streams.append_all(letter.entries())
        except ServerGone:
            self.is_behind = True
            return False
        return True

    def _send_notes(self) -> None:
        while self._notes:
            run, record = self._notes[0]
            self._is_taken(run, [(keys.calls(run), record)])
            del self._notes[0]

    def _is_taken(self, run: str, entries: list[tuple[str, str]]) -> bool:
        """Append entries of one run; if the server refuses them, say so once, and leave them."""
        try:
            self._streams.append_all(entries)
        except StreamError as error:
            log.warning("run %s: not written: %s", run, error)
            return False
        return True

    def _drop(self, unwanted: Callable[[Letter], bool]) -> None:
        with self._lock:
            for letter in [one for one in self._waiting.values() if unwanted(one)]:
                self._forget(letter)

    def _forget(self, letter: Letter | None) -> None:
        if letter is not None:
            del self._waiting[letter.place]
            self._places.pop(letter.input.nonce, None)


def _asks_the_same(before: Input, given: Input) -> bool:
    """Tell whether a bot asks for more time again, from the same seat for the same grant."""
    if not (isinstance(before, Waiting) and isinstance(given, Waiting)):
        return False
    return (before.seat, before.epoch) == (given.seat, given.epoch)


def _epoch(letter: Letter | None) -> int:
    """Tell which grant an input is about; 0 for none."""
    given = letter.input if letter is not None else None
    return given.epoch if isinstance(given, Proposed | Failed | Waiting) else 0
