"""A fork's first own commit: it names its parent, takes back what was granted, and changes. Pure.

What is changed in the scenario is changed already: from this commit on the new one holds.
Here is what must be an event, because the journal before it says otherwise.
"""

from __future__ import annotations

from pydantic import JsonValue

from orchestrator.draft import Draft
from orchestrator.recovery import unseated
from orchestrator.world import revoke
from utils.origin import Change, Edit, Origin
from utils.protocol import Branched, ChannelChanged, Forked, Intervened, Unheard

AUTHOR = "fork"
"""Who is noted for what a fork changes: nobody came in from outside while the run went on."""


def branch(draft: Draft, notice: Branched) -> None:
    """Make the commit that follows the parent's last one."""
    origin, before = draft.rules.spec.origin, draft.state
    if origin is None or before.seq != origin.seq:
        return
    since_ms = before.at_ms if before.paused_at_ms is None else before.paused_at_ms
    draft.emit(
        Forked(
            run=notice.run,
            parent=origin.run,
            parent_seq=before.seq,
            parent_sha256=before.sha256,
            spec_sha256=notice.spec_sha256,
            seed=draft.rules.spec.seed,
            replicate=origin.replicate,
            changes=[change.model_dump(mode="json") for change in origin.changes],
            paused_ms=draft.at_ms - since_ms,
        )
    )
    revoke(draft, draft.state.live(), "forked")
    for bot, seat in draft.state.seats.items():
        if seat.host:
            draft.emit(unseated(bot, seat, "forked"))
    _change(draft, origin)


def _change(draft: Draft, origin: Origin) -> None:
    """Note every change, and do those that are events: of channels, and of what was heard."""
    for change in origin.changes:
        if not change.is_edit:
            _note(draft, change)
    for channel in draft.rules.spec.channels:
        floor = draft.state.floors.get(channel.name)
        if floor and (floor.hears, floor.policy) != (channel.hears, channel.policy):
            draft.emit(
                ChannelChanged(channel=channel.name, hears=channel.hears, policy=channel.policy)
            )
    for edit in origin.edits:
        _edit(draft, edit)


def _note(draft: Draft, change: Change) -> None:
    args = change.model_dump(mode="json")
    draft.emit(Intervened(author=AUTHOR, verb="change", args=args))


def _edit(draft: Draft, edit: Edit) -> None:
    text = edit.heard.text if edit.heard else ""
    args: JsonValue = {"unheard": edit.unheard} if edit.unheard else None
    told = Intervened(author=AUTHOR, verb=edit.verb, channel=edit.channel, text=text, args=args)
    if edit.unheard:
        draft.emit(
            Unheard(
                channel=edit.channel,
                message_id=edit.unheard,
                last_speaker=edit.last_speaker,
                addressee=edit.addressee,
            )
        )
    draft.emit(told)
    if edit.heard:
        draft.emit(edit.heard)
