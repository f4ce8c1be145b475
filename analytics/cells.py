r"""Text that a spreadsheet cannot run and a terminal cannot be moved by, and back again.

The rule, which docs/data.md states for readers of a dataset:

1. A control character other than newline and tab, a line or paragraph separator
   (U+2028, U+2029) or a lone surrogate is written `\xhh` or `\uhhhh`.
2. Backslashes that stand before something that reads like one of those are doubled.
   All other backslashes stay as they are.
3. A text that begins with `= + - @` (or their full-width forms), after blanks and
   characters nobody sees or not, or with a tab, a newline or an apostrophe, gets one
   apostrophe in front.

So nothing is lost: `restored(safe(text)) == text` for every text. JSON needs none of this:
it is written by `json_text`, and read as any JSON is.
"""

from __future__ import annotations

import json
import re

from pydantic import JsonValue

from analytics.columns import Value

_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_ESCAPE = r"x[0-9a-f]{2}|u[0-9a-f]{4}"
_UNSEEN_MARKS = r"\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_RUNS = rf"^(?:['\t\n]|[\s{_UNSEEN_MARKS}]*[=+\-@\uff1d\uff0b\uff0d\uff20])"

_RISKY_STARTS = frozenset("'=+-@\uff1d\uff0b\uff0d\uff20 ")
_SUSPECT = re.compile(rf"[{_CONTROL}\\]")

# Each run of backslashes is looked at once, from its start: a model may write a million.
_WRITTEN = re.compile(rf"(?<!\\)(\\*+)(?:([{_CONTROL}])|(?<=\\)(?={_ESCAPE}))")
_READ = re.compile(rf"(?<!\\)(\\++)({_ESCAPE})")
_STARTS = re.compile(_RUNS)
_UNSEEN = re.compile(f"[{_CONTROL}]")


def safe(text: str) -> str:
    r"""Write a text so that no spreadsheet runs it and every character can be seen.

    Example:
        >>> safe("=1+1"), safe("plain - text"), safe("'tis")
        ("'=1+1", 'plain - text', "''tis")
        >>> print(safe("\x1b[2J"), safe(r"C:\temp"), safe(r"\x1b"))
        \x1b[2J C:\temp \\x1b
    """
    if text.isprintable() and "\\" not in text and text[:1] not in _RISKY_STARTS:
        return text  # most cells: names, hashes, plain lines
    apostrophe = "'" if _STARTS.match(text) else ""
    return apostrophe + (_WRITTEN.sub(_write, text) if _SUSPECT.search(text) else text)


def restored(cell: str) -> str:
    r"""Read a cell back as the text it was.

    Example:
        >>> restored("'=1+1"), restored(safe("'tis")), restored(safe("\x1b")) == "\x1b"
        ('=1+1', "'tis", True)
    """
    return _READ.sub(_read, cell.removeprefix("'"))


def cell(value: Value) -> str | int | float:
    """Write a value as a cell: text safely, numbers as numbers, none as nothing.

    Example:
        >>> cell(None), cell(True), cell(-3), cell("-3")
        ('', 'true', -3, "'-3")
    """
    if isinstance(value, str):
        return safe(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def raw_text(text: str) -> str:
    r"""Write a text as it is; only what UTF-8 cannot hold is escaped.

    Example:
        >>> raw_text("=1+1"), raw_text("\udcff")
        ('=1+1', '\\udcff')
    """
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def json_text(value: JsonValue) -> str:
    r"""Write any JSON value as text, the same for the same value, safe by JSON's own means.

    A JSON text begins with no character that a spreadsheet runs, a negative number's
    apart; and every control character in it is an escape of JSON's own.

    Example:
        >>> print(json_text({"b": [1, None], "a": "é \x85 \udcff"}))
        {"a": "é \u0085 \udcff", "b": [1, null]}
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _write(found: re.Match[str]) -> str:
    backslashes, control = found.groups()
    if control is None:
        return backslashes * 2
    code = ord(control)
    return backslashes * 2 + (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def _read(found: re.Match[str]) -> str:
    backslashes, escape = found.groups()
    kept = backslashes[: len(backslashes) // 2]
    return kept + (chr(int(escape[1:], 16)) if len(backslashes) % 2 else escape)
