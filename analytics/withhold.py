"""Records without their texts: each text stands as its digest and length. Pure.

What bots, models, people and worlds said is taken out, in the journal and in the calls.
What stays is the spec, names, numbers, hashes, times, and the shape of everything: so
counts, latencies, who spoke to whom and which two texts are the same can still be
studied. A commit keeps the hash it had; its bytes are no longer those that were hashed.

A short text can be guessed from its digest. What nobody may guess must not be published.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, JsonValue

from utils.callfile import RecordedCall, reread_call
from utils.calls import CallRecord
from utils.journal import Consumed, Sealed, sha256_of
from utils.protocol import (
    Act,
    Acted,
    Action,
    Ask,
    AskAct,
    AskSay,
    ChannelClosed,
    ChannelOpened,
    Ended,
    Event,
    FellBack,
    Granted,
    Heard,
    Incident,
    Intervened,
    Observed,
    OpenEvent,
    Pass,
    Passed,
    Rejected,
    Revoked,
    Say,
)
from utils.spec import Spec

M = TypeVar("M", bound=BaseModel)

TEXTS: Mapping[type[BaseModel], tuple[str, ...]] = {
    Consumed: ("raw", "malformed"),
    Observed: ("detail",),
    Heard: ("text",),
    Passed: ("why",),
    Revoked: ("detail",),
    Rejected: ("detail",),
    Incident: ("detail",),
    Intervened: ("text",),
    Ended: ("detail",),
    AskSay: ("hint",),
    AskAct: ("text",),
    Say: ("text",),
    Pass: ("why",),
    CallRecord: ("response", "thinking", "said", "tail", "error"),
}
"""Record to those of its fields that are text. What is nested in others is below."""

_MARK = re.compile(r"\[withheld sha256:([0-9a-f]{64}) chars:\d+\]")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


def withheld(text: str) -> str:
    """Write what stands in a text's place; nothing stays nothing.

    Example:
        >>> withheld("Well?")[:25], withheld("Well?")[-9:], withheld("")
        ('[withheld sha256:8a0a68ff', ' chars:5]', '')
    """
    return f"[withheld sha256:{_sha256(text)} chars:{len(text)}]" if text else ""


def sha256_of_withheld(text: str) -> str:
    """Tell the hash of the text in whose place this stands.

    Example:
        >>> sha256_of_withheld(withheld("Well?")) == sha256_of("Well?")
        True
    """
    mark = _MARK.fullmatch(text)
    return mark[1] if mark else sha256_of(text)


class Withholder:
    """Takes the texts out of one run's records, in their order.

    Args:
        spec: The run's. The names of its bots and of open channels stay where a world's
            event or an action's arguments have nothing but one of them.
    """

    def __init__(self, spec: Spec) -> None:
        self._names = {bot.name for bot in spec.bots} | {one.name for one in spec.channels}
        self._opened: set[str] = set()

    def commit(self, sealed: Sealed) -> Sealed:
        """Take the texts out of a commit. Its number, links, times and hash stay."""
        was = sealed.commit
        self._opened |= {one.channel for one in was.events if isinstance(one, ChannelOpened)}
        commit = was.model_copy(
            update={
                "inputs": tuple(_without_texts(one) for one in was.inputs),
                "noticed": tuple(_without_texts(one) for one in was.noticed),
                "events": tuple(self._event(one) for one in was.events),
            }
        )
        self._opened -= {one.channel for one in was.events if isinstance(one, ChannelClosed)}
        return Sealed(commit=commit, body=commit.model_dump_json(), sha256=sealed.sha256)

    def call(self, call: RecordedCall) -> RecordedCall:
        """Take the texts out of a call."""
        record = call.record
        if record is None:
            body = json.dumps(withheld(call.body))
        else:
            messages = tuple(
                one.model_copy(update={"content": withheld(one.content)}) for one in record.messages
            )
            changes = {
                "messages": messages,
                "action": record.action and self._action(record.action),
                "cut": tuple((rule, withheld(text)) for rule, text in record.cut),
                "format": _as_one(record.format),
            }
            body = _without_texts(record).model_copy(update=changes).model_dump_json()
        return reread_call(call.id, call.sha256, body)

    def _event(self, event: Event) -> Event:
        match event:
            case OpenEvent():
                told = self._json(event.model_extra or {})
                return OpenEvent.model_validate({**dict(told), "kind": event.kind})  # type: ignore[arg-type]
            case Acted() | FellBack():
                return event.model_copy(update={"action": self._action(event.action)})
            case Granted():
                return event.model_copy(update={"ask": self._ask(event.ask)})
            case Intervened():
                return _without_texts(event).model_copy(update={"args": self._json(event.args)})
        return _without_texts(event)

    def _action(self, action: Action) -> Action:
        if isinstance(action, Act):
            return action.model_copy(update={"args": self._json(action.args)})
        return _without_texts(action)

    def _ask(self, ask: Ask) -> Ask:
        if isinstance(ask, AskSay):
            return _without_texts(ask)
        changes = {
            "answer_schema": _as_one(ask.answer_schema),
            "legal": (_as_one(list(ask.legal)),) if ask.legal else (),
            "view": _as_one(ask.view),
        }
        return _without_texts(ask).model_copy(update=changes)

    def _json(self, value: JsonValue) -> JsonValue:
        """Take the texts out of what has a shape of its own."""
        if isinstance(value, str):
            return value if value in self._names or value in self._opened else withheld(value)
        if isinstance(value, list):
            return [self._json(one) for one in value]
        if isinstance(value, dict):
            return {
                key if _KEY.fullmatch(key) else withheld(key): self._json(one)
                for key, one in value.items()
            }
        return value


def _without_texts(model: M) -> M:
    fields = TEXTS.get(type(model), ())
    texts = {name: getattr(model, name) for name in fields}
    changes = {name: withheld(text) for name, text in texts.items() if text}
    return model.model_copy(update=changes) if changes else model


def _as_one(value: JsonValue) -> JsonValue:
    """Put one digest in the place of a whole that is nothing without its texts."""
    return None if value is None else withheld(json.dumps(value, sort_keys=True))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
