"""What a bot may do in a step: as a schema, in words, and read from its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydantic import JsonValue

from utils.protocol import Act, Action
from worlds.grid.state import WAYS, Intent

DO = "act"
"""The action a body is asked for."""

JUDGE = "judge"
"""The action the judge is asked for."""

SCORE_SCHEMA: JsonValue = {
    "type": "object",
    "properties": {"score": {"type": "number", "minimum": 0, "maximum": 1}},
    "required": ["score"],
    "additionalProperties": False,
}


def act(do: str, **how: str) -> Act:
    """Write an answer of a body.

    Example:
        >>> act("move", way="n").args
        {'do': 'move', 'way': 'n'}
    """
    return Act(name=DO, args={"do": do, **how})


def schema(
    *,
    ways: Sequence[str],
    can_take: bool,
    can_eat: bool,
    givable: Sequence[str],
    max_chars: int,
) -> JsonValue:
    """Write the JSON schema of one action, with just what could be done now.

    Args:
        ways: Where the body could walk.
        givable: Whom it could give a berry.
    """
    said: JsonValue = {"type": "string", "minLength": 1, "maxLength": max_chars}
    shapes: list[JsonValue] = [_shape("wait"), _shape("say", text=said)]
    if ways:
        shapes.append(_shape("move", way={"enum": [*ways]}))
    if can_take:
        shapes.append(_shape("take"))
    if can_eat:
        shapes.append(_shape("eat"))
    if givable:
        shapes.append(_shape("give", to={"enum": [*givable]}))
    return {"anyOf": shapes}


def intent_of(action: Action, *, max_chars: int) -> Intent:
    """Read what a bot means to do. What makes no sense is waiting, with the reason.

    Whether it can be done is seen in the step: the land may have changed by then.

    Example:
        >>> intent_of(act("move", way="n"), max_chars=80)
        ... # doctest: +NORMALIZE_WHITESPACE
        Intent(do='move', way='n', to='', text='', why='', late=0, epoch=None,
               call_sha256=None)
        >>> intent_of(act("fly"), max_chars=80).why
        'no such action'
    """
    if not isinstance(action, Act):
        return Intent(do="wait")
    given = action.args
    do = given.get("do") if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(do, str) or do not in _READ:
        return Intent(do="wait", why="no such action")
    return _READ[do](given, max_chars)


def score_of(action: Action | None) -> float | None:
    """Read the judge's score, in [0, 1]; none when it is none."""
    given = action.args if isinstance(action, Act) else None
    score = given.get("score") if isinstance(given, dict) else None
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        return None
    return float(score)


def _shape(do: str, **more: JsonValue) -> JsonValue:
    return {
        "type": "object",
        "properties": {"do": {"const": do}, **more},
        "required": ["do", *more],
        "additionalProperties": False,
    }


def _move(given: Mapping[str, JsonValue], max_chars: int) -> Intent:
    way = given.get("way")
    if not isinstance(way, str) or way not in WAYS:
        return Intent(do="wait", why="no such way")
    return Intent(do="move", way=way)


def _give(given: Mapping[str, JsonValue], max_chars: int) -> Intent:
    to = given.get("to")
    name = to.strip().casefold() if isinstance(to, str) else ""
    return Intent(do="give", to=name) if name else Intent(do="wait", why="to nobody")


def _say(given: Mapping[str, JsonValue], max_chars: int) -> Intent:
    said = given.get("text")
    text = said.strip() if isinstance(said, str) else ""
    if not text or "\x00" in text:
        return Intent(do="wait", why="nothing said")
    return Intent(do="say", text=text) if len(text) <= max_chars else Intent("wait", why="too long")


_READ: dict[str, Callable[[Mapping[str, JsonValue], int], Intent]] = {
    "move": _move,
    "take": lambda given, max_chars: Intent(do="take"),
    "eat": lambda given, max_chars: Intent(do="eat"),
    "give": _give,
    "say": _say,
    "wait": lambda given, max_chars: Intent(do="wait"),
}
