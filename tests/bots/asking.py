"""What the tests of minds ask, and of whom."""

from __future__ import annotations

from bots.minds.ollama import OllamaMind
from bots.minds.seam import Answer, Request
from bots.minds.stop import Stop
from tests.bots.raw_server import DONE, RawServer, Visit, line
from utils.calls import ChatMessage
from utils.protocol import Ask, AskSay
from utils.spec import ModelSpec, Option

ALLOW_MS = 20_000

MESSAGES = (
    ChatMessage(role="system", content="You are Ada."),
    ChatMessage(role="user", content="Bo: What is a town for?"),
)


def request(
    *,
    turn: int = 1,
    tries: int = 0,
    ask: Ask | None = None,
    messages: tuple[ChatMessage, ...] = MESSAGES,
    seed: int = 7,
    allow_ms: int = ALLOW_MS,
    **options: Option,
) -> Request:
    return Request(
        bot="ada",
        channel="main",
        turn=turn,
        tries=tries,
        ask=ask or AskSay(max_chars=400),
        messages=messages,
        options=options,
        seed=seed,
        allow_ms=allow_ms,
        stops=("\nBo:",),
    )


def model(host: str, **more: object) -> ModelSpec:
    return ModelSpec.model_validate({"model": "tiny", "host": host, **more})


def ask(server: RawServer, asked: Request | None = None) -> Answer:
    """Ask a mind that is made for this one question."""
    mind = OllamaMind(model(server.url))
    try:
        return mind.answer(asked or request(), Stop())
    finally:
        mind.close()


def well(visit: Visit) -> None:
    """Answer as a server should."""
    visit.stream(line("A town "), line("is for meeting."), DONE)
