"""One answer to one grant: the mind is asked, what it said becomes a proposal.

What goes in is a value, what comes out is a value; the host sends it. An answer with a
fault (`bots.guards`) has the mind asked once more; if that one has a fault too, the bot
passes. Both stay in the record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bots.guards import Fault, fault_in
from bots.minds.attempts import LEAST_MS, Attempt, answer_with_retries
from bots.minds.seam import Answer, Mind, Request, StopSignal
from bots.record import record_of
from bots.schema import misfit
from bots.speech import Spoken, act_in, said
from bots.task import Task
from utils.calls import ChatMessage
from utils.clock import Clock
from utils.errors import MindFailed
from utils.journal import sha256_of
from utils.protocol import Action, AskAct, AskSay, Failed, Pass, Proposed, Say
from utils.seeds import MODEL_SEED_BITS, seed_for

SHOWN_CHARACTERS = 4_000
"""How much of its broken answer a model is shown."""

REPAIR = (
    "That is not the JSON that was asked for: {why}. Answer again, with nothing but JSON that fits."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to send for a task: the input to the floor, and the call record it goes with.

    `input` is none when the answer is no longer wanted. `record` is none when it has
    been noted already, as a failed attempt's is. `attempts` are all that were made.
    """

    input: Proposed | Failed | None
    record: str | None
    attempts: tuple[Attempt, ...] = ()


def carry_out(
    task: Task,
    mind: Mind,
    stop: StopSignal,
    *,
    clock: Clock,
    until_ms: Callable[[], int],
    nonce: str,
    on_failed: Callable[[str], None],
) -> Outcome:
    """Ask the mind, with retries inside the allowance, and say what came of it.

    Args:
        until_ms: Tells until when there is time, by this clock; it may grow meanwhile.
        nonce: By which the input will be known.
        on_failed: Called at once with the record of every attempt that failed, or whose
            answer had a fault and is asked for again.
    """
    attempts: list[Attempt] = []
    request = task.request

    def note(attempt: Attempt) -> None:
        attempts.append(attempt)
        if attempt.error is not None:
            on_failed(record_of(task, mind, attempt, None).model_dump_json())

    while True:
        after = len(attempts)
        try:
            answer = answer_with_retries(
                mind, request, stop, until_ms=until_ms, clock=clock, on_attempt=note, after=after
            )
        except MindFailed as failure:
            return _gave_up(task, mind, stop, nonce, attempts, failure)
        spoken = spoken_of(task, answer)
        action, fault = judged(task, answer, spoken)
        record = record_of(task, mind, attempts[-1], spoken, fault).model_dump_json()
        is_last = request is not task.request or clock.now_ms() + LEAST_MS > until_ms()
        if fault is None or is_last:
            proposed = Proposed(**_closing(task, nonce, record), action=action)
            return Outcome(proposed, record, tuple(attempts))
        on_failed(record)
        request = again(request, answer, fault)


def judged(task: Task, answer: Answer, spoken: Spoken) -> tuple[Action, Fault | None]:
    """Read an answer as an action, and find the fault with it: then the action is to pass."""
    ask, why_nothing = task.request.ask, _why_nothing(answer, spoken)
    fault: Fault | None = None
    action: Action = Pass(why=why_nothing)
    if answer.action is not None:
        return answer.action, None
    if isinstance(ask, AskAct):
        try:
            action = act = act_in(spoken.text, ask)
            why = misfit(act.args, ask.answer_schema)
        except MindFailed as failure:
            why = failure.detail
        fault = Fault("malformed", "schema", why) if why else None
    else:
        guards = task.sitting.guards
        fault = fault_in(spoken.text, guards, echoes=task.echoes, why_nothing=why_nothing)
        action = Say(text=spoken.text) if spoken.text else action
    if fault is not None:
        action = Pass(why=f"{fault.outcome}, {fault.name}: {fault.why}"[:500])
    return action, fault


def again(request: Request, answer: Answer, fault: Fault) -> Request:
    """Ask once more: with a seed of its own, and a broken answer with what was wrong."""
    messages = request.messages
    if fault.outcome == "malformed":
        shown = answer.text[:SHOWN_CHARACTERS]
        broken = (ChatMessage(role="assistant", content=shown),) if shown.strip() else ()
        told = ChatMessage(role="user", content=REPAIR.format(why=fault.why))
        messages = (*messages, *broken, told)
    seed = seed_for(request.seed, fault.outcome, fault.name) >> (64 - MODEL_SEED_BITS)
    return replace(request, messages=messages, seed=seed)


def spoken_of(task: Task, answer: Answer) -> Spoken:
    """Find what a bot says in its model's answer."""
    ask, sitting = task.request.ask, task.sitting
    return said(
        answer.text,
        display=sitting.displays[sitting.bot.name],
        others=task.others,
        max_chars=ask.max_chars if isinstance(ask, AskSay) else 0,
    )


def _why_nothing(answer: Answer, spoken: Spoken) -> str:
    """Say why nothing is left to be said."""
    if any(rule == "for_others" for rule, _ in spoken.cuts):
        return "spoke for others only"
    return "nothing but thoughts" if answer.thinking or spoken.thinking else "empty answer"


def _gave_up(
    task: Task,
    mind: Mind,
    stop: StopSignal,
    nonce: str,
    attempts: list[Attempt],
    failure: MindFailed,
) -> Outcome:
    """Say that there is no answer; or nothing at all, to whom no longer wants one."""
    if stop.is_set() or failure.kind == "cancelled":
        return Outcome(input=None, record=None)
    last = attempts[-1] if attempts and attempts[-1].error is failure else None
    noted = record_of(task, mind, last, None).model_dump_json() if last else None
    detail = failure.detail[:500].replace("\x00", "")
    closing = _closing(task, nonce, noted)
    failed = Failed(**closing, reason=failure.kind, detail=detail)
    return Outcome(failed, None, tuple(attempts))


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
