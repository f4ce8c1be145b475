"""One answer to one grant: the mind is asked, what it said becomes a proposal.

What goes in is a value, what comes out is a value; the host sends it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bots.minds.attempts import Attempt, answer_with_retries
from bots.minds.seam import Answer, Mind, StopSignal
from bots.record import record_of
from bots.speech import Spoken, act_in, said
from bots.task import Task
from utils.clock import Clock
from utils.errors import MindFailed
from utils.journal import sha256_of
from utils.protocol import Action, AskAct, AskSay, Failed, Pass, Proposed, Say


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to send for a task: the input to the floor, and the call record it goes with.

    `input` is none when the answer is no longer wanted. `record` is none when it has
    been noted already, as a failed attempt's is.
    """

    input: Proposed | Failed | None
    record: str | None


def carry_out(
    task: Task,
    mind: Mind,
    stop: StopSignal,
    *,
    clock: Clock,
    granted_ms: int,
    nonce: str,
    on_failed: Callable[[str], None],
) -> Outcome:
    """Ask the mind, with retries inside the allowance, and say what came of it.

    Args:
        granted_ms: When the grant was read, by this clock: waiting for a thread is part
            of the allowance.
        nonce: By which the input will be known.
        on_failed: Called with the record of every failed attempt, at once.
    """
    last: list[Attempt] = []
    left_ms = max(1, task.request.allow_ms - (clock.now_ms() - granted_ms))

    def note(attempt: Attempt) -> None:
        last[:] = [attempt]
        if attempt.error is not None:
            on_failed(record_of(task, mind, attempt, None).model_dump_json())

    try:
        answer = answer_with_retries(
            mind, task.request, stop, allow_ms=left_ms, clock=clock, on_attempt=note
        )
    except MindFailed as failure:
        if stop.is_set() or failure.kind == "cancelled":
            return Outcome(input=None, record=None)
        noted = record_of(task, mind, last[0], None).model_dump_json() if last else None
        return Outcome(_failed(task, nonce, noted, failure), record=None)
    spoken = _spoken(task, answer)
    record = record_of(task, mind, last[0], spoken).model_dump_json()
    try:
        action = _action(task, answer, spoken)
    except MindFailed as failure:
        return Outcome(_failed(task, nonce, record, failure), record)
    return Outcome(Proposed(**_closing(task, nonce, record), action=action), record)


def _spoken(task: Task, answer: Answer) -> Spoken:
    ask, sitting = task.request.ask, task.sitting
    return said(
        answer.text,
        display=sitting.displays[sitting.bot.name],
        others=task.others,
        max_chars=ask.max_chars if isinstance(ask, AskSay) else 0,
    )


def _action(task: Task, answer: Answer, spoken: Spoken) -> Action:
    if answer.action is not None:
        return answer.action
    if isinstance(task.request.ask, AskAct):
        return act_in(spoken.text, task.request.ask)
    return Say(text=spoken.text) if spoken.text else Pass(why="empty answer")


def _failed(task: Task, nonce: str, record: str | None, failure: MindFailed) -> Failed:
    detail = failure.detail[:500].replace("\x00", "")
    return Failed(**_closing(task, nonce, record), reason=failure.kind, detail=detail)


def _closing(task: Task, nonce: str, record: str | None) -> dict[str, Any]:
    return {
        "author": task.sitting.host,
        "nonce": nonce,
        "bot": task.sitting.bot.name,
        "seat": task.sitting.seat,
        "epoch": task.grant.event.epoch,
        "grant": task.grant.commit_sha256,
        "call_sha256": sha256_of(record) if record else None,
    }
