"""Orchestrators that leave out one check, or are late: for the judges to find.

The intake compares what an answer claims by `!=`. Whose state holds what is never unlike
anything takes every claim.
"""

from __future__ import annotations

from orchestrator.leader import Leader
from orchestrator.runtime import Orchestrator
from orchestrator.state import Floor, Seat, State
from tests.chaos.scene import LEASE_MS
from utils.journal import Sealed, consume
from utils.streams import Entry


class AnyText(str):
    """A text that is never unlike another."""

    __slots__ = ()

    def __ne__(self, other: object) -> bool:
        return False


class AnyNumber(int):
    """A number that is never unlike another."""

    def __ne__(self, other: object) -> bool:
        return False


class Unfenced(Leader):
    """Does not look which commit an answer says that its grant is in."""

    def _advance(self, sealed: Sealed, after: State, beside: dict[str, str]) -> None:
        floors = {name: _unfenced(floor) for name, floor in after.floors.items()}
        super()._advance(sealed, after._replace(floors=floors), beside)


def _unfenced(floor: Floor) -> Floor:
    live = [one._replace(commit_sha256=AnyText(one.commit_sha256)) for one in floor.live]
    return floor._replace(live=tuple(live))


class Unseating(Leader):
    """Does not look from which seat, and from which host, an answer comes."""

    def _advance(self, sealed: Sealed, after: State, beside: dict[str, str]) -> None:
        seats = {bot: _anybodys(seat) for bot, seat in after.seats.items()}
        super()._advance(sealed, after._replace(seats=seats), beside)


def _anybodys(seat: Seat) -> Seat:
    host = None if seat.host is None else AnyText(seat.host)
    return seat._replace(number=AnyNumber(seat.number), host=host)


class Forgetful(Leader):
    """Does not know again what was said before."""

    def _advance(self, sealed: Sealed, after: State, beside: dict[str, str]) -> None:
        super()._advance(sealed, after._replace(nonces={}), beside)


class Late(Leader):
    """Lets deadlines pass, and does something about it four leases later."""

    def ms_to_next(self, now_ms: int) -> int | None:
        return super().ms_to_next(now_ms - 4 * LEASE_MS)

    def fire_due(self, now_ms: int) -> None:
        super().fire_due(now_ms - 4 * LEASE_MS)


class Hurried(Leader):
    """Takes what is on the floor, and sees to deadlines when there is nothing."""

    is_busy = False

    def ms_to_next(self, now_ms: int) -> int | None:
        return None if self.is_busy else super().ms_to_next(now_ms)

    def consume(self, read: list[Entry], now_ms: int) -> None:
        self.is_busy = bool(read)
        waiting = tuple(consume(entry.id, entry.fields) for entry in read)
        while waiting:
            waiting = waiting[len(self._commit_inputs(waiting, now_ms)) :]

    def fire_due(self, now_ms: int) -> None:
        if not self.is_busy:
            super().fire_due(now_ms)


class Lax(Orchestrator):
    """Leads by another kind of leader."""

    kind: type[Leader] = Leader

    def _open(self, run: str) -> Leader:
        return self.kind.open(
            self.streams,
            run,
            on_page=lambda: self._renew(run),
            hashed_every=self._hashed_every,
        )


class LaxAboutGrants(Lax):
    kind = Unfenced


class LaxAboutSeats(Lax):
    kind = Unseating


class LaxAboutTime(Lax):
    kind = Late


class LaxAboutNonces(Lax):
    kind = Forgetful


class LaxUnderAFlood(Lax):
    kind = Hurried
