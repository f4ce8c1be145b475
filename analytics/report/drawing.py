"""Figures as SVG: matplotlib draws, and what it drew is written again for a page or a file.

Drawings name colours by what they stand for, `INK` or `SERIES[2]`. In the page these
become the page's own variables, so that one figure is right in light and in dark; in a
file they are the colours of the light page. Texts stay texts. The same drawing gives the
same bytes: no date, no ids by chance.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Literal
from xml.etree import ElementTree

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from analytics.report.markup import Html, tag
from utils.printable import printable_line

INK, SOFT, RULE, PAPER = "#000001", "#000002", "#000003", "#000004"
SERIES = tuple(f"#0000a{place}" for place in range(1, 9))
"""Eight, after Okabe and Ito; a marker or a label tells them apart, too."""
MARKERS = "osD^vP*X"

Target = Literal["page", "file"]
Draw = Callable[[Figure], None]

_IN_PAGE = {INK: "currentColor", SOFT: "var(--soft)", RULE: "var(--rule)", PAPER: "var(--paper)"}
_IN_PAGE |= {one: f"var(--s{place})" for place, one in enumerate(SERIES, 1)}
IN_FILE = dict(
    zip(
        (INK, SOFT, RULE, PAPER, *SERIES),
        "#1b1d1f #5a6066 #dcdedb #ffffff #0072b2 #c14f00 #00805c #a8518a #8a6d00 #24789f #6b4fb0"
        " #5b5f63".split(),
        strict=True,
    )
)
_STYLE: Mapping[str, object] = {
    "svg.hashsalt": "parley",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "axes.labelsize": 12,
    "axes.edgecolor": SOFT,
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "figure.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 12,
    "legend.handletextpad": 0.4,
    "legend.columnspacing": 1.2,
    "lines.markersize": 5,
    "lines.linewidth": 1.6,
}
_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_NOT_XML = re.compile("[\ufffe\uffff]")
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_KEPT = frozenset(
    (
        *("fill", "stroke", "opacity", "fill-opacity", "stroke-opacity", "stroke-width"),
        *("stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin"),
        *("font-size", "font-weight", "text-anchor"),
    )
)


def drawn(draw: Draw, *, width_px: float, height_px: float) -> ElementTree.Element:
    """Let a function draw on a figure of this size; the SVG as matplotlib writes it."""
    with rc_context(dict(_STYLE)), warnings.catch_warnings():  # type: ignore[arg-type]  # names of ours
        # A name in another script is measured with boxes; the reader's own fonts write it.
        warnings.filterwarnings("ignore", message=r"(?s)Glyph .* missing from")
        warnings.filterwarnings("ignore", message=r"(?s)Matplotlib currently does not support")
        layout = ConstrainedLayoutEngine(w_pad=0.05, h_pad=0.06, hspace=0.06, wspace=0.06)
        figure = Figure(figsize=(width_px / 72, height_px / 72), layout=layout)
        draw(figure)
        out = io.StringIO()
        none = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(out, format="svg", metadata=none)
    return ElementTree.fromstring(out.getvalue())  # noqa: S314  # it was written two lines above


def label(text: str, *, most: int) -> str:
    r"""Write a name so that a figure can hold it: on one line, short, and fit for XML.

    Example:
        >>> label("one\ntwo\uffff", most=20)
        'one two<U+FFFF>'
    """
    return _NOT_XML.sub(lambda one: f"<U+{ord(one[0]):04X}>", printable_line(text, most=most))


def for_page(svg: ElementTree.Element, *, name: str, about: str, class_: str) -> Html:
    """Write a figure into a page: in the page's colours, its ids its own, no style of its own."""
    inner = "".join(_written(child, _ids(svg, name), _IN_PAGE) for child in svg)
    # What is inside was escaped as it was written: text by text, attribute by attribute.
    return tag(
        "svg",
        Html(inner),
        viewBox=svg.get("viewBox", ""),
        role="img",
        aria_label=about,
        class_=class_,
    )


def for_file(svg: ElementTree.Element, *, about: str) -> str:
    """Write a figure as a file of its own, in the colours of the light page."""
    _, _, width, height = svg.get("viewBox", "0 0 1 1").split()
    inner = "".join(_written(child, _ids(svg, "f"), IN_FILE) for child in svg)
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg"'
        f' viewBox="{svg.get("viewBox")}" width="{width}" height="{height}"'
        " font-family=\"Helvetica, Arial, 'Liberation Sans', sans-serif\">"
    )
    return f"{head}{tag('title', about).markup}{inner}</svg>\n"


def _ids(svg: ElementTree.Element, name: str) -> dict[str, str]:
    """Give short names to what is named because something else uses it."""
    used = (
        one.get("id", "") for one in svg.iter() if one.tag in (f"{_SVG}path", f"{_SVG}clipPath")
    )
    return {one: f"{name}-{place}" for place, one in enumerate(dict.fromkeys(used)) if one}


def _written(element: ElementTree.Element, ids: Mapping[str, str], inks: Mapping[str, str]) -> str:
    """Write an element with what is in it; what carries nothing is left out."""
    name = element.tag.removeprefix(_SVG)
    if name in ("style", "metadata") or "}" in name:
        return ""
    attributes = dict(_attributes(element, ids, inks))
    if name == "path" and attributes.get("fill") == "none" and "stroke" not in attributes:
        return ""
    inner = "".join(_written(child, ids, inks) for child in element)
    if (name == "g" and not attributes) or (name in ("g", "defs") and not inner):
        return inner
    if name == "text":
        return tag("text", element.text or "", **attributes).markup
    return f"{_opened(name, attributes)}{inner}</{name}>"


def _opened(name: str, attributes: Mapping[str, str]) -> str:
    whole = tag(name, **attributes).markup
    return whole.removesuffix(f"</{name}>")


def _attributes(
    element: ElementTree.Element, ids: Mapping[str, str], inks: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    for name, value in element.attrib.items():
        if name == "style":
            yield from _spelled_out(value, inks)
        elif name == "id":
            if value in ids:
                yield "id", ids[value]
        elif name == _HREF:
            yield "href", f"#{ids[value.removeprefix('#')]}"
        elif name == "clip-path":
            yield name, f"url(#{ids[value[5:-1]]})"
        elif not (name == "transform" and value.startswith("rotate(-0 ")):
            short = _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.2f}", value)
            yield name, " ".join(short.split())


def _spelled_out(style: str, inks: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Write a style as attributes: a page that allows no style in an element keeps them."""
    for entry in style.split(";"):
        name, _, value = (part.strip() for part in entry.partition(":"))
        if name in _KEPT:
            yield name, inks.get(value, value)
