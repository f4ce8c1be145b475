"""What the world decides, taken into a commit: its events, and what the engine does first.

A channel that closes and a member that leaves have their live grants revoked before it
is so. What is the engine's alone to say, a world may not.
"""

from __future__ import annotations

from orchestrator.draft import Draft
from orchestrator.state import Grant
from utils.protocol import ChannelClosed, ChannelOpened, Ended, Event, MemberLeft, Revoked
from worlds.seam import WORLDLY, Cause


def tell_world(draft: Draft, *causes: Cause) -> None:
    """Let the world decide what follows from these causes, and emit it.

    Raises:
        ValueError: The world decided on what it may not: the run cannot be led by it.
    """
    rules = draft.rules
    for event in rules.world.decide(draft.state.world, causes, draft.now, rules.chance):
        if draft.state.phase in ("ended", "closed"):
            return
        _emit(draft, event)


def end(draft: Draft, reason: str, *, detail: str = "") -> None:
    """End the run: revoke what is live, and grant no more."""
    if draft.state.phase in ("gathering", "running"):
        revoke(draft, draft.state.live(), "ended")
        draft.emit(Ended.model_validate({"reason": reason, "detail": detail}))


def revoke(draft: Draft, grants: list[Grant], reason: str) -> None:
    """Revoke grants of turns that will not be closed."""
    for grant in grants:
        draft.emit(revoked(grant, reason))


def revoked(grant: Grant, reason: str, *, detail: str = "", call: str | None = None) -> Revoked:
    """Make the event that closes a grant without an answer."""
    return Revoked.model_validate(
        {
            "channel": grant.event.channel,
            "turn": grant.event.turn,
            "bot": grant.event.bot,
            "epoch": grant.event.epoch,
            "call_sha256": call,
            "reason": reason,
            "detail": detail,
        }
    )


def _emit(draft: Draft, event: Event) -> None:
    if not isinstance(event, WORLDLY):
        raise ValueError(f"a world does not decide on '{event.kind}'")
    if isinstance(event, Ended):
        end(draft, "world", detail=event.detail)
        return
    if isinstance(event, ChannelOpened):
        _check_opened(draft, event)
    elif isinstance(event, ChannelClosed):
        revoke(draft, list(draft.floor(event.channel).live), "channel_closed")
    elif isinstance(event, MemberLeft):
        live = draft.floor(event.channel).live
        revoke(draft, [one for one in live if one.event.bot == event.bot], "left")
    draft.emit(event)


def _check_opened(draft: Draft, event: ChannelOpened) -> None:
    if event.channel in draft.state.floors:
        raise ValueError(f"the channel '{event.channel}' is open already")
    if event.policy not in draft.rules.policies:
        raise ValueError(f"there is no policy '{event.policy}'")
