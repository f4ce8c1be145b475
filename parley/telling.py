"""Tell a run something, and wait until a commit says what became of it.

Whoever tells keeps the command until a commit names its nonce, and sends it again when
the connection breaks: the leader takes in what comes twice once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from utils import keys
from utils.clock import SYSTEM_CLOCK, Clock, wait_until
from utils.errors import BadInput, Forgotten, Missing, ParleyError, ServerGone
from utils.journal import Garbage, Sealed, consume, parse
from utils.names import NAME_RULE, counted
from utils.protocol import MAX_DEPTH, MAX_TEXT_CHARS, Command, Rejected
from utils.streams import Streams, Tail, unseal_entry
from worlds.seam import WORLDLY

LOOK_MS = 20
"""How often the journal is looked at while a command is not in it yet."""

PAGE = 1_000
"""Commits read at once."""

_COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="kind")])

_RULES = {
    "author": ("--as", f"use {NAME_RULE}"),
    "nonce": ("--nonce", "use 1 to 64 of letters, digits, '_', '.', ':' and '-'"),
    "why": ("--why", "use at most 500 characters of UTF-8, and no NUL"),
    "text": ("TEXT", "use UTF-8, and no NUL"),
    "verb": ("VERB", f"use {NAME_RULE}"),
    "args": ("JSON", f"use finite numbers, and nest no deeper than {MAX_DEPTH}"),
}
"""Where a command's parts come from, and what they have to be."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command.

    Attributes:
        commit: The number of the commit that took it in.
        refusal: Why it changed nothing; none when it was done.
        followed: Whether the world decided on anything in that commit.
    """

    commit: int
    refusal: Rejected | None
    followed: bool


def command_of(**said: object) -> Command:
    """Make a command of its parts.

    Raises:
        BadInput: It is none that a leader would take in; the line says what is wrong.
    """
    text = said.get("text")
    if isinstance(text, str) and not text.strip():
        raise BadInput("the text is empty", where="TEXT")
    if isinstance(text, str) and len(text) > MAX_TEXT_CHARS:
        have = counted(len(text), "character")
        raise BadInput(f"{have}, and {MAX_TEXT_CHARS} are the most", where="TEXT")
    try:
        command = _COMMAND.validate_python(said)
    except ValidationError as error:
        field = str(error.errors(include_url=False)[0]["loc"][1])
        where, rule = _RULES.get(field, (field.upper(), "see parley tell --help"))
        raise BadInput("it cannot be taken in", where=where, mend=rule) from error
    read = parse(consume("0-0", {"b": command.model_dump_json()}))
    if isinstance(read, Garbage):
        raise BadInput(f"no run would take it in: {read.why}")
    return command


def send(streams: Streams, run: str, command: Command) -> None:
    """Put a command on a run's floor. Raises `ServerGone`: it may be there all the same."""
    streams.append(keys.floor(run), command.model_dump_json())


def tell(
    streams: Streams, run: str, command: Command, *, within_ms: int, clock: Clock = SYSTEM_CLOCK
) -> Outcome:
    """Send a command, and wait until a commit names it.

    A command whose author and nonce are in the journal already is not sent: what became
    of it then is what is returned.

    Args:
        within_ms: How long to wait.
        clock: Local time.

    Raises:
        ParleyError: The run's record is closed.
        Missing: Nobody took it in within that time. It stays on the floor.
        ServerGone: The server was gone to the end of that time.
    """
    telling = _Telling(streams, run, command)
    wait_until(telling.is_done, within_ms=within_ms, every_ms=LOOK_MS, clock=clock)
    if telling.outcome is not None:
        return telling.outcome
    again = f"say it again with --nonce {command.nonce}, and it is done once"
    if telling.gone is not None:
        raise ServerGone(f"{telling.gone}; {again}") from telling.gone
    leader = streams.lease_owners([keys.leader(run)])[0]
    if leader is not None:
        raise Missing(f"{leader} leads run {run} and has not taken it in yet", mend=again)
    raise Missing(
        f"nobody leads run {run}: it will be taken in when somebody does",
        mend="start: parley orchestrator",
    )


class _Telling:
    """One command on its way: sent, sent again, looked for.

    Attributes:
        outcome: What became of it, once that is known.
        gone: Why the server could not be asked the last time.
    """

    def __init__(self, streams: Streams, run: str, command: Command) -> None:
        self._streams, self._run, self._command = streams, run, command
        self._sent_over: int | None = None
        self._begin()
        self.outcome: Outcome | None = None
        self.gone: ServerGone | None = None

    def is_done(self) -> bool:
        """Read on, send what is to be sent, and tell whether the outcome is known."""
        try:
            self._look()
        except ServerGone as gone:
            self.gone, self._sent_over = gone, None
        except Forgotten:  # the server lost a tail: perhaps the command, too
            self._sent_over = None
            self._begin()
        else:
            self.gone = None
        return self.outcome is not None

    def _begin(self) -> None:
        self._tail = Tail(self._streams)
        self._tail.follow(keys.journal(self._run))

    def _look(self) -> None:
        is_all = False
        while not is_all:
            entries = self._tail.read(count=PAGE)
            for entry in entries:
                if self.outcome is None and self._command.nonce in entry.body:
                    self.outcome = outcome_of(self._command, unseal_entry(entry))
            is_all = len(entries) < PAGE
        if self.outcome is None and self._sent_over != self._streams.connects:
            if self._run not in self._streams.live_runs():
                raise ParleyError(f"run {self._run} is over: its record is closed")
            send(self._streams, self._run, self._command)
            self._sent_over = self._streams.connects


def outcome_of(command: Command, sealed: Sealed) -> Outcome | None:
    """Find what a commit made of a command; none when it is not in it."""
    named = [
        consumed.id
        for consumed in sealed.commit.inputs
        if (consumed.author, consumed.nonce) == (command.author, command.nonce)
    ]
    if not named:
        return None
    refusals = [
        event
        for event in sealed.commit.events
        if isinstance(event, Rejected) and event.input_id == named[0]
    ]
    return Outcome(
        commit=sealed.seq,
        refusal=refusals[0] if refusals else None,
        followed=any(isinstance(event, WORLDLY) for event in sealed.commit.events),
    )
