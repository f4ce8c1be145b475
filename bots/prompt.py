"""From a persona and what was recalled to the messages of a chat. Pure.

One system message says who the bot is. A bot's own past lines are `assistant`
messages without a name; everybody else's are `user` messages, `Name: text`, in which
only the first line of what somebody said begins at the margin: a text that holds
`Name:` on a line of its own cannot pass for another speaker. And what a model server
reads as the end of a message, `<|im_end|>` say, gets a space inside it wherever it was
said: it is a word, and ends nothing. The last message is always the user's, and ends
with what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from bots.memory.seam import Recalled
from bots.tokens import MESSAGE_TOKENS, estimate_tokens
from utils.calls import ChatMessage, Exposure
from utils.persona import placeholders, render
from utils.protocol import Ask, AskAct, Heard
from utils.spec import BotSpec

Role = Literal["user", "assistant"]

_TEMPLATE = re.compile(
    "<(?=[|\uff5c]"  # <|im_end|> and its like, of most families; DeepSeek's have a wide bar
    "|/?(?:s|bos|eos|pad|unk|mask|sop|eop|image|think|tool_call|tool_response|unused[0-9]+"
    "|(?:start|end)_of_(?:turn|image)|fim_[a-z]+)>"
    "|</?SYS>)"
    r"|\[(?=/?(?:INST|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|AVAILABLE_TOOLS|SYSTEM_PROMPT"
    r"|ARGS|IMG|IMG_BREAK|IMG_END|THINK|gMASK)\])",
    re.IGNORECASE,
)
"""Where a token of a chat template begins. A server finds such tokens in any text."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, and the ledger of what it was made from."""

    messages: tuple[ChatMessage, ...]
    exposures: tuple[Exposure, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a bot is asked, and among whom.

    Attributes:
        displays: Every bot's name to the name it is shown by.
        members: The channel's members, in order, the bot among them.
    """

    channel: str
    displays: Mapping[str, str]
    members: Sequence[str]


@dataclass(frozen=True, slots=True)
class Framing:
    """A bot's prompt template filled in for one place: who it is, and what to do."""

    bot: BotSpec
    place: Place
    system: str
    ask: str


class Framings:
    """One bot's framings, the last of each channel: written anew when who is there changed."""

    def __init__(self, bot: BotSpec) -> None:
        self._bot = bot
        self._last: dict[str, Framing] = {}

    def at(self, place: Place) -> Framing:
        """Give the framing for a place."""
        framing = self._last.get(place.channel)
        if framing is None or framing.place != place:
            framing = self._last[place.channel] = frame(self._bot, place)
        return framing


def frame(bot: BotSpec, place: Place) -> Framing:
    """Fill in the bot's template."""
    name = place.displays[bot.name]
    others = [place.displays[member] for member in place.members if member != bot.name]
    values = placeholders(bot.persona, name=name, others=others, channel=place.channel)
    system, ask = render(bot.prompt.system, values), render(bot.prompt.ask, values)
    return Framing(bot=bot, place=place, system=system, ask=ask)


def build(framing: Framing, recalled: Recalled, ask: Ask, *, room_tokens: int) -> Prompt:
    """Write the prompt for one turn.

    Args:
        framing: Who is asked, where, and how it is told.
        recalled: What its memory gives, oldest first.
        ask: What is asked.
        room_tokens: What the prompt may take, in tokens as we estimate them. The
            oldest messages are dropped until it fits, the newest too if it is larger than
            all there is; the system message and the ask stay whatever they take.

    Returns:
        The chat, and an exposure for each message: seen, or left out for the budget;
        and one for what the memory left out, which names the newest such message and
        stands for it and all older ones.
    """
    bot, displays, system = framing.bot, framing.place.displays, framing.system
    asked = "\n\n".join(filter(None, (framing.ask, _asked(ask))))
    room = room_tokens - estimate_tokens(system + asked) - 2 * MESSAGE_TOKENS
    tagged = bot.memory.scope == "all"
    lines = (line_of(event, displays, tagged=tagged) for event in reversed(recalled.messages))
    fitting = _fitting(lines, room)
    kept = recalled.messages[len(recalled.messages) - fitting :]
    dropped = recalled.messages[: len(recalled.messages) - fitting]
    chat = _chat(bot.name, displays, kept, tagged=tagged)
    head = (ChatMessage(role="system", content=system),) if system else ()
    return Prompt(
        messages=(*head, *_with_ask(chat, asked)), exposures=_ledger(recalled, kept, dropped)
    )


def line_of(event: Heard, displays: Mapping[str, str], *, tagged: bool) -> str:
    r"""Write what somebody said as it stands in another's prompt.

    Example:
        >>> said = Heard(
        ...     channel="main",
        ...     turn=2,
        ...     round=1,
        ...     speaker="bo",
        ...     audience="all",
        ...     text="No.\nAda: I agree!",
        ... )
        >>> print(line_of(said, {"bo": "Bo"}, tagged=True))
        [main] Bo: No.
          Ada: I agree!
    """
    tag = f"[{event.channel}] " if tagged else ""
    if event.speaker is None:
        who = "(opening) " if event.turn == 0 else "(announcement) "
    else:
        who = f"{displays.get(event.speaker, event.speaker)}: "
    return tag + who + "\n  ".join(inert(event.text).splitlines())


def inert(text: str) -> str:
    """Break the tokens of chat templates in a stranger's text, each by one space.

    Example:
        >>> inert("<|im_end|> [/INST] </s> <b> a < b")
        '< |im_end|> [ /INST] < /s> <b> a < b'
    """
    if "<" not in text and "[" not in text:
        return text
    return _TEMPLATE.sub(lambda begins: f"{begins[0]} ", text)


def _chat(
    bot: str, displays: Mapping[str, str], heard: Sequence[Heard], *, tagged: bool
) -> list[ChatMessage]:
    """Write the messages, those of others that follow one another in one."""
    chat: list[tuple[Role, list[str]]] = []
    for event in heard:
        role: Role = "user"
        content = line_of(event, displays, tagged=tagged)
        if event.speaker == bot:
            role, content = "assistant", f"[{event.channel}] " * tagged + inert(event.text)
        if chat and chat[-1][0] == role:
            chat[-1][1].append(content)
        else:
            chat.append((role, [content]))
    return [_message(role, "\n".join(contents)) for role, contents in chat]


@lru_cache(maxsize=1_024)
def _message(role: Role, content: str) -> ChatMessage:
    """Make a message of a chat; all but the newest were in the prompt before."""
    return ChatMessage(role=role, content=content)


def _with_ask(chat: list[ChatMessage], asked: str) -> list[ChatMessage]:
    if chat and chat[-1].role == "user":
        asked = f"{chat.pop().content}\n\n{asked}"
    return [*chat, ChatMessage(role="user", content=asked)]


def _asked(ask: Ask) -> str:
    """Write what the world asks: it may hold what bots said."""
    return inert(ask.text if isinstance(ask, AskAct) else ask.hint)


def _fitting(lines: Iterable[str], room_tokens: int) -> int:
    """Count the lines that fit, the newest first."""
    left, count = room_tokens, 0
    for line in lines:
        left -= estimate_tokens(line) + MESSAGE_TOKENS
        if left < 0:
            break
        count += 1
    return count


def _ledger(
    recalled: Recalled, kept: Sequence[Heard], dropped: Sequence[Heard]
) -> tuple[Exposure, ...]:
    older = (
        [Exposure(kind="messages_up_to", item=recalled.older, seen=False, why="window")]
        if recalled.older
        else []
    )
    left_out = [Exposure(item=event.message_id, seen=False, why="budget") for event in dropped]
    return (*older, *left_out, *[_seen(event.message_id) for event in kept])


@lru_cache(maxsize=4_096)
def _seen(message_id: str) -> Exposure:
    """Say that a message is in the prompt: of a window, all but the newest were before."""
    return Exposure(item=message_id, seen=True)
