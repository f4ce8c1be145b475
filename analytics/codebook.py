"""The codebook: what every column is, for `codebook.csv` and for docs/data.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from analytics.tables import TABLES, columns_of

HEADER = ("table", "column", "type", "unit", "meaning", "source")

_SECTION = re.compile(r"(<!-- columns: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def codebook_rows(labels: Iterable[str] = ()) -> Iterator[tuple[str, ...]]:
    """List every column of every table, for a run with these labels; see `HEADER`."""
    names = list(labels)
    for table in TABLES:
        for one in columns_of(table, names):
            yield table, one.name, one.type, one.unit, one.meaning, one.source


def as_markdown(table: str) -> str:
    """Write one table's columns as a Markdown table, labels apart."""
    lines = ["| column | type | unit | meaning | source |", "|---|---|---|---|---|"]
    lines += [
        f"| `{one.name}` | {one.type} | {one.unit} | {one.meaning} | {one.source} |"
        for one in TABLES[table]
    ]
    return "\n".join(lines) + "\n"


def renewed(document: str) -> str:
    r"""Write the columns again between the marks of docs/data.md, from what the code says.

    Example:
        >>> text = renewed("<!-- columns: messages -->\n<!-- end -->")
        >>> text.count("| `message_id` | text |")
        1
    """
    return _SECTION.sub(lambda mark: mark[1] + as_markdown(mark[2]) + mark[3], document)
