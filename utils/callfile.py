"""Calls as they are read from the stream, and as a dataset's file of them holds them.

A line is `{"id", "b"}`: the entry's id, and the exact text of its record. Where texts
were withheld it is `{"id", "h", "b"}`: the hash is the record's as it was, and `b` is
what was left of it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from pydantic import ValidationError

from utils.calls import CallRecord
from utils.errors import BadEntry
from utils.journal import first_field


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One entry of the stream of calls.

    Attributes:
        id: The entry's id: the server's clock when it was recorded, and a counter.
        body: The exact text of its `b` field.
        sha256: The hash by which the journal names the call.
        record: What it says; none when it cannot be read, and `why` says why.
        is_withheld: Whether its texts were taken out, so that `sha256` is not `body`'s.
    """

    id: str
    body: str
    sha256: str
    record: CallRecord | None
    why: str = ""
    is_withheld: bool = False

    @property
    def at_ms(self) -> int:
        """Server time at which it was recorded, milliseconds since 1970."""
        return int(self.id.partition("-")[0])


def read_call(entry_id: str, body: str) -> RecordedCall:
    """Read one entry of the stream of calls, whatever it holds. Never raises.

    Args:
        entry_id: Its id.
        body: Its `b` field, decoded with `surrogateescape`.
    """
    octets = body.encode("utf-8", "surrogateescape")
    sha256 = hashlib.sha256(octets).hexdigest()
    record, why = _parsed(octets)
    return RecordedCall(entry_id, body, sha256, record, why)


def call_line(call: RecordedCall) -> str:
    """Write a call as a line of JSON: its id, and `b` with the exact text inside.

    Example:
        >>> call_from_line(call_line(read_call("5-0", "{}"))).body
        '{}'
    """
    if not call.is_withheld:
        return entry_line(call.id, call.body)
    sha256 = f', "h": {json.dumps(call.sha256)}'
    return f'{{"id": {json.dumps(call.id)}{sha256}, "b": {json.dumps(call.body)}}}\n'


def entry_line(entry_id: str, body: str) -> str:
    """Write an entry of the stream of calls as its line, without reading what it says."""
    return f'{{"id": {json.dumps(entry_id)}, "b": {json.dumps(body)}}}\n'


def call_from_line(line: str) -> RecordedCall:
    """Read what `call_line` wrote.

    Raises:
        BadEntry: The line is no such thing.
    """
    try:
        entry = json.loads(line)
        entry_id, body = str(entry["id"]), str(entry["b"])
        int(entry_id.partition("-")[0])
        sha256 = str(entry["h"]) if "h" in entry else None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadEntry("call line", "not an object with id and b") from error
    return read_call(entry_id, body) if sha256 is None else reread_call(entry_id, sha256, body)


def reread_call(entry_id: str, sha256: str, body: str) -> RecordedCall:
    """Read a call whose texts were taken out.

    Args:
        sha256: The hash it had when it was whole.
        body: What is left of it.
    """
    record, why = _parsed(body.encode("utf-8", "surrogateescape"))
    return RecordedCall(entry_id, body, sha256, record, why, is_withheld=True)


def _parsed(octets: bytes) -> tuple[CallRecord | None, str]:
    try:
        return CallRecord.model_validate_json(octets), ""
    except ValidationError as error:
        return None, first_field(error)
