"""Which metrics there are: entry points of the group `parley.metrics`, built in or a stranger's."""

from __future__ import annotations

from collections.abc import Iterable

from analytics.metrics.seam import Metric
from utils import plugins
from utils.errors import BadInput

GROUP = "parley.metrics"


def metric(name: str, *, where: str = "") -> Metric:
    """Load one metric, and only what it needs.

    Raises:
        BadInput: There is no such metric, it cannot be loaded, or it is none.
    """
    found = plugins.find(GROUP, name, where=where)
    if not isinstance(found, Metric) or found.name != name:
        what = f"calls itself '{found.name}'" if isinstance(found, Metric) else "is no Metric"
        raise BadInput(f"the metric '{name}' {what}", where=where, mend="see docs/measures.md")
    return found


def metrics(names: Iterable[str] = (), *, where: str = "") -> list[Metric]:
    """Load these metrics, in their order and each once; all there are when none is named.

    All come family by family, in the order of their names.

    Raises:
        BadInput: As `metric` does.
    """
    wanted = list(dict.fromkeys(names))
    if wanted:
        return [metric(name, where=where) for name in wanted]
    found = [metric(name) for name in plugins.names(GROUP)]
    return sorted(found, key=lambda one: (one.family, one.name))
