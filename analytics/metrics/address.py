"""The address network: which bot names which in what it says.

A message names a bot if it has the bot's name, or the name it is shown by, as a whole
word in any case, or if the record says that the bot is its addressee. Naming oneself
does not count. networkx does what is done to the graph: its definitions are the usual
ones, and documented.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import networkx as nx
import pandas as pd

from analytics.metrics.frames import MESSAGES, Frames
from analytics.metrics.participation import NO_MESSAGES, ONE_BOT
from analytics.metrics.seam import Metric, Reading

READS = {"messages": (*MESSAGES, "addressee"), "bots": ("run_id", "bot", "display")}
NOBODY = "nobody named anybody"

Pairs = dict[tuple[str, str], int]
Graph: TypeAlias = "nx.DiGraph[str]"


def naming(said: pd.DataFrame, names: Mapping[str, str]) -> Pairs:
    """Count who names whom.

    Args:
        said: Bots' messages, with `speaker`, `text` and `addressee`.
        names: What a bot may be called, case folded, to the bot.

    Returns:
        (who names, who is named) to messages; a message that names one twice counts once.

    Example:
        >>> lines = pd.DataFrame(
        ...     {
        ...         "speaker": ["ada", "bo"],
        ...         "text": ["Bo, bo and Ada!", "hm"],
        ...         "addressee": [None, "ada"],
        ...     }
        ... )
        >>> naming(lines, {"ada": "ada", "bo": "bo"})
        {('ada', 'bo'): 1, ('bo', 'ada'): 1}
    """
    counted: Counter[tuple[str, str]] = Counter()
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    any_name = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
    columns = (said["speaker"], said["text"], said["addressee"])
    for speaker, text, addressee in zip(*columns, strict=True):
        found = any_name.findall(text.casefold()) if isinstance(text, str) and names else []
        named = {names[one] for one in found}
        if isinstance(addressee, str):
            named.add(addressee)
        counted.update((speaker, bot) for bot in sorted(named - {speaker}))
    return dict(counted)


def graph_of(pairs: Pairs, bots: list[str]) -> Graph:
    """Draw an edge from every bot to each it names, its weight the number of messages."""
    graph: Graph = nx.DiGraph()
    graph.add_nodes_from(bots)
    graph.add_weighted_edges_from((bot, other, count) for (bot, other), count in pairs.items())
    return graph


def _named(frames: Frames) -> Pairs:
    return frames.once("naming", lambda frames: naming(frames.said, _names(frames)))


def _names(frames: Frames) -> dict[str, str]:
    """Map what bots may be called to the bots; a name of two bots is none's."""
    called: dict[str, set[str]] = {}
    table = frames["bots"]
    for bot, display in zip(table["bot"], table["display"], strict=True):
        for name in (bot, display):
            if isinstance(name, str) and name:
                called.setdefault(name.casefold(), set()).add(bot)
    return {name: min(bots) for name, bots in called.items() if len(bots) == 1}


def _why(frames: Frames) -> str:
    if len(frames.bots) < 2:
        return ONE_BOT
    return "" if len(frames.said) else NO_MESSAGES


def _of_graph(
    of: Callable[[Graph], Mapping[str, float]], least: int = 2
) -> Callable[[Frames, int], Iterator[Reading]]:
    def compute(frames: Frames, seed: int) -> Iterator[Reading]:
        why = _why(frames) or ("" if len(frames.bots) >= least else f"fewer than {least} bots")
        if why:
            yield Reading("bot", None, why)
            return
        values = of(graph_of(_named(frames), frames.bots))
        for bot in frames.bots:
            yield Reading("bot", values[bot], bot=bot)

    return compute


def _counts(frames: Frames, seed: int) -> Iterator[Reading]:
    why = _why(frames) or ("" if _named(frames) else NOBODY)
    if why:
        yield Reading("pair", None, why)
        return
    for (bot, other), count in _named(frames).items():
        yield Reading("pair", count, bot=bot, other=other)


def _reciprocity(frames: Frames, seed: int) -> Iterator[Reading]:
    why = _why(frames) or ("" if _named(frames) else NOBODY)
    if why:
        yield Reading("run", None, why)
        return
    yield Reading("run", nx.overall_reciprocity(graph_of(_named(frames), frames.bots)))


NAMED = Metric(
    "named",
    family="address",
    scopes=("pair",),
    unit="messages",
    low=0,
    high=None,
    meaning="Messages in which `bot` names `other`. A pair of which there is none has no row. "
    "Empty for one bot, without messages, or where nobody named anybody.",
    source="messages, bots",
    tables=READS,
    compute=_counts,
)
NAMED_BY = Metric(
    "named_by",
    family="address",
    scopes=("bot",),
    unit="none",
    low=0,
    high=1,
    meaning="In-degree centrality: the share of the other bots that name it. Empty for one bot, or "
    "without messages.",
    source="Freeman 1978 (networkx in_degree_centrality); messages, bots",
    tables=READS,
    compute=_of_graph(nx.in_degree_centrality),
)
NAMES = Metric(
    "names",
    family="address",
    scopes=("bot",),
    unit="none",
    low=0,
    high=1,
    meaning="Out-degree centrality: the share of the other bots that it names. Empty for one bot, "
    "or without messages.",
    source="Freeman 1978 (networkx out_degree_centrality); messages, bots",
    tables=READS,
    compute=_of_graph(nx.out_degree_centrality),
)
BETWEENNESS = Metric(
    "address_betweenness",
    family="address",
    scopes=("bot",),
    unit="none",
    low=0,
    high=1,
    meaning="Betweenness centrality: the share of the shortest ways between two other bots, along "
    "who names whom, that go through it. Empty for fewer than three bots, or without messages.",
    source="Freeman 1978, Brandes 2001 (networkx betweenness_centrality); messages, bots",
    tables=READS,
    compute=_of_graph(nx.betweenness_centrality, least=3),
)
RECIPROCITY = Metric(
    "address_reciprocity",
    family="address",
    scopes=("run",),
    unit="none",
    low=0,
    high=1,
    meaning="Of the pairs (who names, who is named), the share that is there in both directions. "
    "Empty for one bot, without messages, or where nobody named anybody.",
    source="networkx overall_reciprocity; messages, bots",
    tables=READS,
    compute=_reciprocity,
)
