"""What a scenario waits for in what is measured, and what it has its run told then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from utils.names import Name
from utils.protocol import COMMAND, Command, Frozen, Text

Comparison = Literal["is", "at_least", "at_most"]
_BEYOND: Mapping[Comparison, str] = {"is": "", "at_least": " or more", "at_most": " or less"}

Verb = Literal["inject", "whisper", "mute", "unmute", "kick", "add", "mark", "pause", "stop"]
TOLD: Mapping[Verb, tuple[str, ...]] = {
    "inject": ("channel", "text"),
    "whisper": ("channel", "bot", "text"),
    "mute": ("bot",),
    "unmute": ("bot",),
    "kick": ("channel", "bot"),
    "add": ("channel", "bot"),
    "mark": ("text",),
    "pause": (),
    "stop": ("text",),
}
"""Verb to what it is told with."""


class Reached(Frozen):
    """What is measured has reached a value: is just that, or at least, or at most.

    Example:
        >>> low = Reached(measure="distinct_2_last_20", value=0.5, how="at_most")
        >>> low.holds(0.25), low.holds(None), low.bound
        (True, False, '0.5 or less')
    """

    measure: Name
    value: Annotated[float, Field(allow_inf_nan=False)]
    how: Comparison = "is"

    def holds(self, measured: float | None) -> bool:
        """Whether it is reached; not while nothing is measured yet."""
        if measured is None:
            return False
        if self.how == "is":
            return measured == self.value
        return measured >= self.value if self.how == "at_least" else measured <= self.value

    @property
    def bound(self) -> str:
        """The value at which it is reached, in words."""
        return f"{self.value:g}{_BEYOND[self.how]}"


class Telling(Frozen):
    """A command of `parley tell` that the scenario gives: `TOLD` says what goes with a verb."""

    verb: Verb
    channel: Name | None = None
    bot: Name | None = None
    text: Text = ""

    @model_validator(mode="after")
    def _has_what_it_is_told_with(self) -> Self:
        given = {name for name in ("channel", "bot", "text") if getattr(self, name)}
        needed = set(TOLD[self.verb])
        if given != needed and not (self.verb == "stop" and not given):
            raise ValueError(f"'{self.verb}' takes {' and '.join(TOLD[self.verb]) or 'nothing'}")
        return self

    def command(self, *, author: str, nonce: str) -> Command:
        """Make the command, as a person would have sent it."""
        said = {name: getattr(self, name) for name in TOLD[self.verb]}
        if self.verb == "stop":
            said = {"why": self.text[:500]}
        written = {"kind": self.verb, "author": author, "nonce": nonce, **said}
        return COMMAND.validate_python(written)


class When(Reached):
    """Tell the run something when what is measured comes to a value it did not have before.

    Whenever it does, but no more than so many times in the run.
    """

    do: Telling
    times: int = Field(default=1, ge=1, le=1_000_000)
