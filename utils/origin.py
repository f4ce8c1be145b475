"""What a fork stands on, as its scenario says it: the parent, the place, the changes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from utils.names import Name
from utils.protocol import Count, Frozen, Heard, Sha256


class Change(Frozen):
    """One change of a fork, as it was asked for: `bot.ada.persona.style`, say, and its value."""

    key: Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=r"^[^\x00]*$")]
    value: JsonValue

    @property
    def is_edit(self) -> bool:
        """Whether it is of what was heard, and not of the scenario."""
        return self.key.partition(".")[0] in ("heard", "inject")


class Edit(Frozen):
    """A change of what was heard: a message taken back, one heard in its place, or both.

    `unheard` is the id of the message that is taken back; `last_speaker` and `addressee`
    are then those of the channel's last message without it. `heard` is heard as it
    stands, but for its id.
    """

    verb: Literal["inject", "reword", "unhear"]
    channel: Name
    unheard: str | None = None
    last_speaker: Name | None = None
    addressee: Name | None = None
    heard: Heard | None = None


class Origin(Frozen):
    """What a fork stands on: its parent's journal up to a commit, and the parent's spec.

    Attributes:
        run: The parent's id.
        seq, sha256: The parent's last commit that is the fork's too.
        spec: The parent's spec, exactly as it was stored.
        changes: What was asked for; nothing for a control.
        edits: What these make of what was heard.
        replicate: Which of several forks of the same changes this is, from 1.
    """

    run: Name
    seq: Count = Field(ge=1)
    sha256: Sha256
    spec: str
    changes: Annotated[tuple[Change, ...], Field(max_length=100)] = ()
    edits: Annotated[tuple[Edit, ...], Field(max_length=100)] = ()
    replicate: Count = Field(default=1, ge=1)
