"""The offline model's API: from a method, a path and a body to a reply. No sockets here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import JsonValue

from bots.offline import wire
from bots.offline.faults import Fault, FaultPlan, FaultPlayer
from bots.offline.mischief import Line, changed, instead, spoil
from bots.offline.models import Offered, renewed, spell_out
from bots.offline.phrases import speak
from bots.offline.reader import read_scene
from bots.offline.reply import JSON, NDJSON, Reply, plain, whole
from bots.offline.request import (
    Asked,
    Body,
    LoadKey,
    Refused,
    fitted,
    parse_body,
    read_bool,
    read_chat,
    read_generate,
    read_text,
)
from bots.offline.residence import IsGone, Residence, Stay
from bots.offline.shapes import Shape
from utils.seeds import Chance

HOME = "parley-offline is running (not a language model)"
NO_MANIFEST = "pull model manifest: file does not exist"


def never() -> bool:
    """Say no: the client is still there."""
    return False


class Api:
    """Answers as Ollama would, for models that are none.

    Args:
        models: What it offers.
        residence: Who is in memory, and who waits.
        plan: What goes wrong.
        now: The wall time, for `created_at`.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        models: Sequence[Offered],
        *,
        residence: Residence,
        plan: FaultPlan,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._models = {spell_out(model.name): model for model in models}
        self._residence, self._now, self._sleep = residence, now, sleep
        self.player = FaultPlayer(plan)
        self._routes: dict[str, dict[str, Callable[[bytes, IsGone], Reply]]] = {
            "/": {"GET": lambda *_: plain(HOME)},
            "/api/version": {"GET": lambda *_: whole({"version": wire.SERVER_VERSION})},
            "/api/tags": {"GET": lambda *_: self._tags()},
            "/api/ps": {"GET": lambda *_: self._running()},
            "/api/show": {"POST": self._show},
            "/api/pull": {"POST": self._pull},
            "/api/embed": {"POST": self._embed},
            "/api/chat": {"POST": self._chat},
            "/api/generate": {"POST": self._generate},
        }

    def reply(self, method: str, path: str, body: bytes, is_gone: IsGone = never) -> Reply:
        """Answer one request.

        Args:
            method: In capitals. HEAD is answered like GET; the body is not for sending.
            path: With or without a query.
            body: Empty when there was none.
            is_gone: Whether the client has hung up: nobody waits for it then.

        Raises:
            ConnectionError: The client is gone.
        """
        methods = self._routes.get(path.partition("?")[0])
        if methods is None:
            return plain("404 page not found", 404)
        answer = methods.get("GET" if method == "HEAD" else method)
        if answer is None:
            return plain("405 method not allowed", 405)
        try:
            return answer(body, is_gone)
        except Refused as refusal:
            return whole({"error": refusal.message}, refusal.status)

    @property
    def _digest(self) -> str:
        return renewed(wire.DIGEST, self.player.played["digest"])

    def _tags(self) -> Reply:
        digest = self._digest
        listed = [(one.full_name, one.size) for one in self._models.values()]
        return whole(
            {"models": [wire.tag(name, size=size, digest=digest) for name, size in listed]}
        )

    def _running(self) -> Reply:
        digest = self._digest
        loaded: list[JsonValue] = [
            wire.running(
                offered.full_name,
                until,
                size=offered.size,
                digest=digest,
                context_tokens=_context_tokens(key),
            )
            for offered, key, until in self._residence.loaded()
        ]
        return whole({"models": loaded})

    def _show(self, body: bytes, is_gone: IsGone) -> Reply:
        asked = parse_body(body, "ShowRequest")
        model = read_text(asked, "model", "ShowRequest") or read_text(asked, "name", "ShowRequest")
        if not model:
            raise Refused(400, "model is required")
        return whole(wire.shown(self._known(model).full_name))

    def _pull(self, body: bytes, is_gone: IsGone) -> Reply:
        asked = parse_body(body, "PullRequest")
        model = read_text(asked, "model", "PullRequest") or read_text(asked, "name", "PullRequest")
        streams = read_bool(asked, "stream", "PullRequest", otherwise=True)
        if not model:
            raise Refused(400, "invalid model name")
        known = spell_out(model) in self._models
        if not streams and not known:
            raise Refused(500, NO_MANIFEST)
        if not streams:
            return whole(wire.pulled()[-1])
        steps = wire.pulled()
        if not known:
            steps = [steps[0], {"error": NO_MANIFEST}]
        return Reply(200, NDJSON, (wire.encode(step) + b"\n" for step in steps), streamed=True)

    def _embed(self, body: bytes, is_gone: IsGone) -> Reply:
        asked = parse_body(body, "EmbedRequest")
        model = read_text(asked, "model", "EmbedRequest")
        texts = _inputs(asked)
        self._residence.enter(self._known(model), (), None, is_gone).leave()
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

    def _chat(self, body: bytes, is_gone: IsGone) -> Reply:
        fault = self.player.next()
        asked = read_chat(parse_body(body, "ChatRequest"))
        if not asked.model:
            raise Refused(400, "model is required")

        def line(content: str) -> dict[str, JsonValue]:
            return wire.chat_line(asked.model, content, created_at=wire.timestamp(self._now()))

        return self._answer(asked, line, fault, is_gone)

    def _generate(self, body: bytes, is_gone: IsGone) -> Reply:
        fault = self.player.next()
        asked = read_generate(parse_body(body, "GenerateRequest"))

        def line(content: str) -> dict[str, JsonValue]:
            return wire.generate_line(asked.model, content, created_at=wire.timestamp(self._now()))

        return self._answer(asked, line, fault, is_gone)

    def _answer(self, asked: Asked, line: Line, fault: Fault | None, is_gone: IsGone) -> Reply:
        """Say something, or only load and unload; or what a fault makes of it."""
        offered = self._known(asked.model)
        if not asked.messages and asked.keep_alive_s == 0:
            self._residence.unload(offered.full_name)
            return whole({**line(""), "done": True, "done_reason": "unload"})
        if asked.has_tools:
            name = f"registry.ollama.ai/library/{offered.full_name}"
            raise Refused(400, f"{name} does not support tools")
        if asked.thinks:
            raise Refused(400, f'"{asked.model}" does not support thinking')
        if fault is not None and (faulty := instead(fault)):
            return faulty
        asked = fitted(asked)
        if fault is not None and fault.fault == "latency":
            self._sleep(fault.seconds)
        stay = self._residence.enter(offered, asked.load_key, asked.keep_alive_s, is_gone)
        if not asked.messages:
            stay.leave()
            return whole({**line(""), "done": True, "done_reason": "load"})
        try:
            return replace(self._speech(asked, line, fault, stay), release=stay.leave)
        except BaseException:
            stay.leave()
            raise

    def _speech(self, asked: Asked, line: Line, fault: Fault | None, stay: Stay) -> Reply:
        """Say something, whole or token by token."""
        pace = stay.room.offered.tokens_per_s
        token_s = 1 / pace if pace else 0.0
        generation = generate(asked, token_ns=round(token_s * 1e9) or wire.TOKEN_NS)
        generation = replace(generation, load_ns=stay.load_ns, slot_ns=stay.slot_ns)
        if fault is not None:
            generation = changed(fault, generation, read_scene(asked.messages).others)
        drip_s = fault.seconds if fault is not None and fault.fault == "drip" else 0.0
        lines = self._lines(generation, line, token_s + drip_s)
        spoilt = spoil(fault, lines, line) if fault is not None else None
        if spoilt is not None:
            return Reply(200, NDJSON, spoilt.lines, streamed=True, end=spoilt.end)
        if asked.streams or drip_s:
            return Reply(200, NDJSON, lines, streamed=True)
        return Reply(200, JSON, self._in_one_piece(generation, line, token_s))

    def _lines(self, generation: wire.Generation, line: Line, token_s: float) -> Iterator[bytes]:
        if generation.thinking:
            yield wire.encode(wire.thinking_line(line(""), generation.thinking)) + b"\n"
        for token in generation.tokens:
            if token_s:
                self._sleep(token_s)
            yield wire.encode(line(token)) + b"\n"
        yield wire.encode(wire.ended(line(""), generation)) + b"\n"

    def _in_one_piece(
        self, generation: wire.Generation, line: Line, token_s: float
    ) -> Iterator[bytes]:
        if token_s:
            self._sleep(token_s * len(generation.tokens))
        last = wire.ended(line(generation.text), generation)
        yield wire.encode(
            wire.thinking_line(last, generation.thinking) if generation.thinking else last
        )

    def _known(self, model: str) -> Offered:
        offered = self._models.get(spell_out(model))
        if offered is None:
            raise Refused(404, f"model '{model}' not found")
        return offered


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


def _context_tokens(key: LoadKey) -> int:
    """Tell how long the context is that a model was loaded with."""
    spelled = dict(key).get("num_ctx")
    asked = json.loads(spelled) if spelled else wire.CONTEXT_TOKENS
    return min(int(asked), wire.CONTEXT_TOKENS) if isinstance(asked, int | float) else 0


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
