"""The mind's seam, one narrow waist: a request in, an answer or one error out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from utils.calls import ChatMessage, Noticed, Source
from utils.errors import BadInput
from utils.exchange import NO_EXCHANGE, Exchange
from utils.protocol import Action, Ask
from utils.spec import ModelSpec, Option


@dataclass(frozen=True, slots=True)
class Request:
    """What a mind is asked.

    Attributes:
        ask: What the grant asks, as data beside the messages: a rule or a trained
            model needs no prose.
        messages: The prompt, ending with a user message.
        options: The model's options as the scenario and the persona set them.
        seed: In [0, 2**31).
        allow_ms: How long this attempt may take, milliseconds, > 0.
        stops: Texts at which the model should stop.
    """

    bot: str
    channel: str
    turn: int
    tries: int
    ask: Ask
    messages: tuple[ChatMessage, ...]
    options: dict[str, Option]
    seed: int
    allow_ms: int
    stops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """What a server says of itself and of a model, as it goes to each call's record.

    Attributes:
        server: What it is, in which version, and where.
        digest: Of the weights.
        language_model: False when the server says it is none; none where nobody says.
        quantization: Of the weights, in the server's words.
        context_tokens: The longest context the model was made for; none if unknown.
        capabilities: What the server says the model can do.
    """

    server: str = ""
    digest: str = ""
    language_model: bool | None = None
    quantization: str = ""
    context_tokens: int | None = None
    capabilities: tuple[str, ...] = ()


NOTHING_KNOWN = About()


class BadOption(BadInput):
    """A mind has no such option, or it cannot have that value. `option` names it."""

    def __init__(self, what: str, *, option: str, mend: str = "") -> None:
        super().__init__(what, where=f"options.{option}", mend=mend)
        self.option = option


@dataclass(frozen=True, slots=True)
class Answer:
    """What a mind answered: words, or for a mind that needs none an action.

    `action` is none when `text` is still to be read as an answer to the ask.
    `sent` holds the options exactly as they were sent; `noticed` names what was odd
    about an answer that is one all the same. Durations are nanoseconds as the server
    reports them, none where it does not. `waited_ms` is how long the call waited for its
    turn at the server before it was sent.
    """

    text: str = ""
    action: Action | None = None
    thinking: str = ""
    done_reason: str = ""
    sent: dict[str, Option] = field(default_factory=dict)
    about: About = NOTHING_KNOWN
    exchange: Exchange = NO_EXCHANGE
    noticed: tuple[Noticed, ...] = ()
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    total_ns: int | None = None
    load_ns: int | None = None
    prompt_ns: int | None = None
    answer_ns: int | None = None
    waited_ms: int = 0


class StopSignal(Protocol):
    """Says that an answer is no longer wanted: the grant was revoked, or time is up."""

    def is_set(self) -> bool:
        """Whether to stop."""

    def when_set(self, act: Callable[[], None]) -> None:
        """Call `act`, from another thread, as soon as it is set, or now if it is."""


class Mind(Protocol):
    """What answers for bots. One mind serves all bots that name its model.

    Attributes:
        source: What the call record says answered.
        waits: Whether `answer` may take long; such a mind is asked in a thread, and
            must allow several threads at once.
    """

    source: Source
    waits: bool

    @property
    def about(self) -> About:
        """What is known by now of who answers."""

    def preflight(self) -> None:
        """Check that the mind can answer at all.

        Raises:
            Missing: A server or a model is not there; says the line that mends it.
        """

    def answer(self, request: Request, stop: StopSignal) -> Answer:
        """Answer one request, once: retries are the caller's.

        Raises:
            MindFailed: There is no answer; the error says what kind of failure.
        """

    def sends(self, request: Request) -> dict[str, Option]:
        """Tell the options that go out with a request, each one spelled out.

        Known before the call, so that a failed attempt's record has them too.
        """

    def close(self) -> None:
        """Let connections go."""


MindFactory = Callable[[ModelSpec], Mind]
