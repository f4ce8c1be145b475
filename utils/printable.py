"""Make a stranger's text safe to show: on a terminal, in a log line, in a page.

One rule. **What a terminal could act on, and what nobody could see, is shown as its
code point, such as `<U+001B>`.** That is every control character, format character
(bidi overrides, zero-width spaces, tags), lone surrogate and invisible filler. Nothing
is dropped, so a reader sees that it was there. Three things stay what they mean:

* line ends: CR LF, U+2028 and U+2029 become a newline, a newline stays; a CR alone,
  which would overwrite the line, is shown;
* a tab becomes four spaces;
* the two joiners, between characters outside ASCII: some scripts and emoji need them.

Of the marks that stack upon one character, the ninth and further ones are shown, so
that a line stays in its line.
"""

from __future__ import annotations

import unicodedata

MAX_MARKS = 8
"""Marks that one character may carry; living scripts need fewer."""

_ACTIVE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_MARKS = {"Mn", "Me"}
_JOINERS = "\u200c\u200d"
_LINE_ENDS = {"\r\n": "\n", "\u2028": "\n", "\u2029": "\n", "\t": "    "}
_FILLERS = (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x2800, 0x3164, 0xFFA0)
_INVISIBLE = frozenset((*_FILLERS, *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000)))


def printable(text: str) -> str:
    r"""Show what is not visible; newlines stay.

    Doing it twice changes nothing more.

    Args:
        text: Anything, lone surrogates included.

    Returns:
        Text whose only control character is the newline, and that encodes to UTF-8.

    Example:
        >>> print(printable("\x1b[2Jgone\r\nback"))
        <U+001B>[2Jgone
        back
    """
    for raw, meant in _LINE_ENDS.items():
        text = text.replace(raw, meant)
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for place, character in enumerate(text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARKS else 0
        if character in _JOINERS:
            beside = (shown[-1] if shown else "", text[place + 1 : place + 2])
            is_shown = not all(_can_be_joined(one) for one in beside)
        else:
            is_shown = marks > MAX_MARKS or _is_hidden(character, category)
        shown.append(f"<U+{ord(character):04X}>" if is_shown else character)
    return "".join(shown)


def printable_line(text: str, *, most: int = 0) -> str:
    r"""Show a text on one line: as `printable`, every run of white space one space.

    Args:
        text: Anything.
        most: Longest result, characters; longer is cut, with three dots at its end. 0
            leaves it whole.

    Example:
        >>> printable_line(" two\nlines\t\x07 "), printable_line("abcdefgh", most=6)
        ('two lines <U+0007>', 'abc...')
    """
    line = " ".join(printable(text[: most * 4] if most else text).split())
    is_cut = most and (len(line) > most or len(text) > most * 4)
    return f"{line[: most - 3].rstrip()}..." if is_cut else line


def _is_hidden(character: str, category: str) -> bool:
    return character != "\n" and (category in _ACTIVE or ord(character) in _INVISIBLE)


def _can_be_joined(beside: str) -> bool:
    """Whether this is one visible character outside ASCII."""
    if len(beside) != 1 or beside.isascii() or beside.isspace():
        return False
    return not _is_hidden(beside, unicodedata.category(beside))
