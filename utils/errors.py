"""Every error Parley raises on purpose, as one tree.

    ParleyError                 it ran and found something wrong      exit 1
    ├── BadInput                the user's input cannot be used       exit 2
    ├── Missing                 a service or a model is not there     exit 3
    ├── ServerGone              Redis does not answer, for now        exit 3
    │   └── ServerEvicts        it may drop what it is given
    ├── StreamError             Redis answered, but not as agreed     exit 1
    │   ├── BadEntry            an entry that cannot be parsed
    │   ├── Conflict            another leader wrote this commit
    │   ├── TargetRefused       a channel stands in a commit's way
    │   ├── Forgotten           the server lost what we had read
    │   └── Hole                the server lost more than a leader can mend
    └── MindFailed              a model call ended without an answer  exit 1

An error is one line that says what, where and how to mend it. The command line
prints that line and leaves with `exit_code`; a traceback is a defect.
"""

from __future__ import annotations

from typing import Literal

from utils.exchange import NO_EXCHANGE, Exchange


class ParleyError(Exception):
    """Something is wrong, and the message says what, where and how to mend it."""

    exit_code = 1


class BadInput(ParleyError):
    """What the user gave cannot be used: a file, a name, an option.

    Args:
        what: What is wrong, without a full stop.
        where: File and line, option or name; empty when `what` says it.
        mend: What to type or change instead; empty when `what` says it.

    Example:
        >>> str(BadInput("unknown policy 'robin'", where="salon.yaml:7", mend="try 'round_robin'"))
        "salon.yaml:7: unknown policy 'robin'; try 'round_robin'"
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(one_line(what, where=where, mend=mend))
        self.what, self.where, self.mend = what, where, mend


class Missing(ParleyError):
    """A needed service or model is not there. Same parts as `BadInput`."""

    exit_code = 3

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(one_line(what, where=where, mend=mend))
        self.what, self.where, self.mend = what, where, mend


def one_line(what: str, *, where: str = "", mend: str = "") -> str:
    """Join the parts of an error into its one line."""
    text = f"{where}: {what}" if where else what
    return " ".join((f"{text}; {mend}" if mend else text).split())


class ServerGone(ParleyError):
    """The Redis server does not answer. Try again after a pause, or give up."""

    exit_code = 3


class ServerEvicts(ServerGone):
    """The Redis server may drop what it is given: write nothing until that is mended."""


class StreamError(ParleyError):
    """Redis answered, but not with what was agreed."""


class BadEntry(StreamError):
    """An entry of a stream or a file cannot be what it should be.

    Args:
        entry: Which: a stream and id, or a line.
        why: What is wrong with it.
    """

    def __init__(self, entry: str, why: str) -> None:
        super().__init__(one_line(why, where=entry))
        self.entry, self.why = entry, why


class Conflict(StreamError):
    """Another leader wrote this commit. Fold again from what is there.

    Args:
        seq: Number of the journal's last commit as the server sees it, 0 for none.
        sha256: Its hash.
    """

    def __init__(self, seq: int, sha256: str) -> None:
        super().__init__(f"the journal's last commit is {seq}, with hash {sha256[:12]}")
        self.seq, self.sha256 = seq, sha256


class TargetRefused(StreamError):
    """A channel or inbox stands in a commit's way: wrong type, or already past it."""


class Forgotten(StreamError):
    """The server no longer holds what was read from it: read again from the start."""


class Hole(StreamError):
    """The server lost more of a journal than its leader kept: the run must halt."""


FailureKind = Literal[
    "not_found",
    "overloaded",
    "unreachable",
    "timeout",
    "truncated",
    "protocol",
    "server",
    "context_overflow",
    "refused",
    "cancelled",
]


class MindFailed(ParleyError):
    """A model call ended without an answer.

    Args:
        kind: What kind of failure it was.
        detail: What was seen, one line.
        retryable: Whether the same request may well succeed if sent again.
        status: HTTP status, where there was one.
        partial: Text that had arrived before it failed; never heard.

    Attributes:
        exchange: What went over the wire; whoever spoke there sets it.
        waited_ms: How long the call waited for its turn before it was sent, or given up.
        thinking: Thought that had arrived before it failed; set likewise.
    """

    def __init__(
        self,
        kind: FailureKind,
        detail: str,
        *,
        retryable: bool = False,
        status: int | None = None,
        partial: str = "",
    ) -> None:
        super().__init__(one_line(detail, where=kind))
        self.kind: FailureKind = kind
        self.detail = detail
        self.retryable, self.status, self.partial = retryable, status, partial
        self.exchange: Exchange = NO_EXCHANGE
        self.waited_ms = 0
        self.thinking = ""
