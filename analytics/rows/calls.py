"""calls.csv: one attempt at a model, whole."""

from __future__ import annotations

from functools import lru_cache

from pydantic import JsonValue

from analytics.cells import json_text
from analytics.columns import Row, as_json, boolean, decimal, integer, text
from analytics.fold import Fold
from analytics.withhold import sha256_of_withheld
from utils.callfile import RecordedCall
from utils.calls import CallRecord, ChatMessage
from utils.journal import sha256_of
from utils.spec import Option

COLUMNS = (
    text("call_sha256", "The record's hash, by which messages and turns name it.", "calls.b"),
    text(
        "call_id",
        "One for all attempts at a grant by a seat. Read it as text.",
        "CallRecord.call_id",
    ),
    integer("attempt", "From 1.", "CallRecord.attempt"),
    text("entry_id", "The record's place in the stream. Read it as text.", "calls.id"),
    integer("at_ms", "When it was recorded, server time since 1970.", "calls.id", unit="ms"),
    integer("run_ms", "When it was recorded, in run time.", "calls.id", unit="ms"),
    integer(
        "started_ms",
        "When it was sent, by the host's own clock since 1970: not to be mixed with `at_ms`.",
        "CallRecord.started_ms",
        unit="ms",
    ),
    integer(
        "waited_ms",
        "How long it waited for its turn at the server before that.",
        "CallRecord.waited_ms",
        unit="ms",
    ),
    decimal("took_ms", "From sending to the last byte.", "CallRecord.took_ms", unit="ms"),
    text("bot", "Who was to answer.", "CallRecord.bot"),
    text("host", "The host that sent it.", "CallRecord.host"),
    integer("seat", "The bot's seat.", "CallRecord.seat"),
    text("channel", "The grant's channel.", "CallRecord.channel"),
    integer("turn", "The grant's turn.", "CallRecord.turn"),
    integer("tries", "How many grants of that turn were revoked before.", "CallRecord.tries"),
    integer("epoch", "The grant: see `turns`.", "CallRecord.epoch"),
    text(
        "source",
        "What answered: `model scripted rule recorded remote` or `orphan`.",
        "CallRecord.source",
    ),
    boolean(
        "language_model",
        "False where the server says that no language model answers; empty where nobody says.",
        "CallRecord.language_model",
    ),
    text("mind", "The kind of mind.", "CallRecord.mind"),
    text("model", "The model that was asked.", "CallRecord.model"),
    text("model_digest", "The digest of its weights.", "CallRecord.model_digest"),
    text("server", "The server and its version.", "CallRecord.server"),
    text("quantization", "Of the weights, in the server's words.", "CallRecord.quantization"),
    integer(
        "context_tokens",
        "The longest context the model was made for.",
        "CallRecord.context_tokens",
        unit="tokens",
    ),
    text(
        "capabilities", "What the server says it can do, blanks between.", "CallRecord.capabilities"
    ),
    text("template", "The prompt template.", "CallRecord.prompt"),
    text("template_sha256", "The template's hash.", "CallRecord.prompt_sha256"),
    text(
        "prompt",
        "The whole prompt: each message under a line `[role]`, a blank line between.",
        "CallRecord.messages",
    ),
    text("prompt_sha256", "The hash of the chat as sent.", "CallRecord.messages_sha256"),
    text(
        "answer", "The text as it came; of a failed attempt what there was.", "CallRecord.response"
    ),
    text("answer_sha256", "The hash of that text's UTF-8 bytes.", "CallRecord.response"),
    text("thinking", "Text set apart as thought.", "CallRecord.thinking"),
    as_json(
        "action",
        "What a mind that needs no words would do; empty where the answer is a text.",
        "CallRecord.action",
    ),
    text("said", "What was proposed of the answer; empty if nothing was.", "CallRecord.said"),
    as_json("cut", "What of the answer is not in `said`: [rule, text] each.", "CallRecord.cut"),
    as_json("options", "The model's options as sent.", "CallRecord.options"),
    text(
        "think",
        "Whether the model was asked to think, or how much: `false true low medium high`.",
        "CallRecord.think",
    ),
    as_json("format", "The form that was demanded of the answer, if any.", "CallRecord.format"),
    as_json(
        "parameters",
        "What the request held beside all that.",
        "CallRecord.parameters",
    ),
    integer("seed", "The seed as sent.", "CallRecord.seed"),
    text(
        "request_sha256",
        "The hash of the request's body; empty if none was sent.",
        "CallRecord.request_sha256",
    ),
    text(
        "response_sha256",
        "The hash of the response's body as far as it was read; empty if none came.",
        "CallRecord.response_sha256",
    ),
    integer(
        "response_bytes", "How much of it was read.", "CallRecord.response_bytes", unit="bytes"
    ),
    text(
        "response_tail",
        "The end of the response to an attempt that failed.",
        "CallRecord.tail",
    ),
    text(
        "outcome",
        "`answered`; `guarded` where a guard kept the answer back; `malformed` where it was no "
        "answer to what was asked; or how it failed.",
        "CallRecord.outcome",
    ),
    text(
        "noticed",
        "What was odd about an answer: `model_changed digest_unchecked prompt_short`.",
        "CallRecord.noticed",
    ),
    text("error", "What was seen of the failure.", "CallRecord.error"),
    integer("status", "HTTP status, where there was one.", "CallRecord.status"),
    text("done_reason", "Why the model stopped, in its words.", "CallRecord.done_reason"),
    integer(
        "estimated_tokens",
        "What the prompt was taken to be before the server counted: a token for three bytes, "
        "and 8 a message.",
        "CallRecord.estimated_tokens",
        unit="tokens",
    ),
    decimal(
        "token_scale",
        "What estimates were multiplied by to make the prompt fit.",
        "CallRecord.token_scale",
        unit="none",
    ),
    integer("prompt_tokens", "As the server counts.", "CallRecord.prompt_tokens", unit="tokens"),
    integer("answer_tokens", "As the server counts.", "CallRecord.answer_tokens", unit="tokens"),
    decimal("total_ms", "The server's own total.", "CallRecord.total_ns", unit="ms"),
    decimal("load_ms", "The server's, for loading.", "CallRecord.load_ns", unit="ms"),
    decimal(
        "prompt_ms", "The server's, for reading the prompt.", "CallRecord.prompt_ns", unit="ms"
    ),
    decimal("answer_ms", "The server's, for the answer.", "CallRecord.answer_ns", unit="ms"),
)


def row(fold: Fold, call: RecordedCall, record: CallRecord) -> Row:
    """Write an attempt as a row."""
    answer_sha256 = sha256_of_withheld if call.is_withheld else sha256_of
    return (
        _place(fold, call, record)
        | _words(record, answer_sha256(record.response))
        | _outcome(record)
    )


def as_text(messages: tuple[ChatMessage, ...]) -> str:
    r"""Write a chat as one text.

    Example:
        >>> as_text(
        ...     (ChatMessage(role="system", content="Be."), ChatMessage(role="user", content="Hi"))
        ... )
        '[system]\nBe.\n\n[user]\nHi'
    """
    return "\n\n".join(f"[{message.role}]\n{message.content}" for message in messages)


def _place(fold: Fold, call: RecordedCall, record: CallRecord) -> Row:
    return {
        "call_sha256": call.sha256,
        "call_id": record.call_id,
        "attempt": record.attempt,
        "entry_id": call.id,
        "at_ms": call.at_ms,
        "run_ms": fold.run_ms(call.at_ms),
        "started_ms": record.started_ms,
        "waited_ms": record.waited_ms,
        "took_ms": record.took_ms,
        "bot": record.bot,
        "host": record.host,
        "seat": record.seat,
        "channel": record.channel,
        "turn": record.turn,
        "tries": record.tries,
        "epoch": record.epoch,
        "source": record.source,
        "language_model": record.language_model,
        "mind": record.mind,
        "model": record.model,
        "model_digest": record.model_digest,
        "server": record.server,
        "quantization": record.quantization,
        "context_tokens": record.context_tokens,
        "capabilities": " ".join(record.capabilities),
        "template": record.prompt,
        "template_sha256": record.prompt_sha256,
    }


def _words(record: CallRecord, answer_sha256: str) -> Row:
    return {
        "prompt": as_text(record.messages),
        "prompt_sha256": record.messages_sha256,
        "answer": record.response,
        "answer_sha256": answer_sha256,
        "thinking": record.thinking,
        "action": None if record.action is None else json_text(record.action.model_dump()),
        "said": record.said,
        "cut": json_text([list(one) for one in record.cut]) if record.cut else "[]",
        "options": _options_text(tuple(record.options.items()), _types(record.options)),
        "think": str(record.think).lower(),
        "format": None if record.format is None else json_text(record.format),
        "parameters": json_text(dict(record.parameters)) if record.parameters else "{}",
        "seed": record.seed,
        "request_sha256": record.request_sha256,
        "response_sha256": record.response_sha256,
        "response_bytes": record.response_bytes,
        "response_tail": record.tail,
    }


def _outcome(record: CallRecord) -> Row:
    return {
        "outcome": record.outcome,
        "noticed": " ".join(record.noticed),
        "error": record.error,
        "status": record.status,
        "done_reason": record.done_reason,
        "estimated_tokens": record.estimated_tokens,
        "token_scale": record.token_scale,
        "prompt_tokens": record.prompt_tokens,
        "answer_tokens": record.answer_tokens,
        "total_ms": _ms(record.total_ns),
        "load_ms": _ms(record.load_ns),
        "prompt_ms": _ms(record.prompt_ns),
        "answer_ms": _ms(record.answer_ns),
    }


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / 1_000_000


def _types(options: dict[str, Option]) -> tuple[type, ...]:
    return tuple(map(type, options.values()))


@lru_cache(maxsize=1_024)
def _options_text(options: tuple[tuple[str, Option], ...], types: tuple[type, ...]) -> str:
    """Write a model's options, which are the same in call after call.

    Args:
        types: Of the options: 1, 1.0 and true are equal, and not the same.
    """
    return json_text({name: _plain(option) for name, option in options})


def _plain(option: bool | int | float | str | tuple[str, ...]) -> JsonValue:
    return list(option) if isinstance(option, tuple) else option
