"""From a model's text to what is said. Pure.

A model is a stranger: it thinks aloud, prefixes its name, and goes on with what others
might say. Each such thing is cut by a rule, in this order, and what was cut is kept:

| rule | what |
|---|---|
| `think` | `<think>...</think>`; all up to a bare `</think>`; all from an unclosed `<think>` |
| `unsayable` | characters that are no text: NUL, halves of a character |
| `own_name` | the speaker's own `Name:` at the beginning |
| `for_others` | all from the first line that begins with another's name and a colon |
| `too_long` | all beyond the longest that may be said |
| `space` | white space at both ends |
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pydantic import JsonValue

from utils.errors import MindFailed
from utils.protocol import MAX_TEXT_CHARS, Act, AskAct

_TAG = re.compile(r"<(/?)think>", re.IGNORECASE)
_UNSAYABLE = re.compile(r"[\x00\ud800-\udfff]")
_MARGIN = r"[\s\u200b-\u200f\u2060\ufeff]*+(?:\[[^\]\n]{1,64}\]\s*+)?[*_]{0,3}"
"""What may stand before a name: space, seen or not, its channel's tag, emphasis. All
repeats here are possessive: a megabyte of blanks must not take longer than a megabyte."""
_COLON = r"[*_]{0,3}\s*+[:\uff1a\u02d0\u0589\u05c3\u2236\ua789][*_]{0,3}"
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]+"
)
"""What nobody sees of a name, so that it hides none."""
_HEAD_CHARACTERS = 400
"""How far into a line a name in front of it may reach: tag, emphasis and name."""
_FENCE = "```"


@dataclass(frozen=True, slots=True)
class Spoken:
    r"""What is said of a text, and what is not.

    Attributes:
        text: May be empty: then nothing is said.
        thinking: What stood between think tags.
        cuts: Rule and cut text, in the order they were cut. Together with `text` they
            hold every character of the model's text; halves of characters as `\udc80`.
    """

    text: str
    thinking: str = ""
    cuts: tuple[tuple[str, str], ...] = ()


def said(text: str, *, display: str, others: Sequence[str], max_chars: int) -> Spoken:
    r"""Find what a bot says in what its model answered.

    Args:
        text: The answer, as it came.
        display: The name the bot is shown by.
        others: The names that the others in the channel are shown by.
        max_chars: How much may be said, characters; 0 for any length.

    Example:
        >>> said("<think>Hm.</think>Ada: Yes.\nBo: No!", display="Ada", others=["Bo"], max_chars=80)
        ... # doctest: +NORMALIZE_WHITESPACE
        Spoken(text='Yes.', thinking='Hm.',
               cuts=(('think', '<think>Hm.</think>'), ('own_name', 'Ada: '),
                     ('for_others', 'Bo: No!'), ('space', '\n')))
    """
    text, thoughts = _without_thoughts(text)
    cuts = [("think", thought) for thought in thoughts]
    unsayable = "".join(_UNSAYABLE.findall(text))
    text = _UNSAYABLE.sub("", text)
    own = _own_name(display).match(text)
    begin = own.end() if own and display else 0
    other = _first_line_of(tuple(others), text[begin:])
    end = len(text) if other is None else begin + other
    kept = text[begin:end]
    bare = kept.strip()
    left = kept[: len(kept) - len(kept.lstrip())]
    right = kept[len(left) + len(bare) :]
    limit = max_chars or len(bare)
    spoken = bare[:limit].rstrip()
    cuts += [
        ("unsayable", unsayable),
        ("own_name", text[:begin]),
        ("for_others", text[end:]),
        ("too_long", bare[limit:]),
        ("space", left),
        ("space", bare[len(spoken) : limit] + right),
    ]
    return Spoken(
        text=spoken,
        thinking="\n".join(filter(None, (_TAG.sub("", one).strip() for one in thoughts))),
        cuts=tuple((rule, _printable(cut)) for rule, cut in cuts if cut),
    )


def act_in(text: str, ask: AskAct) -> Act:
    r"""Read an answer as the action that was asked: as JSON, and nothing is executed.

    Args:
        text: What `said` left. JSON alone, or in a fence as models like to write it.
        ask: Names the action. Its schema is not looked at here: the world judges.

    Raises:
        MindFailed: It is no JSON, or more of it than an action may be.

    Example:
        >>> ask = AskAct(name="name", text="Name it.", answer_schema={"enum": ["F", "J"]})
        >>> act_in('```json\n"F"\n```', ask)
        Act(kind='act', name='name', args='F')
    """
    if not text:
        raise MindFailed("protocol", "the answer is empty, where an action was asked")
    if len(text) > MAX_TEXT_CHARS:
        raise MindFailed(
            "protocol", f"the action is over {MAX_TEXT_CHARS} characters", partial=text
        )
    for spelled in (text, _fenced(text)):
        try:
            args: JsonValue = json.loads(spelled, parse_float=_finite, parse_constant=_finite)
            written = Act(name=ask.name, args=args).model_dump_json()
            return Act.model_validate_json(written)  # what cannot be written is no action
        except (ValueError, RecursionError):
            continue
    raise MindFailed("protocol", "the action is not JSON", partial=text)


def _fenced(text: str) -> str:
    """Give what stands between the first fence and the last, without its language."""
    start, end = text.find(_FENCE), text.rfind(_FENCE)
    inside = text[start + len(_FENCE) : end] if start >= 0 else ""
    return inside.removeprefix("json")


def _without_thoughts(text: str) -> tuple[str, list[str]]:
    """Split a text into what is meant to be heard, and thoughts with their tags."""
    kept, thoughts, done, opened = "", [], 0, -1
    for tag in _TAG.finditer(text):
        if not tag[1]:
            if opened < 0:
                kept += text[done : tag.start()]
                opened = tag.start()
        elif opened >= 0:
            thoughts.append(text[opened : tag.end()])
            done, opened = tag.end(), -1
        else:  # the opening tag was swallowed: all before was thought
            thoughts.append(kept + text[done : tag.end()])
            kept, done = "", tag.end()
    if opened >= 0:
        return kept, [*thoughts, text[opened:]]
    return kept + text[done:], thoughts


@lru_cache(maxsize=512)
def _own_name(display: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{_MARGIN}{re.escape(display)}{_COLON}\s*+)+", re.IGNORECASE)


@lru_cache(maxsize=512)
def _another(others: tuple[str, ...]) -> re.Pattern[str] | None:
    names = "|".join(re.escape(_head(name)) for name in others if _head(name))
    return re.compile(rf"{_MARGIN}(?:{names}){_COLON}", re.IGNORECASE) if names else None


def _first_line_of(others: tuple[str, ...], text: str) -> int | None:
    """Find where the first line begins that has another's name and a colon in front.

    A line ends at whatever a screen or a parser may take for its end. Its head is read as
    a person reads it: without what is not seen, wide and ornate letters as plain ones.
    """
    begins = _another(others)
    start = 0
    for line in text.splitlines(keepends=True) if begins else ():
        if begins and begins.match(line if _is_plain(line) else _head(line)):
            return start
        start += len(line)
    return None


def _is_plain(line: str) -> bool:
    return line.isascii() and line.rstrip("\r\n").isprintable()


def _head(line: str) -> str:
    """Write the beginning of a line in plain letters."""
    bare = " ".join(_UNSEEN.sub("", line).split())
    return unicodedata.normalize("NFKC", bare[:_HEAD_CHARACTERS])


def _printable(cut: str) -> str:
    """Write halves of a character so that UTF-8 can hold them."""
    return cut.encode("utf-8", "backslashreplace").decode()


def _finite(spelled: str) -> float:
    number = float(spelled)
    if not math.isfinite(number):
        raise ValueError(f"{spelled} is no number of JSON")
    return number
