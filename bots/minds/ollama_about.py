"""What an Ollama server says of itself and of a model: asked before the first chat."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

from pydantic import BaseModel, JsonValue

from bots.minds.failures import failed_status, well_formed
from bots.minds.ollama_options import DEFAULT_OPTIONS, full_name
from bots.minds.seam import About
from bots.minds.wire import WireTransport
from utils.errors import BadInput, MindFailed
from utils.spec import ModelSpec

M = TypeVar("M", bound=BaseModel)

OFFLINE_FAMILY = "parley-offline"
"""What the offline model calls its family, so that nobody takes it for a language model."""

CHECK_S = 2.0
"""How long the question may take which model has just answered."""

_USERINFO = re.compile(r"//[^/@]*@")
"""What must not come into a record of a server's address: who asks, and a password."""


class _Version(BaseModel):
    version: str


class _Details(BaseModel):
    family: str | None = None
    quantization_level: str | None = None


class _Listed(BaseModel):
    name: str | None = None
    model: str | None = None
    digest: str | None = None

    def goes_by(self, asked: str) -> bool:
        return full_name(self.model or self.name or "") == full_name(asked)


class _List(BaseModel):
    models: list[_Listed]


class _Shown(BaseModel):
    details: _Details | None = None
    model_info: dict[str, JsonValue] | None = None
    capabilities: list[str] | None = None


def ask_about(transport: WireTransport, host: str, model: str) -> About:
    """Ask for the server's version, and for the model's digest, kind and measures.

    Raises:
        MindFailed: The server says no, or lacks the model.
        httpx.HTTPError, OSError, ValueError: As the connection and the parser have it.
    """
    version = _fetched(_Version, transport, f"{host}/api/version").version
    listed = _fetched(_List, transport, f"{host}/api/tags").models
    digests = [one.digest or "" for one in listed if one.goes_by(model)]
    if not digests:
        raise failed_status(404, f"model '{model}' not found; run: ollama pull {model}")
    shown = _fetched(_Shown, transport, f"{host}/api/show", {"model": model})
    info, details = shown.model_info or {}, shown.details or _Details()
    is_offline = details.family == OFFLINE_FAMILY or info.get("parley.language_model") is False
    maker = OFFLINE_FAMILY if is_offline else "ollama"
    number = version.removeprefix(maker).lstrip("-/ ")
    return About(
        server=well_formed(f"{maker} {number} at {_USERINFO.sub('//', host)}"),
        digest=well_formed(digests[0]),
        language_model=not is_offline,
        quantization=well_formed(details.quantization_level or ""),
        context_tokens=_context_tokens(info),
        capabilities=tuple(well_formed(one) for one in shown.capabilities or ()),
    )


def running_digest(transport: WireTransport, host: str, model: str) -> str:
    """Ask which weights are in memory under a model's name; empty when none are.

    Raises:
        MindFailed: The server says no.
        httpx.HTTPError, OSError, ValueError: As the connection and the parser have it.
    """
    running = _fetched(_List, transport, f"{host}/api/ps", within_s=CHECK_S).models
    return next((one.digest or "" for one in running if one.goes_by(model)), "")


def check_fit(model: ModelSpec, about: About) -> None:
    """Refuse what a scenario asks of a model that cannot do it.

    Raises:
        BadInput: It does not think, or its context is smaller: the server would cut it
            down without a word.
    """
    if model.think and about.capabilities and "thinking" not in about.capabilities:
        raise BadInput(f"the model '{model.model}' does not think", mend="take think: away")
    asked, most = model.options.get("num_ctx", DEFAULT_OPTIONS["num_ctx"]), about.context_tokens
    if most is not None and isinstance(asked, int) and asked > most:
        what = f"the model '{model.model}' was made for {most} tokens, not for {asked}"
        raise BadInput(what, mend=f"set options: {{num_ctx: {most}}}, or less")


def _context_tokens(info: dict[str, JsonValue]) -> int | None:
    architecture = info.get("general.architecture")
    found = info.get(f"{architecture}.context_length")
    is_count = isinstance(found, int) and not isinstance(found, bool) and 0 < found < 2**53
    return found if is_count and isinstance(found, int) else None


def _fetched(
    kind: type[M],
    transport: WireTransport,
    url: str,
    body: dict[str, Any] | None = None,
    within_s: float | None = None,
) -> M:
    content = transport.fetch(url, body, within_s=within_s)
    status = transport.wire.status or 0
    if status == 404 and body is None:
        raise MindFailed("protocol", f"it has no {url[url.rindex('/api/') :]}", status=404)
    if status != 200:
        raise failed_status(status, _told(content))
    return kind.model_validate(json.loads(content))


def _told(content: bytes) -> str:
    """Give the words of an error as a server tells it: JSON, or whatever it is."""
    try:
        told = json.loads(content)
        return str(told["error"]) if isinstance(told, dict) and "error" in told else str(told)
    except (ValueError, RecursionError):
        return content.decode("utf-8", "replace")
