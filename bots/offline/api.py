"""The offline model's API: from a method, a path and a body to a reply. No sockets here.

Faults, queues and load times (they come with the calls' own issue) wrap `Api.reply`:
what a reply says and how it goes over the wire are two things.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue

from bots.offline import wire
from bots.offline.phrases import speak
from bots.offline.reader import read_scene
from bots.offline.request import (
    Asked,
    Body,
    Refused,
    parse_body,
    read_bool,
    read_chat,
    read_generate,
    read_text,
)
from bots.offline.shapes import Shape
from utils.seeds import Chance

HOME = "parley-offline is running (not a language model)"
JSON = "application/json; charset=utf-8"
NDJSON = "application/x-ndjson"
TEXT = "text/plain"
KEEP_ALIVE_S = 300.0

JsonObject = dict[str, JsonValue]
Line = Callable[[str], JsonObject]
"""From a piece of text to the line that carries it."""
NO_MANIFEST = "pull model manifest: file does not exist"


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply: a status and its body, in one piece or line by line.

    Args:
        status: HTTP status.
        content_type: The header of that name.
        body: Pieces in order. Taking the next one may wait, when the server is paced.
        streamed: Whether each piece is sent as soon as it is there.
    """

    status: int
    content_type: str
    body: Iterator[bytes]
    streamed: bool = False


def whole(value: JsonValue, status: int = 200) -> Reply:
    """Reply with one JSON value."""
    return Reply(status, JSON, iter([wire.encode(value)]))


def plain(text: str, status: int = 200) -> Reply:
    """Reply with text, as Ollama's router does for what it does not know."""
    return Reply(status, TEXT, iter([text.encode()]))


class Api:
    """Answers as Ollama would, for models that are none.

    Args:
        models: Names it goes by; `:latest` is understood.
        now: The wall time, for `created_at` and `expires_at`.
        wait_tokens: Waits as long as so many tokens take.
        token_ns: How long one token takes, nanoseconds, as told in the replies.
    """

    def __init__(
        self,
        models: Sequence[str],
        *,
        now: Callable[[], datetime],
        wait_tokens: Callable[[int], None],
        token_ns: int = wire.TOKEN_NS,
    ) -> None:
        self._names = {
            full_name(model): f"{model.partition(':')[0]}:{_tag(model)}" for model in models
        }
        self._now, self._wait_tokens, self._token_ns = now, wait_tokens, token_ns
        self._loaded_until: dict[str, datetime] = {}
        self._routes: dict[str, dict[str, Callable[[bytes], Reply]]] = {
            "/": {"GET": lambda _: plain(HOME)},
            "/api/version": {"GET": lambda _: whole({"version": wire.SERVER_VERSION})},
            "/api/tags": {"GET": lambda _: self._tags()},
            "/api/ps": {"GET": lambda _: self._running()},
            "/api/show": {"POST": self._show},
            "/api/pull": {"POST": self._pull},
            "/api/embed": {"POST": self._embed},
            "/api/chat": {"POST": self._chat},
            "/api/generate": {"POST": self._generate},
        }

    def reply(self, method: str, path: str, body: bytes) -> Reply:
        """Answer one request.

        Args:
            method: In capitals. HEAD is answered like GET; the body is not for sending.
            path: With or without a query.
            body: Empty when there was none.
        """
        methods = self._routes.get(path.partition("?")[0])
        if methods is None:
            return plain("404 page not found", 404)
        answer = methods.get("GET" if method == "HEAD" else method)
        if answer is None:
            return plain("405 method not allowed", 405)
        try:
            return answer(body)
        except Refused as refusal:
            return whole({"error": refusal.message}, refusal.status)

    def _tags(self) -> Reply:
        return whole({"models": [wire.tag(name) for name in self._names.values()]})

    def _running(self) -> Reply:
        loaded = [
            (name, until) for name, until in [*self._loaded_until.items()] if until > self._now()
        ]
        return whole({"models": [wire.running(name, until) for name, until in loaded]})

    def _show(self, body: bytes) -> Reply:
        asked = parse_body(body, "ShowRequest")
        model = read_text(asked, "model", "ShowRequest") or read_text(asked, "name", "ShowRequest")
        if not model:
            raise Refused(400, "model is required")
        return whole(wire.shown(self._known(model)))

    def _pull(self, body: bytes) -> Reply:
        asked = parse_body(body, "PullRequest")
        model = read_text(asked, "model", "PullRequest") or read_text(asked, "name", "PullRequest")
        streams = read_bool(asked, "stream", "PullRequest", otherwise=True)
        if not model:
            raise Refused(400, "invalid model name")
        known = full_name(model) in self._names
        if not streams and not known:
            raise Refused(500, NO_MANIFEST)
        if not streams:
            return whole(wire.pulled()[-1])
        steps = wire.pulled()
        if not known:
            steps = [steps[0], {"error": NO_MANIFEST}]
        return Reply(200, NDJSON, (wire.encode(step) + b"\n" for step in steps), streamed=True)

    def _embed(self, body: bytes) -> Reply:
        asked = parse_body(body, "EmbedRequest")
        model = read_text(asked, "model", "EmbedRequest")
        texts = _inputs(asked)
        self._load(self._known(model), None)
        dimensions = asked.get("dimensions")
        if not isinstance(dimensions, int) or not 0 < dimensions <= wire.DIMENSIONS:
            dimensions = wire.DIMENSIONS
        reply: dict[str, JsonValue] = {"model": model}
        reply["embeddings"] = [[*wire.embedding(text, dimensions)] for text in texts]
        if texts:
            used = wire.Generation((), "stop", wire.count_tokens(texts)).metrics()
            kept = ("total_duration", "load_duration", "prompt_eval_count")
            reply |= {key: used[key] for key in kept}
        return whole(reply)

    def _chat(self, body: bytes) -> Reply:
        asked = read_chat(parse_body(body, "ChatRequest"))
        if not asked.model:
            raise Refused(400, "model is required")

        def line(content: str) -> JsonObject:
            return wire.chat_line(asked.model, content, created_at=wire.timestamp(self._now()))

        return self._answer(asked, line)

    def _generate(self, body: bytes) -> Reply:
        asked = read_generate(parse_body(body, "GenerateRequest"))

        def line(content: str) -> JsonObject:
            return wire.generate_line(asked.model, content, created_at=wire.timestamp(self._now()))

        return self._answer(asked, line)

    def _answer(self, asked: Asked, line: Line) -> Reply:
        """Say something, whole or token by token, or only load and unload."""
        name = self._known(asked.model)
        if not asked.messages and asked.keep_alive_s == 0:
            self._loaded_until.pop(name, None)
            return whole({**line(""), "done": True, "done_reason": "unload"})
        if asked.has_tools:
            raise Refused(400, f"registry.ollama.ai/library/{name} does not support tools")
        if asked.thinks:
            raise Refused(400, f'"{asked.model}" does not support thinking')
        self._load(name, asked.keep_alive_s)
        if not asked.messages:
            return whole({**line(""), "done": True, "done_reason": "load"})
        generation = generate(asked, token_ns=self._token_ns)
        if asked.streams:
            return Reply(200, NDJSON, self._lines(generation, line), streamed=True)
        return Reply(200, JSON, self._in_one_piece(generation, line))

    def _lines(self, generation: wire.Generation, line: Line) -> Iterator[bytes]:
        for token in generation.tokens:
            self._wait_tokens(1)
            yield wire.encode(line(token)) + b"\n"
        yield wire.encode(wire.ended(line(""), generation)) + b"\n"

    def _in_one_piece(self, generation: wire.Generation, line: Line) -> Iterator[bytes]:
        self._wait_tokens(len(generation.tokens))
        yield wire.encode(wire.ended(line(generation.text), generation))

    def _known(self, model: str) -> str:
        name = self._names.get(full_name(model))
        if name is None:
            raise Refused(404, f"model '{model}' not found")
        return name

    def _load(self, name: str, keep_alive_s: float | None) -> None:
        seconds = KEEP_ALIVE_S if keep_alive_s is None else keep_alive_s
        self._loaded_until[name] = self._now() + timedelta(seconds=seconds)


def generate(asked: Asked, *, token_ns: int = wire.TOKEN_NS) -> wire.Generation:
    """Answer a request for text: the phrase grammar, or JSON of the shape asked for.

    Pure. Without a seed the request itself is the seed.
    """
    seed = asked.options.seed
    if seed is None:
        spelled = wire.encode([[[one.role, one.content] for one in asked.messages], asked.shape])
        seed = int.from_bytes(hashlib.sha256(spelled).digest()[:8], "big")
    text = speak(read_scene(asked.messages), seed)
    if isinstance(asked.shape, dict):
        text = wire.encode(Shape(asked.shape, Chance(seed), text).example()).decode()
    elif asked.shape == "json":
        text = wire.encode({"text": text}).decode()
    tokens, reason = wire.tokens_in(text), "stop"
    if 0 < asked.options.num_predict < len(tokens):
        tokens, reason = tokens[: asked.options.num_predict], "length"
    said = "".join(tokens)
    stops = [at for at in (said.find(stop) for stop in asked.options.stop) if at >= 0]
    if stops:
        tokens, reason = wire.tokens_in(said[: min(stops)]), "stop"
    prompt = [message.content for message in asked.messages]
    context = wire.context([*prompt, "".join(tokens)]) if asked.has_context else ()
    return wire.Generation(tokens, reason, wire.count_tokens(prompt), token_ns, context)


def full_name(model: str) -> str:
    """Spell a model's name in full, so that equal names are equal.

    Example:
        >>> full_name("library/Parley-Offline") == full_name("parley-offline:latest")
        True
    """
    name = model.casefold().removeprefix("registry.ollama.ai/").removeprefix("library/")
    return f"{name.partition(':')[0]}:{_tag(name)}"


def _tag(model: str) -> str:
    return model.partition(":")[2] or "latest"


def _inputs(asked: Body) -> list[str]:
    given = asked.get("input")
    if isinstance(given, str):
        return [given] if given else []
    if given is None:
        return []
    texts = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
    if not isinstance(given, list) or len(texts) != len(given):
        raise Refused(400, "invalid input type")
    return texts
