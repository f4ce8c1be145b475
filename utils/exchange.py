"""What went over the wire for one attempt: hashes and counts, not the bytes themselves.

A record that kept every byte would be several times its size: each token of a streamed
answer comes in a line of its own. The request's bytes can be made again from the record
(`bots.minds.body`), so their hash proves them; of a response that was not as agreed, the
record keeps the end, where it went wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # errors need this module at once, and help texts no pydantic
    from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Exchange:
    """What went over the wire for one attempt.

    Attributes:
        parameters: All that the request's body held beside model, messages, options,
            `think` and `format`.
        request_sha256: Of the request's body; empty when none was sent.
        response_sha256: Of the response's body as far as it was read; empty when no
            headers came.
        response_bytes: How many bytes of it were read.
        tail: Its last bytes, for people: what is no UTF-8 is escaped. Empty unless asked for.
    """

    parameters: tuple[tuple[str, JsonValue], ...] = ()
    request_sha256: str = ""
    response_sha256: str = ""
    response_bytes: int = 0
    tail: str = ""


NO_EXCHANGE = Exchange()
