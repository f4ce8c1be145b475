"""Rules that come with Parley. Each is a function from a request to an action."""

from __future__ import annotations

import re

from bots.minds.seam import Request
from utils.protocol import Act, Action, AskAct, Pass, Say

_SPOKEN = re.compile(
    r"(?:\[[^\]\n]{1,64}\] )?(?:\((?:opening|announcement)\)|[^\s:][^:\n]{0,63}:) (?P<text>\S.*)"
)
"""A line as it stands in a prompt: `Name: text`, in front of it perhaps its channel."""


def echo(request: Request) -> Action:
    r"""Say again what was said last; asked for an action, do the first legal one.

    Example:
        >>> from utils.calls import ChatMessage
        >>> from utils.protocol import AskSay
        >>> heard = ChatMessage(role="user", content="Bo: What is a town for?\n\nSpeak.")
        >>> ask = AskSay(max_chars=80)
        >>> echo(Request("ada", "main", 2, 0, ask, (heard,), {}, seed=7, allow_ms=50))
        Say(kind='say', text='What is a town for?')
    """
    if isinstance(request.ask, AskAct):
        return first_legal(request.ask)
    for message in reversed(request.messages):
        for line in reversed(message.content.splitlines() if message.role == "user" else []):
            spoken = _SPOKEN.fullmatch(line)
            if spoken:
                return Say(text=spoken["text"][: request.ask.max_chars].rstrip())
    return Pass(why="nothing was said")


def silent(request: Request) -> Action:
    """Say nothing, whatever is asked."""
    return Pass(why="silent by rule")


def first_legal(ask: AskAct) -> Act | Pass:
    """Do the first thing that is legal, as the ask lists it; pass where it lists none."""
    return Act(name=ask.name, args=ask.legal[0]) if ask.legal else Pass(why="nothing is legal")
