"""Who hears a speaker in a channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

Audience = Literal["all"] | tuple[str, ...]


def everybody(members: Sequence[str], speaker: str) -> Audience:
    """Reach all members."""
    return "all"


def neighbours(members: Sequence[str], speaker: str) -> Audience:
    """Reach the two members beside the speaker in the ring of members, and the speaker.

    Example:
        >>> neighbours(("ada", "bo", "cy", "dee"), "ada")
        ('dee', 'ada', 'bo')
    """
    place = members.index(speaker)
    beside = (members[place - 1], speaker, members[(place + 1) % len(members)])
    return tuple(dict.fromkeys(beside))


def previous(members: Sequence[str], speaker: str) -> Audience:
    """Reach the member after the speaker, to whom the speaker is the previous one.

    Example:
        >>> previous(("ada", "bo", "cy"), "cy")
        ('cy', 'ada')
    """
    place = members.index(speaker)
    return tuple(dict.fromkeys((speaker, members[(place + 1) % len(members)])))


def itself(members: Sequence[str], speaker: str) -> Audience:
    """Reach only the speaker: bots side by side that do not meet."""
    return (speaker,)


AUDIENCES: dict[str, Callable[[Sequence[str], str], Audience]] = {
    "all": everybody,
    "neighbours": neighbours,
    "previous": previous,
    "self": itself,
}


def audience(hears: str, members: Sequence[str], speaker: str | None) -> Audience:
    """Tell who hears a speaker; words from outside reach every member.

    Args:
        hears: The channel's rule, a key of `AUDIENCES`.
        members: The channel's members, in order.
        speaker: A member, or none for words from outside.

    Returns:
        "all", or names in ring order with the speaker among them.

    Raises:
        KeyError: There is no such rule.
        ValueError: The speaker is not a member.
    """
    return "all" if speaker is None else AUDIENCES[hears](members, speaker)
