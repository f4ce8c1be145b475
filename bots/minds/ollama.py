"""A mind that asks an Ollama server. The only importer of `ollama`.

One request is one stream, and only a chunk with `done: true` ends it. Every option is
sent, so that the record holds what the server would else decide by itself. Nothing is
tried twice in here, and every failure is a `MindFailed`: see `bots.minds.failures`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Lock

import httpx

from bots.minds.body import format_of, parameters_of
from bots.minds.failures import UNREADABLE, failed, failed_status, no_done, shown, well_formed
from bots.minds.ollama_about import ask_about, check_fit, running_digest
from bots.minds.ollama_options import check_options, full_name, spelled_out
from bots.minds.seam import NOTHING_KNOWN, About, Answer, Request, StopSignal
from bots.minds.secret import Secret
from bots.minds.tap import Tap
from bots.minds.wire import Wire, WireTransport, guarded
from utils.calls import Noticed, Source
from utils.errors import BadInput, MindFailed, Missing
from utils.settings import DEFAULT_OLLAMA_HOST
from utils.spec import ModelSpec, Option

try:  # it makes a client at once, for the proxy that the environment names
    import ollama
except httpx.InvalidURL:  # which says what it could not read: part of a password, perhaps
    raise BadInput("a proxy's address cannot be read", mend="write odd characters as %XX") from None

PREFLIGHT_MS = 30_000
"""How long the questions about a server and a model may take; no model is loaded."""

KEY_VARIABLE = "OLLAMA_API_KEY"
"""Where the client finds a key, if it is set. It goes into no record and no log."""

FAULTS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, *UNREADABLE)

MAX_COUNT = 2**53


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
        BadOption: The server has no such option.
    """

    source: Source = "model"
    waits = True

    def __init__(self, model: ModelSpec) -> None:
        if not model.model:
            raise BadInput("the mind 'ollama' needs a model", mend="name one, llama3.2:1b say")
        self._host = (model.host or DEFAULT_OLLAMA_HOST).rstrip("/")
        _check(self._host)
        check_options(model.options)
        self._model, self._secret = model, Secret(KEY_VARIABLE)
        self._about: About | None = None
        self._lock = Lock()
        self._free: list[_Line] = []
        self._is_closed = False

    def preflight(self) -> None:
        """Ask the server what it is, and whether it has the model.

        Raises:
            Missing: No server answers, or it lacks the model.
            BadInput: The model cannot do what the scenario asks of it.
        """
        try:
            with guarded(None, allow_ms=PREFLIGHT_MS) as wire, self._line(wire) as line:
                about = self._about = self._ask_about(line, wire)
        except MindFailed as failure:
            raise self._secret.hide_in_missing(self._missing(failure)) from failure
        check_fit(self._model, about)

    @property
    def about(self) -> About:
        """What is known by now of the server and the model."""
        return self._about or NOTHING_KNOWN

    def answer(self, request: Request, stop: StopSignal) -> Answer:
        """Ask the model, once. What comes back is given without the key.

        Raises:
            MindFailed: There is no answer.
        """
        return self._secret.hide_in_what_comes(lambda: self._ask(request, stop))

    def _ask(self, request: Request, stop: StopSignal) -> Answer:
        with guarded(stop, allow_ms=request.allow_ms) as wire, self._line(wire) as line:
            about = self._about = self._about or self._ask_about(line, wire)
            words, tap = _Words(), Tap(parameters_of(self._model))
            try:
                wire.tap = tap
                answer = self._chat(line, wire, request, words)
            except MindFailed as failure:
                failure.exchange = tap.exchange(has_failed=True)
                failure.thinking = well_formed("".join(words.thinking))
                raise
            finally:
                wire.tap = None
            about, noticed = self._checked(line, about)
            exchange = tap.exchange(has_failed=False)
            return replace(answer, about=about, noticed=noticed, exchange=exchange)

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

    def _chat(self, line: _Line, wire: Wire, request: Request, words: _Words) -> Answer:
        sent = spelled_out(request)
        with self._reported(wire, words):
            chunks = line.client.chat(
                model=self._model.model,
                messages=[message.model_dump() for message in request.messages],
                stream=True,
                think=self._model.think,
                format=format_of(request.ask),
                options=sent,
            )
            last = self._last(chunks, words)
        if last is None:
            raise no_done(wire, partial=str(words), pieces=words.text)
        return Answer(
            text=str(words),
            thinking=well_formed("".join(words.thinking)),
            done_reason=well_formed(last.done_reason or ""),
            sent=sent,
            prompt_tokens=_count(last.prompt_eval_count),
            answer_tokens=_count(last.eval_count),
            total_ns=_count(last.total_duration),
            load_ns=_count(last.load_duration),
            prompt_ns=_count(last.prompt_eval_duration),
            answer_ns=_count(last.eval_duration),
        )

    def _last(
        self, chunks: Iterator[ollama.ChatResponse], words: _Words
    ) -> ollama.ChatResponse | None:
        """Take chunks in up to the one that is done; none when there is no such.

        What a server may send after it is not waited for.

        Raises:
            MindFailed: It is another model that answers.
        """
        asked = full_name(self._model.model)
        try:
            for chunk in chunks:
                if chunk.model and full_name(chunk.model) != asked:
                    why = f"'{shown(chunk.model)}' answers, where another model was asked"
                    raise MindFailed("protocol", why, status=200, partial=str(words))
                words.text.append(chunk.message.content or "")
                words.thinking.append(chunk.message.thinking or "")
                if chunk.done:
                    return chunk
            return None
        finally:
            chunks.close()  # type: ignore[attr-defined]  # a generator, by another name

    def _ask_about(self, line: _Line, wire: Wire) -> About:
        """Ask for version, digest and kind. Raises `MindFailed`."""
        with self._reported(wire, _Words()):
            about = ask_about(line.transport, self._host, self._model.model)
        return self._secret.hide_in_about(about)

    def _checked(self, line: _Line, about: About) -> tuple[About, tuple[Noticed, ...]]:
        """Ask which weights have just answered: somebody may have pulled others meanwhile."""
        try:
            digest = running_digest(line.transport, self._host, self._model.model)
        except (MindFailed, *FAULTS):  # the answer is there, and worth more than this question
            digest = ""
        if not digest:
            return about, ("digest_unchecked",)
        if digest == about.digest:
            return about, ()
        self._about = None  # all of it is asked anew
        known = About(server=about.server, digest=digest, language_model=about.language_model)
        return known, ("model_changed",)

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
