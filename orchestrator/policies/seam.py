"""The policy's seam: who speaks next in a channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from utils.seeds import Chance


@dataclass(frozen=True, slots=True)
class FloorView:
    """What a policy may see of a channel whose turn is to be granted.

    Attributes:
        turn: The turn to be granted, from 1.
        tries: How many grants of this turn were revoked.
        members: All members, in ring order.
        eligible: Members that may be chosen, in ring order, at least one: not absent,
            and not yet tried in this turn unless all were.
        last_speaker: Who was heard last, if anybody was.
        addressee: Whom the last speaker addressed, if anybody.
        held: Member to the turn in which it last held the floor; those that never did
            are not in it.
    """

    channel: str
    turn: int
    tries: int
    members: tuple[str, ...]
    eligible: tuple[str, ...]
    last_speaker: str | None
    addressee: str | None
    held: Mapping[str, int]


class Policy(Protocol):
    """Who speaks next. Pure: a draw is placed by channel, turn and tries. Inherit from it.

    Attributes:
        is_round: Whether a turn is a round, in which everybody who can is asked.
    """

    is_round: bool = False

    def choose(self, floor: FloorView, chance: Chance) -> tuple[str, ...]:
        """Choose who is asked in this turn.

        Returns:
            Some of `floor.eligible`: one bot, or several that answer at once, sealed
            until all have; none to leave the turn for later. A bot that holds a grant
            elsewhere is waited for.
        """
        ...
