"""Who may meet whom: edges between bots, by their numbers in the scenario's order.

The edges are drawn once, when a run begins, and are in its journal from then on: what
networkx makes of a seed may change from one version of it to the next.
"""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx

from utils.seeds import seed_for
from worlds.naming.settings import DrawnGraph

DRAWS = 100
"""A graph that falls apart is drawn again; with these degrees that is rare at any size."""

Edge = tuple[int, int]


def edges_of(graph: str | DrawnGraph, count: int, run_seed: int) -> list[Edge]:
    """Draw the edges of a graph in which everybody can be reached.

    Args:
        graph: Which; not `complete`, whose edges nobody needs a list of.
        count: How many bots.
        run_seed: Decides the draw.

    Returns:
        Edges in order, the lower number first.

    Raises:
        ValueError: No connected graph came up in `DRAWS` draws.

    Example:
        >>> edges_of("ring", 4, 7)
        [(0, 1), (0, 3), (1, 2), (2, 3)]
    """
    if isinstance(graph, str):
        return _in_order((place, (place + 1) % count) for place in range(count))
    for draw in range(DRAWS):
        drawn = _drawn(graph, count, seed_for(run_seed, "naming.graph", draw))
        if nx.is_connected(drawn):
            return _in_order(drawn.edges)
    raise ValueError(f"no connected graph in {DRAWS} draws")


def _drawn(graph: DrawnGraph, count: int, seed: int) -> nx.Graph[int]:
    drawn: nx.Graph[int] = nx.Graph()
    if graph.regular is not None:
        drawn = nx.random_regular_graph(graph.regular.degree, count, seed=seed)
    elif graph.watts_strogatz is not None:
        wanted = graph.watts_strogatz
        drawn = nx.watts_strogatz_graph(count, wanted.degree, wanted.rewire, seed=seed)
    return drawn


def neighbours_of(edges: list[Edge], count: int) -> tuple[tuple[int, ...], ...]:
    """List each bot's neighbours, in order.

    Example:
        >>> neighbours_of([(0, 1), (1, 2)], 3)
        ((1,), (0, 2), (1,))
    """
    beside: list[list[int]] = [[] for _ in range(count)]
    for one, other in edges:
        beside[one].append(other)
        beside[other].append(one)
    return tuple(tuple(sorted(some)) for some in beside)


def _in_order(edges: Iterable[Edge]) -> list[Edge]:
    return sorted({(min(edge), max(edge)) for edge in edges})
