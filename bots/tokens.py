"""Estimates of tokens, for budgets of our own, and what servers' counts teach about them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from utils.calls import ChatMessage

BYTES_PER_TOKEN = 3
"""UTF-8 bytes a token, low on purpose: byte-level BPE vocabularies of current models
come to about 4.5 on English prose and 2 to 3 on other scripts; too short a prompt costs
a line of memory, too long a one is cut by the server in silence."""

MESSAGE_TOKENS = 8
"""Tokens that a chat template puts around one message, generously."""

MARGIN = 1.05
"""What the next prompt may come to beyond the last one's tokens for the same estimate."""

LEAST_SCALE, MOST_SCALE = 0.4, 8.0

FALLS_BY = 4
"""A scale that is too high falls by a part of what is too much; one too low rises at once."""

OVERFLOWED = 1.25
"""What a scale rises by when a prompt did not fit, and nobody counted it."""

SHORT_SHARE = 0.6
"""A count below this share of what was expected is not explained by other words."""

SHORT_PER_ESTIMATE = 0.45
"""Nor is any, unless it is below this: 6.7 bytes a token, more than prose comes to."""

SHORT_AT_FIRST = 0.25
"""The same where no count is known to compare with: 12 bytes a token."""


def estimate_tokens(text: str) -> int:
    """Estimate how many tokens a text is, rounded up.

    Example:
        >>> estimate_tokens(""), estimate_tokens("What is a town for?")
        (0, 7)
    """
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def estimate_chat(messages: Sequence[ChatMessage]) -> int:
    """Estimate how many tokens a chat is, its template included."""
    return sum(estimate_tokens(one.content) + MESSAGE_TOKENS for one in messages)


@dataclass(frozen=True, slots=True)
class Scale:
    """What estimates are multiplied by for one bot, from the counts of its earlier calls.

    Each bot has its own, which its own calls alone move: so it does not depend on which
    bots share a host, or who was asked first. The record of each call has the factor.

    Attributes:
        factor: Tokens by the server's count to one of our estimate, with a margin.
        is_measured: Whether any count is in it.

    Example:
        >>> scale = Scale().after(estimated=1000, counted=600)
        >>> scale.factor
        0.63
        >>> scale.after(estimated=1000, counted=700).factor
        0.735
        >>> scale.after(estimated=1000, counted=500).factor
        0.604
    """

    factor: float = 1.0
    is_measured: bool = False

    def after(self, *, estimated: int, counted: int | None) -> Scale:
        """Take the count of one more prompt in; one that is too short to be true is not."""
        if not counted or not estimated or self.is_short(estimated=estimated, counted=counted):
            return self
        ratio = counted / estimated * MARGIN
        if self.is_measured and ratio < self.factor:
            ratio = self.factor - (self.factor - ratio) / FALLS_BY
        return Scale(_rounded(ratio), is_measured=True)

    def overflowed(self) -> Scale:
        """Allow for a prompt that did not fit though it should have."""
        return Scale(_rounded(self.factor * OVERFLOWED), self.is_measured)

    def is_short(self, *, estimated: int, counted: int | None) -> bool:
        """Tell whether a server counted far fewer tokens than were sent.

        Then it has cut the prompt, or does not count what it had in its cache.

        Example:
            >>> Scale(0.63, is_measured=True).is_short(estimated=1000, counted=350)
            True
            >>> Scale().is_short(estimated=1000, counted=350)
            False
        """
        if counted is None or not estimated:
            return False
        share = counted / estimated
        if not self.is_measured:
            return share < SHORT_AT_FIRST
        return share < min(SHORT_PER_ESTIMATE, SHORT_SHARE * self.factor / MARGIN)

    def room(self, tokens: int) -> int:
        """Tell how many tokens of our estimate fit in so many of the server's.

        Example:
            >>> Scale(0.63).room(1888), Scale().room(1888)
            (2996, 1888)
        """
        return int(tokens / self.factor)


UNMEASURED = Scale()


def _rounded(factor: float) -> float:
    """Bound a factor, and write it with three places, rounded up."""
    return math.ceil(round(min(MOST_SCALE, max(LEAST_SCALE, factor)) * 1000, 6)) / 1000
