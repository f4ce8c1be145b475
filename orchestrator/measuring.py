"""What a scenario measures while a run goes on, and what it does about it. Pure.

After the rest of a commit is decided: whenever a turn closed, the measures of the talk are
taken; whenever anything was measured, by the world too, the scenario's `when` is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.console import obey
from orchestrator.draft import Draft
from orchestrator.refusal import Refused
from utils.awaited import When
from utils.protocol import Incident, Measured, Triggered, TurnClosed
from worlds.measures import value_of

AUTHOR = "scenario"
"""Who tells the run what its scenario says."""


def measure(draft: Draft, before: Mapping[str, float]) -> None:
    """Take the measures of the talk, and do what the scenario says of them.

    Args:
        before: What was measured last before this commit, by name.
    """
    if any(isinstance(event, TurnClosed) for event in draft.events):
        bots = [bot.name for bot in draft.rules.spec.bots]
        for name in draft.rules.measures:
            value = value_of(name, draft.state.counted, bots)
            if value is not None:
                draft.emit(Measured(name=name, value=value))
    for index, when in enumerate(draft.rules.spec.when):
        _look(draft, index, when, before.get(when.measure))


def _look(draft: Draft, index: int, when: When, was: float | None) -> None:
    """Do what is to be done if the value has come to hold, and was not done too often."""
    value = draft.state.measured.get(when.measure)
    if value is None or not when.holds(value) or when.holds(was):
        return
    done = draft.state.fired.get(index, 0)
    if draft.state.phase != "running" or done >= when.times:
        return
    draft.emit(Triggered(trigger=index, measure=when.measure, value=value))
    try:
        obey(draft, when.do.command(author=AUTHOR, nonce=f"when-{index}-{done + 1}"))
    except Refused as refused:
        what = f"{when.do.verb}: {refused.why} {refused.detail}".rstrip()
        draft.emit(Incident(name="trigger_refused", detail=what[:500]))
