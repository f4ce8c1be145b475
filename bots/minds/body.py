"""The body of a chat request: the bytes that are hashed, and that can be made again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from utils.calls import ChatMessage
from utils.protocol import Ask, AskAct
from utils.spec import ModelSpec, Option


def parameters_of(model: ModelSpec) -> dict[str, Any]:
    """Give all that a request holds beside model, messages, options, `think` and `format`.

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


def rebuilt(
    *,
    model: str,
    messages: Sequence[ChatMessage],
    options: Mapping[str, Option],
    think: bool,
    format: object,
    parameters: Mapping[str, object],
) -> bytes:
    """Make the body of a request again from what its record holds.

    Returns:
        The bytes that were sent: their SHA-256 is the record's `request_sha256`.
    """
    body: dict[str, Any] = {
        "model": model,
        "messages": [message.model_dump() for message in messages],
        "options": {name: _plain(option) for name, option in options.items()},
        "think": think,
        **parameters,
    }
    return encoded(body if format is None else {**body, "format": format})


def _plain(option: Option) -> object:
    return list(option) if isinstance(option, tuple) else option
