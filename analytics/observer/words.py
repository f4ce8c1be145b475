"""Numbers and names as a person says them. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from utils.names import counted
from utils.printable import printable_line

_PLAIN_WORD = re.compile(r"(?!(?:null|true|false)$)[^\W\d][\w-]*")


def lasting(ms: int) -> str:
    """Say how long something lasts, in at most two units.

    Args:
        ms: Milliseconds; less than 0 counts as 0.

    Example:
        >>> lasting(900), lasting(52_000), lasting(112_400), lasting(7_500_000)
        ('0 s', '52 s', '1 min 52 s', '2 h 5 min')
        >>> lasting(180_000), lasting(90_000_000)
        ('3 min', '1 d 1 h')
    """
    seconds = max(0, ms) // 1000
    for unit_s, unit, smaller_s, smaller in (
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if seconds >= unit_s:
            rest = seconds % unit_s // smaller_s
            return f"{seconds // unit_s} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s"


def listed(names: Sequence[str], *, most: int = 6) -> str:
    """Write names as a list with "and", cut short when there are many.

    Example:
        >>> listed(["Ada"]), listed(["Ada", "Bo", "Cy"]), listed([])
        ('Ada', 'Ada, Bo and Cy', 'nobody')
        >>> listed(["a", "b", "c", "d"], most=3)
        'a, b and 2 more'
    """
    if not names:
        return "nobody"
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def rate(per_minute: float) -> str:
    """Write a rate with as many digits as it deserves.

    Example:
        >>> rate(0.25), rate(7.04), rate(31.7), rate(41_000.2)
        ('0.25 turns a minute', '7.0 turns a minute', '32 turns a minute', '41000 turns a minute')
    """
    digits = 0 if per_minute >= 10 else 1 if per_minute >= 1 else 2
    return f"{per_minute:.{digits}f} turns a minute"


def progress(done: int, asked: int | None, *, is_most: bool = False) -> str:
    """Write how far a run is.

    Args:
        done: Turns closed.
        asked: Turns after which it ends, if any number does.
        is_most: Whether it may end sooner, by what it measures.

    Example:
        >>> progress(7, 24), progress(1, None), progress(7, 4_000, is_most=True)
        ('turn 7 of 24', '1 turn', 'turn 7 of at most 4000')
    """
    if asked is None:
        return counted(done, "turn")
    return f"turn {done} of {'at most ' if is_most else ''}{asked}"


def fields(values: Mapping[str, object]) -> str:
    """Write the fields of an event or of an action, short and printable, on one line.

    Example:
        >>> fields({"word": "F", "points": [100, -50], "note": "well done"})
        'word=F points=[100,-50] note="well done"'
    """
    return " ".join(f"{printable_line(name)}={value(one)}" for name, one in values.items())


def value(one: object) -> str:
    """Write any JSON value, short and printable, on one line; a plain word without quotes.

    Example:
        >>> value("F"), value("two words"), value({"x": 1}), value(None)
        ('F', '"two words"', '{"x":1}', 'null')
    """
    if isinstance(one, str) and _PLAIN_WORD.fullmatch(one):
        return one
    return printable_line(json.dumps(one, ensure_ascii=False, separators=(",", ":")))


def measure(name: str, last: float, end: str = "") -> str:
    """Write what was measured last, and the value at which the run ends, if any.

    Example:
        >>> measure("words", 12.0), measure("success", 0.9375, "1")
        ('words 12', 'success 0.9375 (ends at 1)')
    """
    return f"{name} {last:.4g}" + (f" (ends at {end})" if end else "")
