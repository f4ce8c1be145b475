"""The record of one attempt, from what was asked and what came of it. Pure."""

from __future__ import annotations

from typing import Any

from bots.guards import Fault
from bots.minds.attempts import Attempt
from bots.minds.body import format_of
from bots.minds.seam import Answer, Mind
from bots.speech import Spoken
from bots.task import Task
from bots.tokens import Scale, estimate_chat
from utils.calls import CallRecord, Noticed, messages_sha256


def record_of(
    task: Task, mind: Mind, attempt: Attempt, spoken: Spoken | None, fault: Fault | None = None
) -> CallRecord:
    """Write an attempt down, whole: asked, sent, answered or failed, said and cut.

    Args:
        fault: Why its answer was not taken, if it was one.
    """
    estimated = estimate_chat(attempt.request.messages)
    waited_ms = (attempt.answer or attempt.error or Answer()).waited_ms
    # The first attempt's wait was over before it began; a later one waits as a part of it.
    inside_ms = waited_ms if attempt.number > 1 else 0
    return CallRecord(
        attempt=attempt.number,
        source=mind.source,
        waited_ms=waited_ms,
        started_ms=attempt.started_ms + inside_ms,
        took_ms=max(0.0, attempt.took_ms - inside_ms),
        **_asked(task, mind, attempt),
        **_known(attempt),
        **_answered(attempt, spoken, fault),
        noticed=_noticed(task.scale, attempt, estimated),
        estimated_tokens=estimated,
        token_scale=task.scale.factor,
    )


def _noticed(scale: Scale, attempt: Attempt, estimated: int) -> tuple[Noticed, ...]:
    """Say what is odd about an answer: to what its mind noticed, add a count that is short."""
    answer = attempt.answer or Answer()
    is_short = scale.is_short(estimated=estimated, counted=answer.prompt_tokens)
    return (*answer.noticed, "prompt_short") if is_short else answer.noticed


def _asked(task: Task, mind: Mind, attempt: Attempt) -> dict[str, Any]:
    event, at, request = task.grant.event, task.sitting, attempt.request
    answer = attempt.answer or Answer()
    return {
        "run": at.run,
        "call_id": f"{event.epoch}.{at.seat}",
        "bot": at.bot.name,
        "host": at.host,
        "seat": at.seat,
        "channel": event.channel,
        "turn": event.turn,
        "tries": event.tries,
        "epoch": event.epoch,
        "mind": at.model.mind,
        "model": at.model.model,
        "prompt": at.bot.prompt.name,
        "prompt_sha256": at.bot.prompt.sha256,
        "messages": request.messages,
        "messages_sha256": messages_sha256(request.messages),
        "options": answer.sent or mind.sends(request),
        "think": at.model.think,
        "format": format_of(request.ask) if mind.source == "model" else None,
        "seed": request.seed,
        "exposures": task.prompt.exposures,
    }


def _known(attempt: Attempt) -> dict[str, Any]:
    """Write down who was asked, and what went over the wire."""
    about = attempt.about
    exchange = (attempt.answer or attempt.error or Answer()).exchange
    return {
        "server": about.server,
        "model_digest": about.digest,
        "language_model": about.language_model,
        "quantization": about.quantization,
        "context_tokens": about.context_tokens,
        "capabilities": about.capabilities,
        "parameters": dict(exchange.parameters),
        "request_sha256": exchange.request_sha256,
        "response_sha256": exchange.response_sha256,
        "response_bytes": exchange.response_bytes,
        "tail": exchange.tail,
    }


def _answered(attempt: Attempt, spoken: Spoken | None, fault: Fault | None) -> dict[str, Any]:
    answer, error = attempt.answer or Answer(), attempt.error
    outcome = error.kind if error else fault.outcome if fault else "answered"
    why = error.detail if error else fault.why if fault else ""
    told = {
        "outcome": outcome,
        "error": why[:500].replace("\x00", ""),
        "status": error.status if error else None,
        "response": error.partial if error else answer.text,
    }
    said = {
        "thinking": (error or answer).thinking + (spoken.thinking if spoken else ""),
        "action": answer.action,
        "said": spoken.text if spoken and fault is None else None,
        "cut": spoken.cuts if spoken else (),
    }
    measured = {
        name: getattr(answer, name)
        for name in (
            *("done_reason", "prompt_tokens", "answer_tokens"),
            *("total_ns", "load_ns", "prompt_ns", "answer_ns"),
        )
    }
    return {**told, **said, **measured}
