"""A mind that asks any server with OpenAI's chat API: llama.cpp, vLLM, LM Studio, others.

Straight on httpx, over the same cuttable wire as Ollama's. One request is one stream of
server-sent events; an answer is whole only when a choice has a `finish_reason`. Nothing
is tried twice in here, and every failure is a `MindFailed`: see `bots.minds.failures`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import httpx
from pydantic import JsonValue

from bots.minds.body import OPENAI_PARAMETERS, format_of, openai_body
from bots.minds.failures import UNREADABLE, failed, failed_status, no_done, well_formed
from bots.minds.openai_events import Heard, events_in
from bots.minds.seam import NOTHING_KNOWN, About, Answer, Request, StopSignal
from bots.minds.secret import Secret
from bots.minds.tap import Tap
from bots.minds.wire import Wire, WireTransport, guarded
from utils.calls import Source
from utils.errors import BadInput, MindFailed, Missing
from utils.settings import DEFAULT_OPENAI_HOST
from utils.spec import ModelSpec, Option

PREFLIGHT_MS = 30_000
KEY_VARIABLE = "OPENAI_API_KEY"
"""Where the key is found, if the server wants one. It goes into no record and no log."""

DEFAULT_OPTIONS: dict[str, Option] = {
    "temperature": 1.0,
    "top_p": 1.0,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
}
"""What the API documents for a request that says nothing. Sent, so that the record has it.

Source: OpenAI API reference, "Create chat completion", of 2026. Other options go to the
server as the scenario spells them; llama.cpp knows `top_k`, `min_p`, `cache_prompt`.
"""

OWN_NAMES = {"num_predict": "max_tokens"}
"""Options that Parley spells as Ollama does, to how this API spells them."""

NOT_SENT = ("num_ctx",)
"""Options that bound our own prompt and are no parameter of this API."""

FAULTS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, *UNREADABLE)


class OpenAIMind:
    """Asks one model of one server.

    Args:
        model: Names the model; `host` is the API's base, such as
            `http://127.0.0.1:8080/v1`.

    Raises:
        BadInput: No model is named, the host is no URL, or the key is none.
    """

    source: Source = "model"
    waits = True
    about = NOTHING_KNOWN

    def __init__(self, model: ModelSpec) -> None:
        if not model.model:
            raise BadInput("the mind 'openai' needs a model", mend="name one of those it serves")
        self._host = (model.host or DEFAULT_OPENAI_HOST).rstrip("/")
        url = httpx.URL(self._host)
        if url.scheme not in {"http", "https"} or not url.host:
            mend = f"write it like {DEFAULT_OPENAI_HOST}"
            raise BadInput(f"'{self._host}' is no address", mend=mend)
        if model.think is True:
            what = "the mind 'openai' cannot ask a model to think without saying how much"
            raise BadInput(what, mend="write think: low, medium or high")
        self._model, self._secret = model, Secret(KEY_VARIABLE)
        self._shown = f"{url.scheme}://{url.host}{f':{url.port}' if url.port else ''}{url.path}"
        self._lock = Lock()
        self._free: list[WireTransport] = []
        self._is_closed = False

    def preflight(self) -> None:
        """Ask the server which models it has.

        Raises:
            Missing: No server answers, or it lacks the model.
        """
        try:
            known = self._models()
        except MindFailed as failure:
            raise Missing(
                f"no server with OpenAI's API at {self._shown}: "
                f"{self._secret.hide(failure.detail)}",
                mend="start it, or name another with host:",
            ) from failure
        if self._model.model not in known:
            there = self._secret.hide(", ".join(known[:6])) or "none"
            raise Missing(f"model '{self._model.model}' is not at {self._shown}; there is {there}")

    def answer(self, request: Request, stop: StopSignal) -> Answer:
        """Ask the model, once. What comes back is given without the key.

        Raises:
            MindFailed: There is no answer.
        """
        return self._secret.hide_in_what_comes(lambda: self._ask(request, stop))

    def _ask(self, request: Request, stop: StopSignal) -> Answer:
        heard, tap = Heard(), Tap(OPENAI_PARAMETERS)
        sent = self.sends(request)
        body = openai_body(
            model=self._model.model,
            messages=request.messages,
            options=sent,
            think=self._model.think,
            format=format_of(request.ask),
        )
        with guarded(stop, allow_ms=request.allow_ms) as wire, self._line(wire) as line:
            wire.tap = tap
            try:
                with self._reported(wire, heard):
                    server = self._hear(line, wire, body, heard)
            except MindFailed as failure:
                failure.exchange = tap.exchange(has_failed=True)
                failure.thinking = heard.thinking
                raise
            finally:
                wire.tap = None
        return Answer(
            text=heard.text,
            thinking=heard.thinking,
            done_reason=heard.done_reason,
            sent=sent,
            about=About(server=well_formed(f"{server} at {self._shown}")),
            prompt_tokens=heard.prompt_tokens,
            answer_tokens=heard.answer_tokens,
            prompt_ns=heard.prompt_ns,
            answer_ns=heard.answer_ns,
            exchange=tap.exchange(has_failed=False),
        )

    def sends(self, request: Request) -> dict[str, Option]:
        """Give all options of a request, each spelled as this API does."""
        own = {
            OWN_NAMES.get(name, name): value
            for name, value in request.options.items()
            if name not in NOT_SENT
        }
        if own.get("max_tokens", 1) == -1:  # Ollama's word for no bound
            del own["max_tokens"]
        stop = own.pop("stop", ())
        stops = tuple(
            dict.fromkeys((*(stop if isinstance(stop, tuple) else (str(stop),)), *request.stops))
        )
        options = {**DEFAULT_OPTIONS, **own, "seed": request.seed}
        return {**options, "stop": stops} if stops else options

    def close(self) -> None:
        """Close what is free; what is in use is closed after use."""
        with self._lock:
            self._is_closed = True
            free, self._free = self._free, []
        for line in free:
            line.close()

    def _models(self) -> list[str]:
        with (
            guarded(None, allow_ms=PREFLIGHT_MS) as wire,
            self._line(wire) as line,
            self._reported(wire, Heard()),
        ):
            response = line.handle_request(self._request("GET", "/models"))
            body = _read(response)
            if response.status_code != 200:
                raise failed_status(response.status_code, _why(body))
            return [str(one["id"]) for one in json.loads(body)["data"]]

    def _hear(
        self, line: WireTransport, wire: Wire, body: dict[str, JsonValue], heard: Heard
    ) -> str:
        """Send a request and take its answer in; give the server's name for itself."""
        response = line.handle_request(self._request("POST", "/chat/completions", body))
        try:
            if response.status_code != 200:
                raise failed_status(response.status_code, _why(response.read()))
            for event in events_in(response.iter_raw()):
                heard.take(event)
        finally:
            response.close()
        if not heard.done_reason:
            raise no_done(wire, partial=heard.text)
        return str(response.headers.get("server", "openai-compatible"))

    def _request(
        self, method: str, path: str, body: dict[str, JsonValue] | None = None
    ) -> httpx.Request:
        headers = {"Accept-Encoding": "identity"}
        if self._secret.key:
            headers["Authorization"] = f"Bearer {self._secret.key}"
        return httpx.Request(method, self._host + path, headers=headers, json=body)

    @contextmanager
    def _line(self, wire: Wire) -> Iterator[WireTransport]:
        """Lend a connection that nobody else uses, hung on the wire."""
        with self._lock:
            line = self._free.pop() if self._free else WireTransport(self._host)
        line.wire = wire
        try:
            yield line
        finally:
            with self._lock:
                is_kept = not self._is_closed
                if is_kept:
                    self._free.append(line)
            if not is_kept:
                line.close()

    @contextmanager
    def _reported(self, wire: Wire, heard: Heard) -> Iterator[None]:
        """Turn whatever connection or parser raises into a `MindFailed`."""
        try:
            yield
        except MindFailed:
            raise
        except FAULTS as error:
            raise failed(error, wire, partial=heard.text) from error


def _read(response: httpx.Response) -> bytes:
    try:
        return response.read()
    finally:
        response.close()


def _why(body: bytes) -> str:
    """Find what a server says of an error, wherever it says it."""
    try:
        error = json.loads(body)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except UNREADABLE:
        return body.decode("utf-8", "replace")
