"""The door of the offline model: request bodies, parsed once, refused as Ollama refuses."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace

from pydantic import JsonValue

from bots.offline.reader import Message
from bots.offline.wire import count_tokens

FOREVER_S = 3_153_600_000.0
"""A negative `keep_alive` means for ever; a hundred years will do."""

DURATION = re.compile(r"(-?)((?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+)")
UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
SURROGATE = re.compile("[\ud800-\udfff]")
LEVELS = ("high", "medium", "low", "max")
LOAD_OPTIONS = (
    *("num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap"),
    "draft_num_predict",
)
"""Options with which a model is loaded: with others it is loaded anew, as with `shift`."""

Body = dict[str, JsonValue]
LoadKey = tuple[tuple[str, str], ...]
"""What a model was loaded with: option and value, as JSON."""


class Refused(Exception):
    """The request is answered with this status and `{"error": message}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True, slots=True)
class Options:
    """The options that change an answer here. Ollama has many more; they are accepted."""

    seed: int | None = None
    num_predict: int = -1
    stop: tuple[str, ...] = ()
    num_ctx: int | None = None
    load: LoadKey = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for text, from `/api/chat` or `/api/generate`."""

    model: str
    messages: tuple[Message, ...] = ()
    streams: bool = True
    shape: JsonValue = None
    options: Options = Options()
    keep_alive_s: float | None = None
    thinks: bool = False
    has_tools: bool = False
    has_context: bool = False
    truncates: bool = True
    shifts: bool = True

    @property
    def load_key(self) -> LoadKey:
        """What the model has to be loaded with for this request."""
        return (*self.options.load, ("shift", json.dumps(self.shifts)))


def parse_body(body: bytes, kind: str) -> Body:
    """Parse a body that must be a JSON object.

    Args:
        body: What was sent; bytes that are no UTF-8 are replaced, as Go does.
        kind: Go's name of the type, for the message.

    Raises:
        Refused: 400, with the words of Ollama's parser where they are known.
    """
    text = body.decode("utf-8", "replace")
    if not text.strip():
        raise Refused(400, "missing request body")
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or "Unterminated" in error.msg:
            raise Refused(400, "unexpected EOF") from error
        what = text[error.pos]
        raise Refused(400, f"invalid character '{what}' looking for beginning of value") from error
    except (ValueError, RecursionError) as error:
        raise Refused(400, "json: cannot unmarshal this value") from error
    if not isinstance(found, dict):
        raise Refused(
            400, f"json: cannot unmarshal {go_kind(found)} into Go value of type api.{kind}"
        )
    return found


def _no_constant(name: str) -> float:
    raise ValueError(name)


def go_kind(value: JsonValue) -> str:
    """Name a JSON value as Go's messages do.

    Example:
        >>> go_kind([]), go_kind(True), go_kind(1.5)
        ('array', 'bool', 'number')
    """
    names = {dict: "object", list: "array", str: "string", bool: "bool", type(None): "null"}
    return names.get(type(value), "number")


def read_text(body: Body, key: str, kind: str) -> str:
    """Take a string, empty when it is not there."""
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _mismatch(value, f"{kind}.{key}", "string")
    return SURROGATE.sub("\ufffd", value)


def read_bool(body: Body, key: str, kind: str, *, otherwise: bool) -> bool:
    """Take a truth value, or what holds when it is not there."""
    value = body.get(key)
    if value is None:
        return otherwise
    if not isinstance(value, bool):
        raise _mismatch(value, f"{kind}.{key}", "bool")
    return value


def read_chat(body: Body) -> Asked:
    """Read the body of `/api/chat`.

    Raises:
        Refused: A field has the wrong type (400), or an option has (500, as Ollama).
    """
    kind = "ChatRequest"
    return Asked(
        model=read_text(body, "model", kind),
        messages=_messages(body.get("messages")),
        streams=read_bool(body, "stream", kind, otherwise=True),
        shape=_shape(body.get("format")),
        options=_options(body.get("options")),
        keep_alive_s=_keep_alive_s(body.get("keep_alive")),
        thinks=_thinks(body.get("think")),
        has_tools=bool(body.get("tools")),
        truncates=read_bool(body, "truncate", kind, otherwise=True),
        shifts=read_bool(body, "shift", kind, otherwise=True),
    )


def read_generate(body: Body) -> Asked:
    """Read the body of `/api/generate`: a system prompt and one turn of the user's."""
    kind = "GenerateRequest"
    turns = (
        Message("system", read_text(body, "system", kind)),
        Message("user", read_text(body, "prompt", kind)),
    )
    return Asked(
        model=read_text(body, "model", kind),
        messages=tuple(turn for turn in turns if turn.content) if turns[1].content else (),
        streams=read_bool(body, "stream", kind, otherwise=True),
        shape=_shape(body.get("format")),
        options=_options(body.get("options")),
        keep_alive_s=_keep_alive_s(body.get("keep_alive")),
        thinks=_thinks(body.get("think")),
        has_context=not read_bool(body, "raw", kind, otherwise=False),
        truncates=read_bool(body, "truncate", kind, otherwise=True),
        shifts=read_bool(body, "shift", kind, otherwise=True),
    )


def fitted(asked: Asked) -> Asked:
    """Make a request fit the context it asks for, by leaving out what is oldest.

    The system messages and the last one stay, as with Ollama; `num_ctx` not given is
    room enough. Tokens are this server's own.

    Raises:
        Refused: 400, it does not fit, and is not to be truncated.
    """
    room = asked.options.num_ctx
    sizes = [count_tokens([message.content]) for message in asked.messages]
    if room is None or sum(sizes) <= room:
        return asked
    if not asked.truncates:
        raise Refused(400, "the input length exceeds the context length")
    left = room - sum(
        size
        for message, size in zip(asked.messages, sizes, strict=True)
        if message.role == "system"
    )
    kept: list[Message] = []
    for message, size in zip(reversed(asked.messages), reversed(sizes), strict=True):
        is_last = message is asked.messages[-1]
        left -= 0 if message.role == "system" else size
        if message.role == "system" or is_last or left >= 0:
            kept.insert(0, message)
    return replace(asked, messages=tuple(kept))


def _messages(value: JsonValue) -> tuple[Message, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _mismatch(value, "ChatRequest.messages", "[]api.Message")
    messages = []
    for one in value:
        if not isinstance(one, dict):
            raise _mismatch(one, "ChatRequest.messages", "api.Message")
        role, content = (read_text(one, key, "ChatRequest.messages") for key in ("role", "content"))
        messages.append(Message(role, content))
    return tuple(messages)


def _options(value: JsonValue) -> Options:
    if value is None:
        return Options()
    if not isinstance(value, dict):
        raise _mismatch(value, "options", "map[string]interface {}")
    seed = _integer(value, "seed")
    predict = _integer(value, "num_predict")
    stop = value.get("stop")
    if stop is not None and not isinstance(stop, list):
        raise Refused(500, 'option "stop" must be of type array')
    stops = tuple(one for one in stop or () if isinstance(one, str) and one)
    return Options(
        seed=None if seed == -1 else seed,
        num_predict=-1 if predict is None else predict,
        stop=stops,
        num_ctx=_integer(value, "num_ctx"),
        load=tuple((name, json.dumps(value[name])) for name in LOAD_OPTIONS if name in value),
    )


def _integer(options: Body, key: str) -> int | None:
    value = options.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Refused(500, f'option "{key}" must be of type integer')
    return int(value)


def _shape(value: JsonValue) -> JsonValue:
    if value in (None, "") or value == "json" or isinstance(value, dict):
        return value or None
    spelled = json.dumps(value)
    raise Refused(500, f'invalid format: {spelled}; expected "json" or a valid JSON Schema object')


def _thinks(value: JsonValue) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    if value in LEVELS:
        return True
    known = ", ".join(f'"{level}"' for level in LEVELS)
    spelled = json.dumps(value)
    raise Refused(400, f"invalid think value: {spelled} (must be {known}, true, or false)")


def _keep_alive_s(value: JsonValue) -> float | None:
    """Read seconds as a number, or a duration as Go spells it; negative means for ever."""
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value) if abs(value) < FOREVER_S else math.copysign(FOREVER_S, value)
    elif isinstance(value, str):
        if value in ("0", "-1"):
            return 0.0 if value == "0" else FOREVER_S
        spelled = DURATION.fullmatch(value)
        if not spelled:
            raise Refused(400, f'time: invalid duration "{value}"')
        parts = re.findall(r"(\d+(?:\.\d*)?)([a-zµ]+)", spelled[2])
        seconds = sum(float(number) * UNITS_S[unit] for number, unit in parts)
        seconds = -seconds if spelled[1] else seconds
    else:
        raise _mismatch(value, "keep_alive", "api.Duration")
    return FOREVER_S if seconds < 0 else min(seconds, FOREVER_S)


def _mismatch(value: JsonValue, where: str, kind: str) -> Refused:
    return Refused(
        400, f"json: cannot unmarshal {go_kind(value)} into Go struct field {where} of type {kind}"
    )
