"""The salon: plain talk. Whoever holds the floor says something, and it is heard."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from utils.protocol import (
    Ask,
    AskSay,
    ChannelChanged,
    ChannelClosed,
    ChannelOpened,
    Event,
    Heard,
    MemberJoined,
    MemberLeft,
    Say,
)
from utils.seeds import Chance
from utils.spec import ChannelSpec, Spec
from worlds.audience import audience
from worlds.seam import Answered, Began, Cause, World, WorldTime
from worlds.settings import NoSettings, read

_WORD = re.compile(r"\w+(?:-\w+)*")

MAX_NAME_WORDS = 8
"""Words in a name that is looked for in a text; a display name has 40 characters."""


@dataclass(frozen=True, slots=True)
class SalonState:
    """What the salon needs to know: who is where, and by what name one is addressed."""

    opens: tuple[ChannelSpec, ...]
    max_chars: int
    names: Mapping[str, str]
    channels: Mapping[str, ChannelOpened] = field(default_factory=dict)


class Salon(World[SalonState]):
    """Talk in channels, with nothing to do but say."""

    def initial(self, spec: Spec) -> SalonState:
        """Start with no channel open."""
        read(spec, NoSettings)
        return SalonState(opens=spec.channels, max_chars=spec.floor.max_chars, names=_names(spec))

    def forked(self, state: SalonState, spec: Spec) -> SalonState:
        """Let bots go by the names the new scenario shows them by."""
        return replace(
            state, opens=spec.channels, max_chars=spec.floor.max_chars, names=_names(spec)
        )

    def evolve(self, state: SalonState, event: Event) -> SalonState:
        """Keep track of channels and their members."""
        match event:
            case ChannelOpened():
                return _with(state, event)
            case ChannelChanged():
                opened = state.channels[event.channel]
                return _with(state, opened.model_copy(update={"hears": event.hears}))
            case ChannelClosed():
                kept = {name: at for name, at in state.channels.items() if name != event.channel}
                return replace(state, channels=kept)
            case MemberJoined():
                members = (*state.channels[event.channel].members, event.bot)
            case MemberLeft():
                before = state.channels[event.channel].members
                members = tuple(member for member in before if member != event.bot)
            case _:
                return state
        opened = state.channels[event.channel]
        return _with(state, opened.model_copy(update={"members": members}))

    def decide(
        self, state: SalonState, causes: Sequence[Cause], now: WorldTime, chance: Chance
    ) -> list[Event]:
        """Open the channels at the beginning; let what is said be heard."""
        events: list[Event] = []
        for cause in causes:
            if isinstance(cause, Began):
                events += _open(state.opens)
            elif isinstance(cause, Answered):
                events += _hear(state, cause)
        return events

    def ask(self, state: SalonState, bot: str, channel: str) -> Ask:
        """Ask for words, and nothing else."""
        return AskSay(max_chars=state.max_chars)

    def view(self, state: SalonState, bot: str | None) -> JsonValue:
        """Show the channels a bot is in, or all of them."""
        return {
            name: list(opened.members)
            for name, opened in state.channels.items()
            if bot is None or bot in opened.members
        }


def addressee(text: str, names: Mapping[str, str]) -> str | None:
    """Find who is addressed: the bot named first in a text, whatever the case.

    Args:
        text: What was said.
        names: Names as `spelled` writes them, to the bots that go by them. The speaker
            is left out by the caller.

    Example:
        >>> addressee("I agree with Old Tom. Ada?", {"ada": "ada", "old tom": "tom"})
        'tom'
    """
    words = spelled(text).split(" ")
    for start in range(len(words)):
        for length in range(min(MAX_NAME_WORDS, len(words) - start), 0, -1):
            bot = names.get(" ".join(words[start : start + length]))
            if bot is not None:
                return bot
    return None


def spelled(text: str) -> str:
    """Write a text as its words alone, with one space between, whatever the case.

    A hyphen inside a word belongs to it, as to `bot-7`; an apostrophe ends one.

    Example:
        >>> spelled("J. R. Smith's -- bot-7")
        'j r smith s bot-7'
    """
    text = unicodedata.normalize("NFC", text.casefold())
    if not text.isascii():  # a mark belongs to the letter under it, which `\\w` does not know
        text = "".join("_" if unicodedata.category(one)[0] == "M" else one for one in text)
    return " ".join(_WORD.findall(text))


def _with(state: SalonState, opened: ChannelOpened) -> SalonState:
    return replace(state, channels={**state.channels, opened.channel: opened})


def _names(spec: Spec) -> dict[str, str]:
    """Map every name a bot goes by, as `spelled` writes it, to the bot."""
    shown = {spelled(display): bot for bot, display in spec.displays().items()}
    return {**shown, **{spelled(bot.name): bot.name for bot in spec.bots}}


def _open(channels: Sequence[ChannelSpec]) -> list[Event]:
    events: list[Event] = []
    for channel in channels:
        events.append(
            ChannelOpened(
                channel=channel.name,
                members=channel.members,
                hears=channel.hears,
                policy=channel.policy,
                turns=channel.turns,
            )
        )
        if channel.opening:
            events.append(
                Heard(
                    channel=channel.name,
                    turn=0,
                    round=0,
                    speaker=None,
                    audience="all",
                    text=channel.opening,
                )
            )
    return events


def _hear(state: SalonState, cause: Answered) -> list[Event]:
    opened = state.channels[cause.channel]
    events: list[Event] = []
    for answer in cause.answers:
        if not isinstance(answer.action, Say):
            continue
        names = {
            name: bot
            for name, bot in state.names.items()
            if bot != answer.bot and bot in opened.members
        }
        ring = opened.members  # and whoever left while its answer was sealed, at its end
        ring = ring if answer.bot in ring else (*ring, answer.bot)
        events.append(
            Heard(
                channel=cause.channel,
                turn=cause.turn,
                round=cause.round,
                speaker=answer.bot,
                audience=audience(opened.hears, ring, answer.bot),
                addressee=addressee(answer.action.text, names),
                text=answer.action.text,
                epoch=answer.epoch,
                call_sha256=answer.call_sha256,
            )
        )
    return events
