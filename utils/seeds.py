"""Chance as an argument: every draw has a place, and the place decides it.

A draw never comes from a generator whose state must be kept. It comes from the run
seed and its place (purpose, channel, turn, bot, tries), so that runs whose models
answer in another order still draw the same, and a verifier can draw again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

MODEL_SEED_BITS = 31
"""Seeds sent to a model fit a signed 32-bit integer, which every server accepts."""


def seed_for(run_seed: int, purpose: str, *place: str | int) -> int:
    """Derive the seed of one draw from the run seed and its place.

    Args:
        run_seed: The run's seed, any integer.
        purpose: What is drawn, such as "policy" or "call".
        place: Where: channel, turn, bot, tries. Never seq, epoch or a clock.

    Returns:
        An integer in [0, 2**64): the first 8 bytes, big-endian, of the SHA-256 of
        the parts, each preceded by its type and length, so that no two places are
        spelled alike.

    Example:
        >>> seed_for(7, "call", "main", 1, "ada", 0) == seed_for(7, "call", "main", 1, "ada", 0)
        True
        >>> seed_for(7, "call", "a", "bc") == seed_for(7, "call", "ab", "c")
        False
    """
    parts = (run_seed, purpose, *place)
    spelled = "".join(f"{type(part).__name__[0]}{len(str(part))}:{part}" for part in parts)
    return int.from_bytes(hashlib.sha256(spelled.encode()).digest()[:8], "big")


def model_seed(run_seed: int, channel: str, turn: int, bot: str, tries: int) -> int:
    """Derive the seed that goes to a model with one grant.

    Returns:
        An integer in [0, 2**31).

    Example:
        >>> 0 <= model_seed(7, "main", 1, "ada", 0) < 2**31
        True
    """
    return seed_for(run_seed, "call", channel, turn, bot, tries) >> (64 - MODEL_SEED_BITS)


@dataclass(frozen=True, slots=True)
class Chance:
    """Draws for pure rules, each placed.

    Example:
        >>> chance = Chance(run_seed=7)
        >>> chance.pick(["ada", "bo", "cy"], "policy", "main", 3) in {"ada", "bo", "cy"}
        True
        >>> chance.shuffled([1, 2, 3], "names", 1) == chance.shuffled([1, 2, 3], "names", 1)
        True
    """

    run_seed: int

    def below(self, limit: int, purpose: str, *place: str | int) -> int:
        """Draw an integer in [0, limit), limit in [1, 2**32].

        The remainder of 64 bits: the bias is under limit / 2**64.

        Raises:
            ValueError: `limit` is outside its range.
        """
        if not 1 <= limit <= 2**32:
            raise ValueError(f"limit must be in [1, 2**32], not {limit}")
        return seed_for(self.run_seed, purpose, *place) % limit

    def pick(self, options: Sequence[T], purpose: str, *place: str | int) -> T:
        """Draw one of the options, each equally likely.

        Raises:
            ValueError: `options` is empty.
        """
        return options[self.below(len(options), purpose, *place)]

    def shuffled(self, items: Sequence[T], purpose: str, *place: str | int) -> list[T]:
        """Return the items in a drawn order: sorted by a seed of each position."""
        order = sorted(
            range(len(items)), key=lambda index: seed_for(self.run_seed, purpose, *place, index)
        )
        return [items[index] for index in order]
