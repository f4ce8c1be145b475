"""Estimates of tokens, for budgets of our own. The server's count is in the record."""

from __future__ import annotations

BYTES_PER_TOKEN = 3
"""UTF-8 bytes a token, low on purpose: byte-level BPE vocabularies of current models
come to about 4.5 on English prose and 2 to 3 on other scripts; too short a prompt costs
a line of memory, too long a one is cut by the server in silence."""

MESSAGE_TOKENS = 8
"""Tokens that a chat template puts around one message, generously."""


def estimate_tokens(text: str) -> int:
    """Estimate how many tokens a text is, rounded up.

    Example:
        >>> estimate_tokens(""), estimate_tokens("What is a town for?")
        (0, 7)
    """
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)
