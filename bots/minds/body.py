"""The body of a chat request: the bytes that are hashed, and that can be made again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from utils.calls import CallRecord, ChatMessage
from utils.protocol import Ask, AskAct
from utils.spec import ModelSpec, Option, Think

OPENAI_PARAMETERS: dict[str, JsonValue] = {
    "stream": True,
    "stream_options": {"include_usage": True},
}
"""What a request to OpenAI's API holds beside what a record has by other names."""


def parameters_of(model: ModelSpec) -> dict[str, JsonValue]:
    """Give all that a request to Ollama holds beside what a record has by other names.

    `truncate` and `shift` are not in the client's vocabulary: the transport puts them
    in. They are constant per model, because another `shift` loads the model anew.
    """
    keep = model.keep_alive
    return {
        "keep_alive": int(keep) if keep in {"-1", "0"} else keep,  # "-1" alone is no duration
        "shift": model.shift,
        "stream": True,
        "truncate": model.truncate,
    }


def format_of(ask: Ask) -> dict[str, Any] | None:
    """Give the schema an answer must fit, where an action is asked; none for free text."""
    schema = ask.answer_schema if isinstance(ask, AskAct) else None
    return schema if isinstance(schema, dict) else None


def encoded(body: Mapping[str, Any]) -> bytes:
    r"""Write a body: JSON with its keys sorted, no spaces, ASCII.

    Example:
        >>> encoded({"b": 1, "a": "\u2028"})
        b'{"a":"\\u2028","b":1}'
    """
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def rebuilt(record: CallRecord) -> bytes:
    """Make the body of a request again from what its record holds.

    Returns:
        The bytes that were sent: their SHA-256 is the record's `request_sha256`, unless
        that is empty.
    """
    if record.mind == "openai":
        body = openai_body(
            model=record.model,
            messages=record.messages,
            options=record.options,
            think=record.think,
            format=record.format,
        )
        return encoded(body | record.parameters)
    body = {
        "model": record.model,
        "messages": _plain_messages(record.messages),
        "options": _plain_options(record.options),
        "think": record.think,
        **record.parameters,
    }
    return encoded(body if record.format is None else {**body, "format": record.format})


def openai_body(
    *,
    model: str,
    messages: Sequence[ChatMessage],
    options: Mapping[str, Option],
    think: Think,
    format: JsonValue,
) -> dict[str, Any]:
    """Write a request as OpenAI's API has it, without `OPENAI_PARAMETERS`."""
    body: dict[str, Any] = {
        "model": model,
        "messages": _plain_messages(messages),
        **_plain_options(options),
    }
    if think:
        body["reasoning_effort"] = think
    if format is not None:
        schema = {"name": "answer", "schema": format, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def _plain_messages(messages: Sequence[ChatMessage]) -> list[dict[str, str]]:
    return [message.model_dump() for message in messages]


def _plain_options(options: Mapping[str, Option]) -> dict[str, object]:
    return {name: _plain(option) for name, option in options.items()}


def _plain(option: Option) -> object:
    return list(option) if isinstance(option, tuple) else option
