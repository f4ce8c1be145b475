"""What a fork changes of what was heard: the last message, or one more."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from parley.forks.changes import KINDS, WHERE
from parley.forks.point import ForkPoint, Room
from utils.errors import BadInput
from utils.names import look_up
from utils.origin import Change, Edit
from utils.protocol import Heard
from utils.spec import Spec
from worlds.salon.rules import Salon, addressee


def edits_of(
    spec: Spec, changes: Iterable[Change], point: ForkPoint, channel: str | None
) -> tuple[Edit, ...]:
    """Tell what changes make of what was heard by a fork point.

    Args:
        spec: The fork's scenario.
        channel: The channel that `--at` names, if it names one.

    Raises:
        BadInput: Nothing was heard there, the channel is not open, or nothing changes.
    """
    return tuple(_edit(spec, change, point, channel) for change in changes if change.is_edit)


def _edit(spec: Spec, change: Change, point: ForkPoint, channel: str | None) -> Edit:
    kind, *rest = change.key.split(".")
    where, text = f"{WHERE} {change.key}", str(change.value)
    is_text = kind == "heard" and rest[-1:] == ["text"]
    named = rest[:-1] if is_text else rest
    if len(named) > 1 or (kind == "heard" and not is_text and text != "delete"):
        raise BadInput("it names nothing", where=where, mend=f"write {KINDS[kind]}")
    if kind == "heard" and spec.world.name != "salon":
        what = f"the world '{spec.world.name}' goes by what was done, not by what was heard"
        raise BadInput(what, where=where, mend="use inject, or a scenario of the salon")
    if (kind == "inject" or is_text) and not text.strip():
        raise BadInput("nothing is said", where=where, mend="use heard=delete to take words back")
    name = named[0] if named else channel or _meant(point, where, is_heard=kind == "heard")
    room = look_up(name, dict(point.rooms), "open channel", where)
    try:
        if kind == "inject":
            return Edit(verb="inject", channel=name, heard=_announced(room, name, text))
        return _of_last(spec, room, name, text if is_text else None, where)
    except ValidationError as error:
        raise BadInput("it is too long, or no text", where=where) from error


def _meant(point: ForkPoint, where: str, *, is_heard: bool) -> str:
    """Choose the channel that no word names: the only one, or where something was heard last."""
    rooms = [name for name, room in point.rooms.items() if room.heard or not is_heard]
    if is_heard and rooms:
        return max(rooms, key=lambda name: _order(point.rooms[name].heard[-1]))
    if len(rooms) == 1:
        return rooms[0]
    if not rooms:
        raise BadInput(f"nothing was heard by commit {point.seq}", where=where)
    some = ", ".join(rooms[:8])
    raise BadInput("which channel?", where=where, mend=f"write inject.CHANNEL; there is {some}")


def _order(heard: Heard) -> tuple[int, int]:
    seq, _, place = heard.message_id.partition(".")
    return int(seq), int(place or 0)


def _announced(room: Room, channel: str, text: str) -> Heard:
    return Heard(
        channel=channel,
        turn=room.turn,
        round=room.round,
        speaker=None,
        audience="all",
        text=text,
    )


def _of_last(spec: Spec, room: Room, channel: str, text: str | None, where: str) -> Edit:
    """Take back the last message of a channel, and have another heard in its place if any."""
    if not room.heard:
        raise BadInput(f"nothing was heard in {channel} so far", where=where)
    last = room.heard[-1]
    if last.text == text:
        raise BadInput("it is so already", where=where, mend="leave it out")
    speaker, addressed = room.last_without(last.message_id)
    if last.speaker is None:
        speaker, addressed = room.last_without("")
    heard = None
    if text is not None:
        heard = Heard.model_validate(
            last.model_dump()
            | {"message_id": "", "text": text, "epoch": None, "call_sha256": None}
            | {"addressee": _addressee(spec, room, last.speaker, text)}
        )
    return Edit(
        verb="unhear" if heard is None else "reword",
        channel=channel,
        unheard=last.message_id,
        last_speaker=speaker,
        addressee=addressed,
        heard=heard,
    )


def _addressee(spec: Spec, room: Room, speaker: str | None, text: str) -> str | None:
    """Find whom the words name, as the salon does."""
    if speaker is None:
        return None
    names = Salon().initial(spec).names
    others = {word: bot for word, bot in names.items() if bot != speaker and bot in room.members}
    return addressee(text, others)
