"""A mind that asks an Ollama server. The only importer of `ollama`.

One request is one stream, and only a chunk with `done: true` ends it. Every option is
sent, so that the record holds what the server would else decide by itself. Nothing is
tried twice in here, and every failure is a `MindFailed`: see `bots.minds.failures`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import httpx

from bots.minds.failures import UNREADABLE, failed, failed_status, no_done, well_formed
from bots.minds.ollama_options import full_name, spelled_out
from bots.minds.seam import Answer, Request, StopSignal
from bots.minds.wire import Wire, WireTransport, guarded
from utils.calls import Source
from utils.errors import BadInput, MindFailed, Missing
from utils.protocol import Ask, AskAct
from utils.settings import DEFAULT_OLLAMA_HOST
from utils.spec import ModelSpec, Option

try:  # it makes a client at once, for the proxy that the environment names
    import ollama
except httpx.InvalidURL:  # which says what it could not read: part of a password, perhaps
    raise BadInput("a proxy's address cannot be read", mend="write odd characters as %XX") from None

PREFLIGHT_MS = 30_000
"""How long the questions about a server and a model may take; no model is loaded."""

OFFLINE_FAMILY = "parley-offline"
"""What the offline model calls its family, so that nobody takes it for a language model."""

FAULTS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, *UNREADABLE)

MAX_COUNT = 2**53

_USERINFO = re.compile(r"//[^/@]*@")
"""What must not come into a record of a server's address: who asks, and a password."""


@dataclass(frozen=True, slots=True)
class _About:
    """What a server says of itself and of a model, as it goes to each call's record."""

    server: str
    digest: str
    language_model: bool


@dataclass(frozen=True, slots=True)
class _Line:
    """A connection to the server, for one thread at a time."""

    transport: WireTransport
    client: ollama.Client


@dataclass(frozen=True, slots=True)
class _Words:
    """What has come of an answer so far."""

    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return well_formed("".join(self.text))


class OllamaMind:
    """Asks one model of one server.

    Args:
        model: Names the model; `host` is the server's URL, empty for this machine's.

    Raises:
        BadInput: No model is named, or the host is no URL.
    """

    source: Source = "model"
    waits = True

    def __init__(self, model: ModelSpec) -> None:
        if not model.model:
            raise BadInput("the mind 'ollama' needs a model", mend="name one, llama3.2:1b say")
        self._host = (model.host or DEFAULT_OLLAMA_HOST).rstrip("/")
        _check(self._host)
        self._model = model
        self._about: _About | None = None
        self._lock = Lock()
        self._free: list[_Line] = []
        self._is_closed = False

    def preflight(self) -> None:
        """Ask the server what it is, and whether it has the model.

        Raises:
            Missing: No server answers, or it lacks the model.
        """
        try:
            with guarded(None, allow_ms=PREFLIGHT_MS) as wire, self._line(wire) as line:
                self._about = self._ask_about(line, wire)
        except MindFailed as failure:
            raise self._missing(failure) from failure

    def answer(self, request: Request, stop: StopSignal) -> Answer:
        """Ask the model, once.

        Raises:
            MindFailed: There is no answer.
        """
        with guarded(stop, allow_ms=request.allow_ms) as wire, self._line(wire) as line:
            if self._about is None:
                self._about = self._ask_about(line, wire)
            return self._chat(line, wire, request, self._about)

    def sends(self, request: Request) -> dict[str, Option]:
        return spelled_out(request)

    def close(self) -> None:
        """Close what is free; what is in use is closed after use."""
        with self._lock:
            self._is_closed = True
            lines, self._free = self._free, []
        for line in lines:
            line.transport.close()

    @contextmanager
    def _line(self, wire: Wire) -> Iterator[_Line]:
        """Lend a connection that nobody else uses, hung on the wire."""
        with self._lock:
            free = self._free.pop() if self._free else None
        line = free or _connect(self._host)
        line.transport.wire = wire
        try:
            yield line
        finally:
            with self._lock:
                is_kept = not self._is_closed
                if is_kept:
                    self._free.append(line)
            if not is_kept:
                line.transport.close()

    @contextmanager
    def _reported(self, wire: Wire, words: _Words) -> Iterator[None]:
        """Turn whatever client, connection or parser raises into a `MindFailed`."""
        try:
            yield
        except ollama.ResponseError as error:
            if wire.cut_by:
                raise failed(error, wire, partial=str(words)) from error
            status = error.status_code if error.status_code > 0 else 200
            mend = f"; run: ollama pull {self._model.model}" if status == 404 else ""
            raise failed_status(status, f"{error.error}{mend}", partial=str(words)) from error
        except FAULTS as error:
            raise failed(error, wire, partial=str(words)) from error

    def _chat(self, line: _Line, wire: Wire, request: Request, about: _About) -> Answer:
        words, sent, keep = _Words(), spelled_out(request), self._model.keep_alive
        with self._reported(wire, words):
            chunks = line.client.chat(
                model=self._model.model,
                messages=[message.model_dump() for message in request.messages],
                stream=True,
                think=self._model.think,
                format=_format(request.ask),
                options=sent,
                keep_alive=int(keep) if keep in {"-1", "0"} else keep,  # "-1" alone is no duration
            )
            last = _last(chunks, words)
        if last is None:
            raise no_done(wire, partial=str(words))
        return Answer(
            text=str(words),
            thinking=well_formed("".join(words.thinking)),
            done_reason=well_formed(last.done_reason or ""),
            sent=sent,
            model_digest=about.digest,
            server=about.server,
            language_model=about.language_model,
            prompt_tokens=_count(last.prompt_eval_count),
            answer_tokens=_count(last.eval_count),
            total_ns=_count(last.total_duration),
            load_ns=_count(last.load_duration),
            prompt_ns=_count(last.prompt_eval_duration),
            answer_ns=_count(last.eval_duration),
        )

    def _ask_about(self, line: _Line, wire: Wire) -> _About:
        """Ask for version, digest and kind. Raises `MindFailed`."""
        asked = self._model.model
        with self._reported(wire, _Words()):
            body = line.transport.fetch(f"{self._host}/api/version")
            if wire.status == 404:
                raise MindFailed("protocol", "it has no /api/version", status=404)
            version = str(json.loads(body)["version"])
            models = line.client.list().models
            digests = [
                one.digest for one in models if full_name(one.model or "") == full_name(asked)
            ]
            if not digests:
                raise ollama.ResponseError(f"model '{asked}' not found", 404)
            shown = line.client.show(asked)
        family = shown.details.family if shown.details else None
        is_offline = family == OFFLINE_FAMILY or (
            (shown.modelinfo or {}).get("parley.language_model") is False
        )
        maker = OFFLINE_FAMILY if is_offline else "ollama"
        number = version.removeprefix(maker).lstrip("-/ ")
        return _About(
            server=well_formed(f"{maker} {number} at {_USERINFO.sub('//', self._host)}"),
            digest=well_formed(digests[0] or ""),
            language_model=not is_offline,
        )

    def _missing(self, failure: MindFailed) -> Missing:
        name = self._model.model
        if failure.kind == "not_found":
            return Missing(f"model '{name}' is not on the server", mend=f"run: ollama pull {name}")
        if failure.kind in {"unreachable", "timeout"}:
            return Missing(
                f"no model server at {self._host}",
                mend="start Ollama, or set OLLAMA_HOST, or use --offline",
            )
        return Missing(f"what is at {self._host} does not answer as Ollama does: {failure.detail}")


def _format(ask: Ask) -> dict[str, Any] | None:
    """Give the schema an answer must fit, where an action is asked; none for free text."""
    schema = ask.answer_schema if isinstance(ask, AskAct) else None
    return schema if isinstance(schema, dict) else None


def _last(chunks: Iterator[ollama.ChatResponse], words: _Words) -> ollama.ChatResponse | None:
    """Take chunks in up to the one that is done; none when there is no such.

    What a server may send after it is not waited for.
    """
    try:
        for chunk in chunks:
            words.text.append(chunk.message.content or "")
            words.thinking.append(chunk.message.thinking or "")
            if chunk.done:
                return chunk
        return None
    finally:
        chunks.close()  # type: ignore[attr-defined]  # a generator, by another name


def _connect(host: str) -> _Line:
    transport = WireTransport(host)
    client = ollama.Client(
        host,
        transport=transport,
        trust_env=False,  # the transport has seen to proxies
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},
    )
    return _Line(transport, client)


def _check(host: str) -> None:
    try:
        url = httpx.URL(host)
        fits = url.scheme in {"http", "https"} and url.host and (url.port or 80) < 65_536
    except httpx.InvalidURL:
        fits = False
    if not fits:
        raise BadInput(
            f"'{host}' is no address of a model server", mend="write it like http://127.0.0.1:11434"
        )


def _count(value: int | None) -> int | None:
    """Keep a count that can be one."""
    return value if value is not None and 0 <= value <= MAX_COUNT else None
