"""The record of one attempt, from what was asked and what came of it. Pure."""

from __future__ import annotations

from typing import Any

from bots.minds.attempts import Attempt
from bots.minds.seam import Answer, Mind
from bots.speech import Spoken
from bots.task import Task
from utils.calls import CallRecord, messages_sha256


def record_of(task: Task, mind: Mind, attempt: Attempt, spoken: Spoken | None) -> CallRecord:
    """Write an attempt down, whole: asked, sent, answered or failed, said and cut."""
    return CallRecord(
        attempt=attempt.number,
        source=mind.source,
        started_ms=attempt.started_ms,
        took_ms=attempt.took_ms,
        **_asked(task, mind, attempt.answer or Answer()),
        **_answered(attempt, spoken),
    )


def _asked(task: Task, mind: Mind, answer: Answer) -> dict[str, Any]:
    event, at = task.grant.event, task.sitting
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
        "messages": task.prompt.messages,
        "messages_sha256": messages_sha256(task.prompt.messages),
        "options": answer.sent or mind.sends(task.request),
        "think": at.model.think,
        "seed": event.seed,
        "exposures": task.prompt.exposures,
    }


def _answered(attempt: Attempt, spoken: Spoken | None) -> dict[str, Any]:
    answer, error = attempt.answer or Answer(), attempt.error
    failed = {
        "outcome": "answered" if error is None else error.kind,
        "error": error.detail[:500].replace("\x00", "") if error else "",
        "status": error.status if error else None,
        "response": error.partial if error else answer.text,
    }
    said = {
        "thinking": answer.thinking + (spoken.thinking if spoken else ""),
        "action": answer.action,
        "said": spoken.text if spoken else None,
        "cut": spoken.cuts if spoken else (),
    }
    measured = {
        name: getattr(answer, name)
        for name in (
            *("model_digest", "server", "language_model", "done_reason", "prompt_tokens"),
            *("answer_tokens", "total_ns", "load_ns", "prompt_ns", "answer_ns"),
        )
    }
    return {**failed, **said, **measured}
