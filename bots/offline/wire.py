"""What the offline model puts on the wire: Ollama's objects, as Go's encoder writes them."""

from __future__ import annotations

import hashlib
import json
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import JsonValue

from bots.offline.phrases import VERSION

SERVER_VERSION = "parley-offline-0.1"
FAMILY = "parley-offline"
NOT_A_MODEL = "not a language model"
DIGEST = hashlib.sha256(VERSION.encode()).hexdigest()
CONTEXT_TOKENS = 32_768
DIMENSIONS = 256
MODIFIED_AT = "2026-01-01T00:00:00Z"

LOAD_NS = 1_000_000
PROMPT_TOKEN_NS = 20_000
TOKEN_NS = 1_000_000
"""Made-up durations: they follow from the text alone, so the bytes are the same again."""

TOKEN = re.compile(r"\s*(?:\w+(?:['’-]\w+)*|[^\w\s])|\s+")
DETAILS: dict[str, JsonValue] = {
    "parent_model": "",
    "format": "phrases",
    "family": FAMILY,
    "families": [FAMILY],
    "parameter_size": "0",
    "quantization_level": "none",
}


@dataclass(frozen=True, slots=True)
class Generation:
    """A finished answer: its tokens, why it ended, and what it took.

    Attributes:
        load_ns, slot_ns: What was waited for, beside `LOAD_NS`: a load, and a slot.
    """

    tokens: tuple[str, ...]
    done_reason: str
    prompt_tokens: int
    token_ns: int = TOKEN_NS
    context: tuple[int, ...] = ()
    thinking: str = ""
    load_ns: int = 0
    slot_ns: int = 0

    @property
    def text(self) -> str:
        """The answer whole."""
        return "".join(self.tokens)

    def metrics(self) -> dict[str, JsonValue]:
        """Give the durations, in nanoseconds, and the counts of a last line."""
        prompt_ns = self.prompt_tokens * PROMPT_TOKEN_NS
        eval_ns = len(self.tokens) * self.token_ns
        return {
            "total_duration": LOAD_NS + self.load_ns + self.slot_ns + prompt_ns + eval_ns,
            "load_duration": LOAD_NS + self.load_ns,
            "prompt_eval_count": self.prompt_tokens,
            "prompt_eval_duration": prompt_ns,
            "eval_count": len(self.tokens),
            "eval_duration": eval_ns,
        }


def encode(value: JsonValue) -> bytes:
    r"""Write JSON as Go's encoder does: compact, ASCII here, and safe inside HTML.

    Example:
        >>> encode({"a": "<b> \u2028"})
        b'{"a":"\\u003cb\\u003e \\u2028"}'
    """
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text.encode("ascii")


def timestamp(moment: datetime) -> str:
    """Write a moment as Go does: UTC, and no zeros at the end of the fraction.

    Example:
        >>> timestamp(datetime(2026, 8, 1, 12, 0, 0, 250_000, tzinfo=UTC))
        '2026-08-01T12:00:00.25Z'
    """
    moment = moment.astimezone(UTC)
    fraction = f".{moment.microsecond:06d}".rstrip("0").rstrip(".")
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def tokens_in(text: str) -> tuple[str, ...]:
    """Cut a text into this server's own tokens: words and marks, each with its space.

    Example:
        >>> tokens_in("Yes, don't.")
        ('Yes', ',', " don't", '.')
    """
    return tuple(TOKEN.findall(text))


def chat_line(model: str, content: str, *, created_at: str) -> dict[str, JsonValue]:
    """Write one line of a chat before its end."""
    message: JsonValue = {"role": "assistant", "content": content}
    return {"model": model, "created_at": created_at, "message": message, "done": False}


def generate_line(model: str, content: str, *, created_at: str) -> dict[str, JsonValue]:
    """Write one line of `/api/generate` before its end."""
    return {"model": model, "created_at": created_at, "response": content, "done": False}


def thinking_line(line: Mapping[str, JsonValue], thought: str) -> dict[str, JsonValue]:
    """Put a thought where a line of a chat, or of `/api/generate`, has it."""
    message = line.get("message")
    if isinstance(message, dict):
        return {**line, "message": {**message, "thinking": thought}}
    return {**line, "thinking": thought}


def context(texts: Sequence[str]) -> tuple[int, ...]:
    """Give the tokens of a conversation as numbers, as `/api/generate` still does."""
    tokens = (token for text in texts for token in tokens_in(text))
    return tuple(zlib.crc32(token.encode("utf-8", "replace")) % 65_536 for token in tokens)


def ended(line: Mapping[str, JsonValue], generation: Generation) -> dict[str, JsonValue]:
    """Make a line the last one of an answer."""
    last = {**line, "done": True, "done_reason": generation.done_reason}
    if generation.context:
        last["context"] = [*generation.context]
    return last | generation.metrics()


def tag(name: str, *, size: int, digest: str) -> dict[str, JsonValue]:
    """Describe a model as `/api/tags` does."""
    described: dict[str, JsonValue] = {"name": name, "model": name, "modified_at": MODIFIED_AT}
    return {**described, "size": size, "digest": digest, "details": DETAILS}


def running(
    name: str, expires_at: datetime, *, size: int, digest: str, context_tokens: int
) -> dict[str, JsonValue]:
    """Describe a loaded model as `/api/ps` does."""
    described: dict[str, JsonValue] = {"name": name, "model": name, "size": size, "digest": digest}
    described |= {"details": DETAILS, "expires_at": timestamp(expires_at), "size_vram": 0}
    return {**described, "context_length": context_tokens}


def shown(name: str) -> dict[str, JsonValue]:
    """Describe a model as `/api/show` does, and say what it is not."""
    about = f"{FAMILY} is {NOT_A_MODEL}: a seeded phrase grammar that understands nothing."
    return {
        "license": f"{about} It is part of Parley and under Parley's license.",
        "modelfile": f'# Modelfile generated by "ollama show"\n# {about}\nFROM {name}\n',
        "parameters": "",
        "template": "{{ .Prompt }}",
        "details": DETAILS,
        "model_info": {
            "general.architecture": FAMILY,
            "general.parameter_count": 0,
            "parley.language_model": False,
            "parley.phrases": VERSION,
            f"{FAMILY}.context_length": CONTEXT_TOKENS,
            f"{FAMILY}.embedding_length": DIMENSIONS,
        },
        "capabilities": ["completion"],
        "modified_at": MODIFIED_AT,
    }


def pulled() -> list[dict[str, JsonValue]]:
    """Tell of a pull, step by step, though there is nothing to fetch."""
    layer: dict[str, JsonValue] = {"status": f"pulling {DIGEST[:12]}", "digest": f"sha256:{DIGEST}"}
    return [
        {"status": "pulling manifest"},
        {**layer, "total": len(VERSION), "completed": len(VERSION)},
        {"status": "verifying sha256 digest"},
        {"status": "writing manifest"},
        {"status": "success"},
    ]


def embedding(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Place a text in space by the words in it: feature hashing, no meaning.

    Args:
        text: Any text.
        dimensions: How many numbers to keep, in [1, `DIMENSIONS`].

    Returns:
        A vector of length 1, shape (dimensions,). Texts that share words lie closer.

    Source:
        Weinberger et al. 2009, Feature Hashing for Large Scale Multitask Learning.
    """
    vector = [0.0] * DIMENSIONS
    words = re.findall(r"\w+", text.casefold()) or [text]
    for word in words:
        for part, weight in ((word, 1.0), (word[:5] + "*", 0.5)):
            drawn = hashlib.sha256(part.encode("utf-8", "replace")).digest()
            vector[drawn[0] % DIMENSIONS] += weight if drawn[1] & 1 else -weight
    kept = vector[:dimensions]
    norm = math.sqrt(math.fsum(value * value for value in kept))
    return [round(value / norm, 8) for value in kept] if norm else [1.0, *kept[1:]]


def count_tokens(texts: Sequence[str]) -> int:
    """Count the tokens of several texts."""
    return sum(len(tokens_in(text)) for text in texts)
