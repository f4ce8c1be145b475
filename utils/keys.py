"""Every Redis key: its name, type, writer, and what it holds.

| key | type | writer | holds |
|---|---|---|---|
| `parley:runs` | stream | whoever starts a run | registry: run id, spec hash, labels |
| `parley:live` | sorted set | starter, leader | runs that want a leader; score: start |
| `parley:reserved` | sorted set | starter, leader | live runs left to processes told to |
| `parley:{run}:spec` | string | the starter, once | the resolved scenario, immutable |
| `parley:{run}:floor` | stream | hosts, people | inputs, each with author and nonce |
| `parley:{run}:journal` | stream | the leader | commits, ids `1-0, 2-0, ...` |
| `parley:{run}:channel:<name>` | stream | the leader | what is heard there, who comes and goes |
| `parley:{run}:inbox:<host>` | stream | the leader | what concerns one host's seats, same ids |
| `parley:{run}:snapshot` | string | the leader | a state to start folding from |
| `parley:{run}:calls` | stream | hosts | every model call, whole, every attempt |
| `parley:{run}:leader` | string, PX | the leader | lease: who tries to lead; never safety |
| `parley:{run}:seat:<bot>` | string, PX | hosts | lease: which host serves the bot |
| `parley:hosts` | sorted set | hosts | presence; score: when it lapses, server ms |
| `parley:slots:<server>` | sorted set | hosts | leases: calls in flight and waiting; score: same |

`{run}` is a Redis Cluster hash tag: the keys of one run live in one slot. An inbox is
there so that a commit wakes only the hosts it concerns (docs/decisions/0003). Names
are checked by `utils.names` before they come here.
"""

from __future__ import annotations

RUNS = "parley:runs"
LIVE = "parley:live"
RESERVED = "parley:reserved"
HOSTS = "parley:hosts"


def slots(server: str) -> str:
    """Name the queue of a model server.

    Example:
        >>> slots("http://127.0.0.1:11434")
        'parley:slots:http://127.0.0.1:11434'
    """
    return f"parley:slots:{server}"


def spec(run: str) -> str:
    """Name the string that holds the run's resolved scenario.

    Example:
        >>> spec("tea")
        'parley:{tea}:spec'
    """
    return f"parley:{{{run}}}:spec"


def floor(run: str) -> str:
    """Name the stream of the run's inputs."""
    return f"parley:{{{run}}}:floor"


def journal(run: str) -> str:
    """Name the stream of the run's commits."""
    return f"parley:{{{run}}}:journal"


def channel(run: str, name: str) -> str:
    """Name the stream of one channel."""
    return f"parley:{{{run}}}:channel:{name}"


def inbox(run: str, host: str) -> str:
    """Name the stream that wakes one host."""
    return f"parley:{{{run}}}:inbox:{host}"


def snapshot(run: str) -> str:
    """Name the string that holds a state of the run to start folding from."""
    return f"parley:{{{run}}}:snapshot"


def calls(run: str) -> str:
    """Name the stream of the run's model calls."""
    return f"parley:{{{run}}}:calls"


def leader(run: str) -> str:
    """Name the lease of the run's leader."""
    return f"parley:{{{run}}}:leader"


def seat(run: str, bot: str) -> str:
    """Name the lease of one bot's seat."""
    return f"parley:{{{run}}}:seat:{bot}"


def run_of(key: str) -> str:
    """Read the run's id out of one of its keys; empty for a key of no run.

    Example:
        >>> run_of("parley:{tea}:journal"), run_of("parley:runs")
        ('tea', '')
    """
    return key.partition("{")[2].partition("}")[0]
