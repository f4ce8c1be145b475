"""What a fork leaves of its parent's state. Pure."""

from __future__ import annotations

from orchestrator.state import NOTHING, Floor, State
from utils.protocol import Forked, Revoked


def go_on(state: State, event: Forked, seq: int, at_ms: int) -> State:
    """Go on as another run, from where the parent was: only its hosts are of no account."""
    seats = {bot: seat._replace(absent=False) for bot, seat in state.seats.items()}
    tops = {name: top for name, top in state.tops.items() if name.startswith("channel:")}
    return state._replace(
        run=event.run,
        phase="gathering",
        acted_ms=at_ms,
        seats=seats,
        nonces=NOTHING,
        tops=tops,
        paused_at_ms=None,
        paused_ms=state.paused_ms + event.paused_ms,
        steps=0,
        clock=(at_ms, state.world_ms),
    )


def taken_back(floor: Floor, event: Revoked) -> Floor:
    """Undo a grant, so that the turn is granted again as if it had not been yet.

    No try is used up, and nobody has held the floor. A round in which some have answered
    goes on with those that have not; any other turn's policy chooses once more.
    """
    live = tuple(grant for grant in floor.live if grant.event.epoch != event.epoch)
    is_open = live or floor.answers or floor.revoked
    asked = floor.asked if is_open else 0
    return floor._replace(live=live, asked=asked, again=(*floor.again, event.bot))
