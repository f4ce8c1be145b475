"""From what HTTP and a model server do wrong to the one error a mind raises.

| seen | kind | again? |
|---|---|---|
| the grant was revoked | cancelled | no |
| no answer within the allowance | timeout | no |
| nothing for longer than one read may take | timeout | yes |
| no connection: refused, no route, no such host, no answer to it | unreachable | yes |
| the connection ends before an answer began | unreachable | yes |
| the connection ends in mid-answer | truncated | yes |
| the answer ends, cleanly, without `done` | truncated | no |
| 404 | not_found | no |
| 429, 503 | overloaded | yes |
| 499, other 5xx; an error in the stream, after 200 | server | yes |
| any of these, and the text is about the context's size | context_overflow | no |
| other 4xx | refused | no |
| 1xx, 3xx; no answer as agreed: no JSON, no UTF-8, another's name | protocol | no |

A clean end without `done` is Ollama giving up on a model that repeats itself: with the
same seed it would again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import httpx

from bots.minds.wire import Wire
from utils.errors import FailureKind, MindFailed

SHOWN_CHARACTERS = 300

REPEATS = 31
"""After so many equal pieces Ollama ends a stream without a word.

Source: ollama/ollama, `llm/llama_server.go`, "token repeat limit reached".
"""

CONTEXT = re.compile(
    r"(?i)\bcontext\b.*\b(exceed|too (long|large)|overflow|full)"
    r"|(exceed|longer|larger).*\bcontext\b"
)

UNREADABLE = (ValueError, TypeError, AttributeError, KeyError, RecursionError)
"""What reading a response that is not as agreed raises in the ollama client: a line that
is no JSON or no object, an object without its fields, numbers beyond all bounds."""


def failed(error: Exception, wire: Wire, *, partial: str = "") -> MindFailed:
    """Say what an exception of httpx, of a socket or of a parser means for an answer.

    Args:
        error: What was raised.
        wire: What the call hung on; a wire that was cut explains everything.
        partial: The text that had come until then.

    Returns:
        The error to raise from it.
    """
    if wire.cut_by == "cancelled":
        return MindFailed("cancelled", "the answer is no longer wanted", partial=partial)
    if wire.cut_by == "timeout":
        return MindFailed("timeout", f"no answer within {wire.allow_ms} ms", partial=partial)
    if wire.status is not None and wire.status != 200:
        return failed_status(wire.status, shown(error), partial=partial)
    kind, why, retryable = _meaning(error, has_begun=wire.status is not None)
    return MindFailed(kind, why, retryable=retryable, status=wire.status, partial=partial)


def failed_status(status: int, text: str, *, partial: str = "") -> MindFailed:
    """Say what an error that the server tells of itself means.

    Args:
        status: HTTP status; 200 for an error line in the stream.
        text: What the server says.
        partial: The answer's text that had come until then.
    """
    kind: FailureKind = "protocol"
    retryable = False
    if status == 404:
        kind = "not_found"
    elif CONTEXT.search(text) and (status == 200 or status >= 400):
        kind = "context_overflow"
    elif status in (429, 503):
        kind, retryable = "overloaded", True
    elif status in (200, 499) or status >= 500:
        kind, retryable = "server", True
    elif status >= 400:
        kind = "refused"
    why = shown(text) or "the server does not say why"
    where = "in mid-answer" if status == 200 else f"HTTP {status}"
    return MindFailed(kind, f"{where}: {why}", retryable=retryable, status=status, partial=partial)


def no_done(wire: Wire, *, partial: str, pieces: Sequence[str] = ()) -> MindFailed:
    """Say what the end of a stream means in which nothing was marked as the last.

    Args:
        wire: What the call hung on.
        partial: The answer's text until then.
        pieces: The same as it came, where it may be a model that repeats itself.
    """
    if wire.cut_by:
        return failed(EOFError(), wire, partial=partial)
    why = "the answer ended without done"
    last = {piece.strip() for piece in pieces[-REPEATS:]}
    if len(pieces) >= REPEATS and len(last) == 1:
        why += f": the server gave up on a model that repeats {shown(last.pop())!r}"
    return MindFailed("truncated", why, status=wire.status, partial=partial)


def shown(seen: object) -> str:
    """Show a stranger's words in one line: bounded, nothing that does not print."""
    text = str(seen)[: 4 * SHOWN_CHARACTERS]
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[:SHOWN_CHARACTERS]}..."


def well_formed(text: str) -> str:
    r"""Make text that UTF-8 can hold: join halves of a character, replace lone ones.

    Example:
        >>> well_formed("\ud83d" + "\ude00") == "\N{GRINNING FACE}", well_formed("a\ud83d")
        (True, 'a\ufffd')
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _meaning(error: Exception, *, has_begun: bool) -> tuple[FailureKind, str, bool]:
    """Give an exception's kind, words for it, and whether to try again."""
    why = shown(error) or type(error).__name__
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return "unreachable", "no connection in time", True
        case httpx.TimeoutException():
            return "timeout", "the server fell silent", True
        case httpx.ConnectError() | httpx.ProxyError():
            return "unreachable", why, True
        case httpx.RemoteProtocolError() if not _is_end(why):
            return "protocol", f"not HTTP: {why}", False
        case httpx.NetworkError() | httpx.RemoteProtocolError():
            lost = f"the connection was lost: {why}"
            return ("truncated" if has_begun else "unreachable"), lost, True
        case httpx.HTTPError():
            return "protocol", why, False
        case OSError():
            return "unreachable", why, True
        case _:
            return "protocol", f"not an answer as agreed: {why}", False


def _is_end(why: str) -> bool:
    """Tell a connection that was closed from one that says what HTTP does not know.

    httpx has one exception for both, and h11 and httpcore one message each.
    """
    return "peer closed connection" in why or "disconnected without sending" in why
