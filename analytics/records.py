"""Raw records as they are read from streams, and as they are written to files.

A commit's line is `utils.journal.to_line`. A call's line is here.
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
class Call:
    """One entry of the stream of calls.

    Attributes:
        id: The entry's id: the server's clock when it was recorded, and a counter.
        body: The exact text of its `b` field.
        sha256: The hash by which the journal names the call.
        record: What it says; none when it cannot be read, and `why` says why.
    """

    id: str
    body: str
    sha256: str
    record: CallRecord | None
    why: str = ""

    @property
    def at_ms(self) -> int:
        """Server time at which it was recorded, milliseconds since 1970."""
        return int(self.id.partition("-")[0])


def read_call(entry_id: str, body: str) -> Call:
    """Read one entry of the stream of calls, whatever it holds. Never raises.

    Args:
        entry_id: Its id.
        body: Its `b` field, decoded with `surrogateescape`.
    """
    octets = body.encode("utf-8", "surrogateescape")
    sha256 = hashlib.sha256(octets).hexdigest()
    try:
        record = CallRecord.model_validate_json(octets)
    except ValidationError as error:
        return Call(entry_id, body, sha256, None, first_field(error))
    return Call(entry_id, body, sha256, record)


def call_line(call: Call) -> str:
    """Write a call as a line of JSON: its id, and `b` with the exact text inside.

    Example:
        >>> call_from_line(call_line(read_call("5-0", "{}"))).body
        '{}'
    """
    return entry_line(call.id, call.body)


def entry_line(entry_id: str, body: str) -> str:
    """Write an entry of the stream of calls as its line, without reading what it says."""
    return json.dumps({"id": entry_id, "b": body}) + "\n"


def call_from_line(line: str) -> Call:
    """Read what `call_line` wrote.

    Raises:
        BadEntry: The line is no such thing.
    """
    try:
        entry = json.loads(line)
        entry_id, body = str(entry["id"]), str(entry["b"])
        int(entry_id.partition("-")[0])
    except (ValueError, KeyError, TypeError) as error:
        raise BadEntry("call line", "not an object with id and b") from error
    return read_call(entry_id, body)
