"""HTML built of parts that escape: a text can never become an element or an attribute.

    tag("p", "1 < 2", class_="note")

A `str` given as a child is a stranger's text: what nobody could see in it is made
visible, and the rest is escaped. Only what these functions made, `Html`, goes in as it is.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from utils.printable import printable

VOID = frozenset(("br", "col", "hr", "meta", "use"))
"""Elements without an end; `use` is SVG's, and here it holds nothing."""


@dataclass(frozen=True, slots=True)
class Html:
    """Markup that is safe to put into a page as it is."""

    markup: str


Child = Html | str | int | None
NOTHING = Html("")


def text(content: str) -> Html:
    r"""Write a text, escaped, every character of it visible.

    Example:
        >>> text("<b>\x1b & \u202e").markup
        '&lt;b&gt;&lt;U+001B&gt; &amp; &lt;U+202E&gt;'
    """
    return Html(html.escape(printable(content), quote=True))


def tag(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Html:
    """Write an element.

    Args:
        name: The element; never from a dataset.
        children: What is in it: texts are escaped, none is nothing.
        attributes: Names of ours; `_` at the end is dropped, others become `-`. Values
            are escaped; none and False leave the attribute out, True writes it bare.

    Example:
        >>> tag("td", "<i>", class_="n", scope=None).markup
        '<td class="n">&lt;i&gt;</td>'
        >>> tag("a", "up", href='#"><script>').markup
        '<a href="#&quot;&gt;&lt;script&gt;">up</a>'
    """
    spelled = "".join(
        _attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items()
    )
    if name in VOID:
        return Html(f"<{name}{spelled}>")
    return Html(f"<{name}{spelled}>{joined(children).markup}</{name}>")


def joined(children: Iterable[Child], between: str = "") -> Html:
    """Put children one after another; what is between them is a text, too."""
    parts = (_child(child) for child in children if child is not None)
    return Html(text(between).markup.join(parts))


def table(
    head: Iterable[Child],
    rows: Iterable[Iterable[Child]],
    *,
    numeric: Iterable[int] = (),
    caption: str = "",
) -> Html:
    """Write a table in a box of its own, in which it scrolls where it is too wide.

    Args:
        head: The columns' names.
        rows: One child a cell. The first of a row names the row.
        numeric: Columns that hold numbers, from 0: they stand at the right.
        caption: What it is, for who cannot see it at a glance.
    """
    at_right = set(numeric)

    def written(cell: Child, place: int, name: str, scope: str | None) -> Html:
        return tag(name, cell, scope=scope, class_="n" if place in at_right else None)

    top = tag("tr", *(written(cell, place, "th", "col") for place, cell in enumerate(head)))
    body = [
        tag(
            "tr",
            *(
                written(cell, place, "td" if place else "th", None if place else "row")
                for place, cell in enumerate(row)
            ),
        )
        for row in rows
    ]
    label = tag("caption", caption) if caption else None
    inner = tag("table", label, tag("thead", top), tag("tbody", *body))
    return tag("div", inner, class_="wide", tabindex="0", role="group", aria_label=caption or None)


def pairs(entries: Mapping[str, Child], *, is_long: bool = False) -> Html:
    """Write names and what they are; those that are nothing are left out.

    Args:
        entries: Name to what it is.
        is_long: What they are is long: a hash, say. Each has a line of its own.
    """
    return tag(
        "dl",
        *(
            tag("div", tag("dt", name), tag("dd", value))
            for name, value in entries.items()
            if value is not None and value != ""
        ),
        class_="facts whole" if is_long else "facts",
    )


def _attribute(name: str, value: str | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{text(str(value)).markup}"'


def _child(child: Child) -> str:
    return child.markup if isinstance(child, Html) else text(str(child)).markup
