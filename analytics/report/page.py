"""The page: one HTML file that asks nothing of a network and runs nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from analytics.report.markup import NOTHING, Html, joined, tag, text

STYLE = (Path(__file__).parent / "style.css").read_text("utf-8")
GENERATOR = "parley report"


@dataclass(frozen=True)
class Section:
    """One part of the page, with its place in the list of contents."""

    anchor: str
    title: str
    body: Html


@dataclass(frozen=True)
class Head:
    """What stands at the top: what it is, its name, a sentence, what must be known first."""

    over: str
    title: str
    lead: str
    cautions: Html = NOTHING


def policy() -> str:
    """Write the page's Content-Security-Policy: nothing is fetched, nothing runs.

    One thing is allowed, the one style in the page's head, by its hash: so a style that
    somebody's text brought in would not count either.
    """
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def page(head: Head, sections: Iterable[Section], *, foot: str) -> str:
    """Write the whole page.

    Example:
        >>> page(Head("Run", "<tea>", ""), [], foot="").count("<tea>")
        0
    """
    parts = list(sections)
    contents = tag(
        "nav",
        *(tag("a", one.title, href=f"#{one.anchor}") for one in parts),
        aria_label="Contents",
    )
    top = tag(
        "header",
        tag("p", head.over, class_="over"),
        tag("h1", head.title),
        tag("p", head.lead, class_="lead") if head.lead else None,
        head.cautions,
        contents,
    )
    main = tag("main", *(_section(one) for one in parts))
    bottom = tag("footer", tag("p", foot, class_="note"))
    body = joined((top, main, bottom)).markup
    inner = f"<head>\n{_meta(head.title)}\n</head>\n<body>\n{body}\n</body>"
    return f'<!doctype html>\n<html lang="en">\n{inner}\n</html>\n'


def _meta(title: str) -> str:
    lines = (
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy()),
        tag("meta", name_="generator", content=GENERATOR),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("meta", name_="referrer", content="no-referrer"),
        tag("title", text(title)),
        Html(f"<style>{STYLE}</style>"),
    )
    return "\n".join(line.markup for line in lines)


def _section(one: Section) -> Html:
    heading = tag("h2", one.title, id=f"{one.anchor}-title")
    return tag(
        "section",
        heading,
        tag("div", one.body),
        id=one.anchor,
        aria_labelledby=f"{one.anchor}-title",
    )
