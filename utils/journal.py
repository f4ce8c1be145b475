"""Commits, their chain, and the fold: the record, apart from where it is kept.

A commit is its bytes and their SHA-256. It names the hash before it, carries every
input it consumed and every cause it noticed, and the events they led to. So a journal
can be checked, folded, and decided again with nothing else at hand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar

from pydantic import Field, ValidationError

from utils.errors import BadEntry
from utils.protocol import (
    INPUT,
    MAX_INPUT_BYTES,
    Count,
    EventField,
    Frozen,
    Input,
    Notice,
    Sha256,
    Short,
)

S = TypeVar("S")

NO_HASH = "0" * 64
"""What the first commit names as the hash before it."""

MAX_INPUTS = 100
MAX_EVENTS = 256
"""What the seats of a lost host are taken back by, in one commit; other commits have more."""

MAX_COMMIT_BYTES, MAX_WHOLE_BYTES = 1_000_000, 64_000_000
"""Of several inputs a commit takes no more than fit in the first. One input, or what was
noticed, is written with all that follows from it, up to the second."""


class Consumed(Frozen):
    """One floor entry as it was consumed.

    `raw` is the text the author wrote, whole, and is parsed again by a verifier. An
    entry that is no text, has other fields or is too large has `malformed` set, and
    `raw` is only its beginning.
    """

    id: str
    author: str = ""
    nonce: str = ""
    raw: str
    malformed: Short = ""


@dataclass(frozen=True, slots=True)
class Garbage:
    """What a floor entry is when it is not an input, and why."""

    why: str


class Commit(Frozen):
    """One step of a run: what came in, what was noticed, what followed.

    `cursor` is the id of the last floor entry consumed so far, by this commit or an
    earlier one; a leader that mends sets it back. `at_ms` never goes back from commit to commit.
    """

    v: Literal[1] = 1
    seq: Count = Field(ge=1)
    prev: Sha256
    at_ms: Count
    cursor: str
    inputs: tuple[Consumed, ...] = ()
    noticed: tuple[Notice, ...] = ()
    events: tuple[EventField, ...]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A commit with its bytes and their hash. The bytes are never encoded again."""

    commit: Commit
    body: str
    sha256: str

    @property
    def seq(self) -> int:
        """The commit's number, from 1."""
        return self.commit.seq


def sha256_of(text: str) -> str:
    """Hash a text's UTF-8 bytes, in hex.

    Example:
        >>> sha256_of("")[:8]
        'e3b0c442'
    """
    return hashlib.sha256(text.encode()).hexdigest()


def seal(commit: Commit) -> Sealed:
    """Encode a commit, once, and hash what it became."""
    body = commit.model_dump_json()
    return Sealed(commit=commit, body=body, sha256=sha256_of(body))


def unseal(seq: int, body: str, sha256: str) -> Sealed:
    """Parse a commit read from somewhere, and check it is what it says.

    Raises:
        BadEntry: The hash is not the body's, the body is no commit, or its number is
            not `seq`.
    """
    if not _is_utf8(body) or sha256_of(body) != sha256:
        raise BadEntry(f"journal {seq}", "its hash is not that of its bytes")
    return _commit_of(seq, body, sha256)


def _commit_of(seq: int, body: str, sha256: str) -> Sealed:
    try:
        commit = Commit.model_validate_json(body)
    except ValidationError as error:
        raise BadEntry(f"journal {seq}", f"no commit: {first_field(error)}") from error
    if commit.seq != seq:
        raise BadEntry(f"journal {seq}", f"it says it is commit {commit.seq}")
    return Sealed(commit=commit, body=body, sha256=sha256)


def follow(previous: Sealed | None, sealed: Sealed) -> Sealed:
    """Check that a commit stands on the one before, and return it.

    Raises:
        BadEntry: Number, hash or time do not follow.
    """
    seq, sha256 = (previous.seq, previous.sha256) if previous else (0, NO_HASH)
    if sealed.seq != seq + 1:
        raise BadEntry(f"journal {sealed.seq}", f"it does not follow commit {seq}")
    if sealed.commit.prev != sha256:
        raise BadEntry(f"journal {sealed.seq}", f"it names another commit {seq}")
    if previous and sealed.commit.at_ms < previous.commit.at_ms:
        raise BadEntry(f"journal {sealed.seq}", "its time goes back")
    return sealed


def chain(journal: Iterable[Sealed]) -> Iterator[Sealed]:
    """Pass commits on, each checked against the one before. Raises `BadEntry`."""
    previous = None
    for sealed in journal:
        yield follow(previous, sealed)
        previous = sealed


def fold(evolve: Callable[[S, Sealed], S], journal: Iterable[Sealed], state: S) -> S:
    """Rebuild a state: apply every commit in order, its chain checked."""
    for sealed in chain(journal):
        state = evolve(state, sealed)
    return state


def to_line(sealed: Sealed) -> str:
    """Write a commit as a line of JSON: `h`, then `b` with the exact bytes inside.

    Example:
        >>> commit = Commit(seq=1, prev=NO_HASH, at_ms=5, cursor="0-0", events=())
        >>> sealed = seal(commit)
        >>> from_line(to_line(sealed)) == sealed
        True
    """
    return f'{{"seq": {sealed.seq}, "h": "{sealed.sha256}", "b": {json.dumps(sealed.body)}}}\n'


def from_line(line: str, *, is_withheld: bool = False) -> Sealed:
    """Read what `to_line` wrote. Raises `BadEntry`.

    Args:
        is_withheld: Its texts were taken out: the hash is of the body as it was, and
            cannot be checked.
    """
    try:
        entry = json.loads(line)
        seq, body, sha256 = int(entry["seq"]), str(entry["b"]), str(entry["h"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise BadEntry("journal line", "not an object with seq, h and b") from error
    return _commit_of(seq, body, sha256) if is_withheld else unseal(seq, body, sha256)


def consume(entry_id: str, fields: dict[str, str]) -> Consumed:
    """Take a floor entry as it came, whatever it is. Never raises.

    Args:
        entry_id: The entry's id in the stream.
        fields: Its fields, decoded with `surrogateescape`.
    """
    raw = fields.get("b")
    if raw is None or len(fields) != 1:
        names = ", ".join(sorted(fields))[:100]
        return _malformed(entry_id, repr(fields), f"fields are not b alone: {names}")
    if len(raw) > MAX_INPUT_BYTES or len(raw.encode(errors="replace")) > MAX_INPUT_BYTES:
        return _malformed(entry_id, raw, f"over {MAX_INPUT_BYTES} bytes")
    if not _is_utf8(raw):
        return _malformed(entry_id, raw, "not UTF-8")
    arrived = _parse(raw)
    if isinstance(arrived, Garbage):
        return Consumed(id=entry_id, raw=raw)
    return Consumed(id=entry_id, author=arrived.author, nonce=arrived.nonce, raw=raw)


def parse(consumed: Consumed) -> Input | Garbage:
    """Parse what was consumed. The only door through which inputs come in."""
    return Garbage(consumed.malformed) if consumed.malformed else _parse(consumed.raw)


def first_field(error: ValidationError) -> str:
    """Name the first field a validation stumbled over, in words of our own.

    Not pydantic's sentence: that would change with its version, and a verifier has to
    find the same words again.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]).replace("\x00", "")  # a stranger's key
    if not place and first["type"].startswith("union_tag"):
        return "field kind"
    return f"field {place}" if place else "not a JSON object"


@lru_cache(maxsize=MAX_INPUTS)
def _parse(raw: str) -> Input | Garbage:
    """Parse an input: once when it is consumed, and no more when it is decided upon."""
    try:
        return INPUT.validate_json(raw, strict=True)
    except ValidationError as error:
        return Garbage(first_field(error)[:200])


def _malformed(entry_id: str, raw: str, why: str) -> Consumed:
    head = raw[:500].encode("utf-8", "backslashreplace").decode()
    why = why.encode("utf-8", "backslashreplace").decode().replace("\x00", "")
    return Consumed(id=entry_id, raw=head, malformed=why[:500])


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
