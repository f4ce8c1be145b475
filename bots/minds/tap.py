"""What is seen of one chat on its way through the transport: bytes, hashes, and repairs.

Two things the client cannot do are done here. It has no words for `truncate` and
`shift`, so the request's body is completed. And it splits lines where Python does, at
U+2028, U+2029 and U+0085 too, which JSON allows inside a text: there they are escaped,
which changes no text. What is no UTF-8 is no answer as agreed; nothing is replaced in
silence.
"""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping

import httpx
from pydantic import JsonValue

from bots.minds.body import encoded
from utils.exchange import Exchange

TAIL_BYTES = 1_000

_ESCAPES = str.maketrans({"\u2028": "\\u2028", "\u2029": "\\u2029", "\u0085": "\\u0085"})


class Tap:
    """Stands on the line for one chat.

    Args:
        parameters: What the request's body must hold beside what the client writes.
    """

    def __init__(self, parameters: Mapping[str, JsonValue]) -> None:
        self._parameters = dict(parameters)
        self._request_sha256 = ""
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._tail = b""
        self._has_begun = False

    def request(self, content: bytes) -> bytes:
        """Complete a request's body, and remember its hash."""
        body = json.loads(content)
        body.pop("tools", None)  # the client writes an empty list
        sent = encoded({**body, **self._parameters})
        self._request_sha256 = hashlib.sha256(sent).hexdigest()
        return sent

    def response(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Pass a response's body on, so that the client splits it into lines as JSON has them.

        Raises:
            httpx.DecodingError: It is no UTF-8. What came before is passed on first.
        """
        self._has_begun = True
        decoder = codecs.getincrementaldecoder("utf-8")()
        for part in parts:
            self._see(part)
            try:
                text = decoder.decode(part)
            except UnicodeDecodeError as error:
                yield _escaped(error.object[: error.start].decode())
                raise httpx.DecodingError("bytes that are no UTF-8") from error
            yield _escaped(text)
        if decoder.getstate()[0]:
            raise httpx.DecodingError("it ends inside a character")

    def exchange(self, *, has_failed: bool) -> Exchange:
        """Sum up what was seen. Only of a failure the response's end is kept."""
        tail = self._tail.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
        return Exchange(
            parameters=tuple(self._parameters.items()),
            request_sha256=self._request_sha256,
            response_sha256=self._hash.hexdigest() if self._has_begun else "",
            response_bytes=self._bytes,
            tail=tail if has_failed else "",
        )

    def _see(self, part: bytes) -> None:
        self._hash.update(part)
        self._bytes += len(part)
        self._tail = (self._tail + part[-TAIL_BYTES:])[-TAIL_BYTES:]


def _escaped(text: str) -> bytes:
    return text.translate(_ESCAPES).encode()
