"""One call's record, written again from what was asked and the answer it holds.

The recorded answer stands in for the model. All that the host made of journal, answer and
scale must come out as it stands there; what was measured, or is the server's word, is not
looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

from bots.agent import again, judged, spoken_of
from bots.minds.attempts import Attempt
from bots.minds.body import OPENAI_PARAMETERS, parameters_of, rebuilt
from bots.minds.recorded import answer_of, difference
from bots.minds.recording import FAILURES
from bots.minds.seam import NOTHING_KNOWN, Answer, Mind, MindFactory, Request, StopSignal
from bots.record import record_of
from bots.task import Task
from utils import plugins
from utils.calls import CallRecord, ChatMessage, Exposure, Source
from utils.errors import BadInput, FailureKind, MindFailed
from utils.journal import sha256_of
from utils.protocol import Action
from utils.spec import ModelSpec, Option

MINDS = "parley.minds"

SHOWN_CHARACTERS = 60

IN_ORDER = (
    *("bot", "channel", "turn", "tries", "call_id", "run"),
    *("messages", "messages_sha256", "exposures", "prompt", "prompt_sha256"),
    *("source", "mind", "model", "options", "think", "format", "seed"),
    *("estimated_tokens", "outcome", "response", "thinking", "action", "said", "cut"),
)
"""What of a call follows, in the order in which it is compared."""


class Rewritten(NamedTuple):
    """A record as it must be.

    Attributes:
        action: What its answer is read as; none where there was no answer.
        next_request: What is asked next if the answer had a fault.
    """

    record: CallRecord
    action: Action | None = None
    next_request: Request | None = None


def rewritten(task: Task, request: Request, record: CallRecord, mind: Mind | None) -> Rewritten:
    """Write a call's record again.

    Args:
        task: The grant it answers, prepared again.
        request: What this attempt asks: the task's own, or that after a fault.
        record: What the record says; of it only the answer, and what was measured, is used.
        mind: Tells what options go with a request; if none, the record is believed.
    """
    mind = mind or _StandIn(record)
    if record.outcome in FAILURES:
        kind = cast("FailureKind", record.outcome)
        error = MindFailed(kind, record.error, status=record.status, partial=record.response)
        error.thinking = record.thinking
        return Rewritten(record_of(task, mind, _attempt(record, request, error=error), None))
    answer = answer_of(record)
    if mind.source != "recorded":  # which sends nothing, and gives what was sent then
        answer = replace(answer, sent={})
    spoken = spoken_of(task, answer)
    action, fault = judged(task, answer, spoken)
    now = record_of(task, mind, _attempt(record, request, answer=answer), spoken, fault)
    return Rewritten(now, action, again(request, answer, fault) if fault is not None else None)


def mind_of(model: ModelSpec) -> Mind | None:
    """Make a model's mind, to tell what options it sends; none where it is not installed.

    Nobody is asked: not even whether the server is there.
    """
    try:
        factory: MindFactory = plugins.find(MINDS, model.mind)
        return factory(model)
    except BadInput:
        return None


class _StandIn:
    """Stands in for a mind that is not installed here: what it sends, the record says."""

    waits = False
    about = NOTHING_KNOWN

    def __init__(self, record: CallRecord) -> None:
        self.source: Source = record.source
        self._options = record.options

    def preflight(self) -> None:
        """Nobody is asked."""

    def answer(self, request: Request, stop: StopSignal) -> Answer:
        """Nobody is asked. Raises `MindFailed`."""
        raise MindFailed("not_found", "the mind is not installed")

    def sends(self, request: Request) -> dict[str, Option]:
        return self._options

    def close(self) -> None:
        """There is nothing to let go."""


def _attempt(record: CallRecord, request: Request, **came: Any) -> Attempt:
    return Attempt(
        record.attempt, request, record.started_ms, record.took_ms, NOTHING_KNOWN, **came
    )


# --- what differs -----------------------------------------------------------------------


def parting(record: CallRecord, now: CallRecord, model: ModelSpec) -> str | None:
    """Say what of a call differs first from what it must be; none if nothing does.

    Args:
        model: The model as the scenario has it.
    """
    for name in IN_ORDER:
        was, must = getattr(record, name), getattr(now, name)
        if was != must:
            return f"{_CALLED.get(name, name)}: {_PARTINGS.get(name, _plainly)(was, must)}"
    return _request_parting(record, now, model)


_WIRED = frozenset({"ollama", "openai"})
"""Minds whose requests' bytes can be made again."""


def _request_parting(record: CallRecord, now: CallRecord, model: ModelSpec) -> str | None:
    """Compare the bytes that went over the wire, where the record has their hash."""
    if not (record.request_sha256 and record.parameters and model.mind in _WIRED):
        return None
    must = OPENAI_PARAMETERS if model.mind == "openai" else parameters_of(model)
    if record.parameters != must:
        return f"parameters: {_of_mapping(record.parameters, must)}"
    body = rebuilt(now.model_copy(update={"parameters": must}))
    if sha256_of(body.decode()) == record.request_sha256:
        return None
    return "request: the bytes that were sent were others"


def _plainly(was: object, must: object) -> str:
    return f"recorded {shown(was)}, rebuilt {shown(must)}"


def _of_mapping(was: Mapping[str, object], must: Mapping[str, object]) -> str:
    names = [*must, *(name for name in was if name not in must)]
    name = next(name for name in names if was.get(name) != must.get(name))
    return f"{name}: {_plainly(was.get(name), must.get(name))}"


def _of_exposures(was: Sequence[Exposure], must: Sequence[Exposure]) -> str:
    for number, (old, new) in enumerate(zip(was, must, strict=False), 1):
        if old != new:
            return f"entry {number}: recorded {_exposed(old)}, rebuilt {_exposed(new)}"
    return f"recorded {len(was)}, rebuilt {len(must)}"


def _exposed(one: Exposure) -> str:
    return f"{one.kind} {one.item} {'seen' if one.seen else f'left out ({one.why})'}"


def _of_messages(was: tuple[ChatMessage, ...], must: tuple[ChatMessage, ...]) -> str:
    return difference(was, must)


_PARTINGS: dict[str, Callable[[Any, Any], str]] = {
    "messages": _of_messages,
    "exposures": _of_exposures,
    "options": _of_mapping,
}


_CALLED = {"messages": "prompt", "exposures": "ledger"}


def shown(value: object) -> str:
    """Show a value in a few characters, whatever it holds."""
    text = ascii(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."
