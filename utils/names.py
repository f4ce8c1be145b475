"""Names, and the words of an error about one.

A name is checked here before it touches a Redis key, a path or a prompt.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, TypeVar

from pydantic import StringConstraints

from utils.errors import BadInput

T = TypeVar("T")

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
NAME_RULE = "at most 64 of a-z, 0-9, '_' and '-', the first a letter or digit"

Name = Annotated[str, StringConstraints(strict=True, pattern=NAME_PATTERN)]
"""A name in a model. Pydantic's `$` is the very end: a trailing newline is refused."""

SHOWN_CHARACTERS = 48

_NAME = re.compile(NAME_PATTERN.strip("^$"))


def check_name(value: object, what: str, where: str = "") -> str:
    """Return the value if it is a name.

    Args:
        value: What somebody typed, of any type.
        what: What it names, such as "run" or "persona".
        where: File and line, or the option, for the error.

    Raises:
        BadInput: The value is not text, or does not match `NAME_PATTERN`.

    Example:
        >>> check_name("tea-2", "run")
        'tea-2'
        >>> check_name("Tea party", "run", "--run")
        Traceback (most recent call last):
        ...
        utils.errors.BadInput: --run: run 'Tea party' is not a name; use at most 64 of a-z, 0-9, \
'_' and '-', the first a letter or digit
    """
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    raise BadInput(f"{what} {shown(value)} is not a name", where=where, mend=f"use {NAME_RULE}")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Find the known word that was probably meant; case does not count.

    Returns:
        The closest of `known`, or None when none is close. The same for the same
        words in any order.

    Example:
        >>> nearest("rol", ["name", "role", "style"])
        'role'
        >>> nearest("quark", ["name", "role"]) is None
        True
    """
    spelled = {one.lower(): one for one in sorted(known, reverse=True)}
    close = difflib.get_close_matches(word[:64].lower(), sorted(spelled), n=1, cutoff=0.6)
    return spelled[close[0]] if close else None


def look_up(word: str, table: Mapping[str, T], what: str, where: str = "") -> T:
    """Return what the table holds under the word.

    Args:
        word: What somebody typed.
        table: Everything there is, by name.
        what: What is looked up, such as "persona" or "policy".
        where: File and line, or the option, for the error.

    Raises:
        BadInput: There is no such word; the line names the nearest, or all there are.

    Example:
        >>> look_up("bo", {"ada": 1, "bo": 2}, "persona")
        2
        >>> look_up("adda", {"ada": 1, "bo": 2}, "persona")
        Traceback (most recent call last):
        ...
        utils.errors.BadInput: unknown persona 'adda'; did you mean 'ada'?
    """
    if word in table:
        return table[word]
    close = nearest(word, table)
    there_is = f"there is {', '.join(sorted(table))}" if table else f"there is no {what}"
    raise BadInput(
        f"unknown {what} {shown(word)}",
        where=where,
        mend=f"did you mean {shown(close)}?" if close else there_is,
    )


def shown(value: object) -> str:
    """Show a value in an error: short, on one line, no control characters.

    Example:
        >>> print(shown("high"), shown(True), shown(None), shown([1, 2]), shown({}))
        'high' true nothing a list of 2 items a mapping
        >>> shown("x" * 100)
        "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' (100 characters)"
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"a list of {counted(len(value), 'item')}"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, str) and len(value) > SHOWN_CHARACTERS:
        return f"{value[:SHOWN_CHARACTERS] + '...'!r} ({len(value)} characters)"
    return repr(value)


def counted(count: int, noun: str) -> str:
    """Write a count with its noun.

    Example:
        >>> counted(1, "item"), counted(2, "item")
        ('1 item', '2 items')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
