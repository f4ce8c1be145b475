"""What is counted while a run is folded: of each bot, and of the whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """What is counted of one bot. `latencies` is exact: milliseconds to how often."""

    seatings: int = 0
    said: int = 0
    received: int = 0
    addressed: int = 0
    ignored: int = 0
    granted: int = 0
    answered: int = 0
    passed: int = 0
    late: int = 0
    fell_back: int = 0
    revoked: Counter[str] = field(default_factory=Counter)
    latencies: Counter[int] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    prompt_tokens: int | None = None
    answer_tokens: int | None = None


LOAD_NS = 500_000_000
"""From here on a call's load duration is a load: a model that is there takes milliseconds."""


@dataclass(slots=True)
class Totals:
    """What is counted of the whole run.

    `calls_cut` are answers of which more was cut than the space around them; `loads`
    calls before which the server loaded the model (`LOAD_NS`).
    """

    commits: int = 0
    inputs: int = 0
    channels: int = 0
    messages: int = 0
    actions: int = 0
    measures: int = 0
    interventions: int = 0
    world_events: int = 0
    rejected: int = 0
    incidents: int = 0
    turns: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    calls_cut: int = 0
    loads: int = 0
    unreadable: int = 0
    resent: int = 0
    digests: set[str] = field(default_factory=set)
    language_model: set[bool | None] = field(default_factory=set)

    @property
    def call_entries(self) -> int:
        """Entries of the stream of calls, those that could not be read among them."""
        return self.calls.total() + self.unreadable + self.resent


def sum_known(one: int | None, more: int | None) -> int | None:
    """Add what is known; none while nothing is."""
    return one if more is None else (one or 0) + more
