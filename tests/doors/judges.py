"""Those who look at what a text became: each lists what is wrong, and knows no product code.

What a judge finds in the product's output is a defect; what it finds in output that was
made without the product's guard shows that the judge can find something.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

COLONS = ":\u02d0\u0589\u05c3\u2236\ua789"
"""What looks like a colon, and stays as it is under NFKC."""

TOKENS = re.compile(
    "<[|\uff5c]|</?s>|</?think>|<(?:bos|eos|pad|unk|start_of_turn|end_of_turn)>|<</?SYS>>"
    r"|\[/?(?:INST|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS)\]",
    re.IGNORECASE,
)
"""What model servers read as the end or the beginning of a message."""

_RUNS = re.compile(r"[\s'\u200b\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?\Z")


def acting(text: str, *, but: str = "\n") -> set[str]:
    """List the characters in a text that act on a terminal, or that nobody sees."""
    joiners = "\u200c\u200d"  # some scripts need them, and they move nothing
    return {
        one
        for one in text
        if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        if one not in but and one not in joiners
    }


def tokens(text: str) -> list[str]:
    """List what a model server would read as the end or beginning of a message."""
    return TOKENS.findall(text)


def named(line: str, names: Iterable[str]) -> str | None:
    """Tell whose name a line begins with, as somebody reads it who sees letters alone."""
    seen = "".join(one for one in line if unicodedata.category(one) not in {"Cf", "Cc"})
    bare = unicodedata.normalize("NFKC", seen).casefold().lstrip(" *_\t")
    bare = re.sub(r"\A\[\w+\] *", "", bare).lstrip(" *_")
    for name in names:
        if re.match(rf"{re.escape(name.casefold())}[*_ ]*[{COLONS}]", bare):
            return name
    return None


def at_margin(content: str) -> list[str]:
    """List the lines of a message that nothing is in front of."""
    return [line for line in content.splitlines() if line.strip() and line[0] not in " \t"]


def running(cell: str) -> bool:
    """Tell whether a spreadsheet would compute a cell: an apostrophe in front makes it text."""
    return not cell.startswith("'") and _RUNS.match(cell) is not None and not _NUMBER.match(cell)


def opened(raw: str, separators: str) -> Iterator[str]:
    """Read a file's cells as a spreadsheet does that takes all of these for separators."""
    cell, is_quoted, is_begun = [], False, False
    at = 0
    while at < len(raw):
        one = raw[at]
        if is_quoted and one == '"' and raw[at + 1 : at + 2] == '"':
            cell.append(one)
            at += 1
        elif one == '"' and (is_quoted or not is_begun):
            is_quoted, is_begun = not is_quoted, True
        elif not is_quoted and one in separators + "\n":
            yield "".join(cell)
            cell, is_begun = [], False
        else:
            cell.append(one)
            is_begun = True
        at += 1
    if cell:
        yield "".join(cell)


def out_of_turn(heard: Sequence[tuple[str, int, str]], granted: dict[tuple[str, int], str]) -> int:
    """Count words that were heard of somebody else than who was granted that turn, or twice."""
    said = [(channel, turn) for channel, turn, _ in heard]
    strange = sum(granted.get((channel, turn)) != who for channel, turn, who in heard)
    return strange + len(said) - len(set(said))
