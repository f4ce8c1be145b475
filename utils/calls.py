"""The record of one request to a model: everything asked, everything answered.

Every attempt is one entry of `parley:{run}:calls`, failed and cancelled ones too. What
the journal holds of a call is `call_sha256`, the hash of its record's bytes.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from utils.errors import FailureKind
from utils.journal import sha256_of
from utils.names import Name
from utils.protocol import Action, Count, Frozen, Sha256, Short
from utils.spec import Option, Think

Source = Literal["model", "scripted", "rule", "recorded", "remote", "orphan"]
Outcome = Literal["answered", "guarded", "malformed"] | FailureKind
"""What came of an attempt: an answer that was proposed; one that a guard of the scenario
kept back; one that was no answer to what was asked; or a failure."""

Noticed = Literal["model_changed", "digest_unchecked", "prompt_short"]
"""What was odd about an answer that is one all the same: the model behind its name is
not the one it was before; the server could not be asked which one it is; it counted far
fewer tokens than the prompt has."""

LATEST_CALLS = 1_000
"""How far back a host looks for the last call of a bot that it seats."""


class ChatMessage(Frozen):
    """One message of a chat, as it goes to the model."""

    role: Literal["system", "user", "assistant"]
    content: str


class Exposure(Frozen):
    """One thing a prompt was built from: seen in it, or left out, and why.

    `item` is a message id for kind `message`, else a name of the kind's own. For kind
    `messages_up_to` it is the id of the newest message the memory left out, and stands
    for that one and all older ones that the bot heard: so that a ledger does not grow
    with the conversation.
    """

    kind: Literal["message", "messages_up_to", "memory", "fact"] = "message"
    item: str
    seen: bool
    why: Literal["", "window", "budget"] = ""


class CallRecord(Frozen):
    """One attempt, whole.

    Attributes:
        call_id: The same for all attempts at one grant by one seat.
        attempt: From 1.
        source: What answered. Only `model` asks a server.
        language_model: False when the server says it is none, as the offline model does.
        estimated_tokens: What we took the prompt to be, before the server counted.
        token_scale: What such estimates were multiplied by to make the prompt fit, from
            the server's counts of the bot's earlier prompts.
        prompt, prompt_sha256: The template's name and hash.
        messages: The chat exactly as sent.
        response: The text as it came, whole; `partial` text of a failed attempt too.
        thinking: Text the server or the model set apart as thought.
        action: What a mind that needs no words would do: a rule, say, or a script.
        said: What was proposed of it; none when nothing was.
        cut: What of `response` is not in `said`, and by which rule, in order.
        done_reason: Why the model stopped, in the server's words.
        noticed: What was odd about an answer that is one all the same.
        quantization, context_tokens, capabilities: What the server says of the model.
        parameters: All that the request held beside model, messages, options, `think`
            and `format`; with these its bytes can be made again (`bots.minds.body`).
        request_sha256, response_sha256: Of the bodies exactly as they went over the
            wire; empty when there was none. A response that was cut is hashed as far as
            it was read.
        response_bytes: How many bytes of the response were read.
        tail: The last bytes of the response to an attempt that failed, for people.
        waited_ms: How long it waited for its turn at the server before it was sent.
        started_ms: Host's wall clock, milliseconds since 1970.
        took_ms: From sending to the last byte, by the host's monotonic clock.
    """

    v: Literal[1] = 1
    run: Name
    call_id: str
    attempt: int = Field(ge=1)
    bot: Name
    host: Name
    seat: Count
    channel: Name
    turn: Count
    tries: Count
    epoch: Count
    source: Source
    mind: Name
    model: str
    model_digest: str = ""
    server: str = ""
    language_model: bool | None = None
    quantization: str = ""
    context_tokens: Count | None = None
    capabilities: tuple[str, ...] = ()
    prompt: Name
    prompt_sha256: Sha256
    messages: tuple[ChatMessage, ...]
    messages_sha256: Sha256
    options: dict[str, Option]
    think: Think = False
    format: JsonValue = None
    parameters: dict[str, JsonValue] = {}
    seed: Count
    outcome: Outcome
    error: Short = ""
    status: int | None = None
    response: str = ""
    thinking: str = ""
    action: Action | None = None
    said: str | None = None
    cut: tuple[tuple[str, str], ...] = ()
    done_reason: str = ""
    noticed: tuple[Noticed, ...] = ()
    request_sha256: str = ""
    response_sha256: str = ""
    response_bytes: Count = 0
    tail: str = ""
    estimated_tokens: Count | None = None
    token_scale: Annotated[float, Field(gt=0)] = 1.0
    prompt_tokens: Count | None = None
    answer_tokens: Count | None = None
    total_ns: Count | None = None
    load_ns: Count | None = None
    prompt_ns: Count | None = None
    answer_ns: Count | None = None
    waited_ms: Count = 0
    started_ms: Count
    took_ms: Annotated[float, Field(ge=0)]
    exposures: tuple[Exposure, ...] = ()


def messages_sha256(messages: tuple[ChatMessage, ...]) -> str:
    """Hash a chat: each message's role and content, with their lengths between them."""
    return sha256_of("".join(f"{one.role}:{len(one.content)}:{one.content}\n" for one in messages))
