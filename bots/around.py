"""What a scenario leaves to the machine it runs on: where models answer, where runs are."""

from __future__ import annotations

from dataclasses import dataclass

from utils.settings import DEFAULT_OLLAMA_HOST, DEFAULT_OPENAI_HOST, Settings
from utils.spec import ModelSpec

SERVED = frozenset({"ollama", "openai"})
"""Minds whose calls wait for a slot of their server, and may go to one of several."""


@dataclass(frozen=True, slots=True)
class Around:
    """A host's surroundings.

    Attributes:
        ollama_hosts: Where a model is asked that names no host of its own.
        redis_url: Where a recorded run is looked for that names no host of its own.
    """

    ollama_hosts: tuple[str, ...] = (DEFAULT_OLLAMA_HOST,)
    redis_url: str = ""

    @classmethod
    def of(cls, settings: Settings, *, redis_url: str = "") -> Around:
        """Look around.

        Args:
            redis_url: The server in use, where the settings leave it to the embedded one.
        """
        return cls(settings.model_servers, redis_url or settings.redis_url or "")


def unsigned(host: str) -> str:
    """Leave name and password out of a server's address, for keys, logs and errors.

    Example:
        >>> unsigned("http://me:secret@models:8080/v1"), unsigned("http://[::1]:80")
        ('http://models:8080/v1', 'http://[::1]:80')
    """
    scheme, mark, rest = host.partition("://")
    place, slash, path = rest.partition("/")
    return scheme + mark + place.rpartition("@")[2] + slash + path


def located(model: ModelSpec, around: Around) -> tuple[ModelSpec, ...]:
    """Say where a model is: once for each server that may answer for it, at least one.

    Example:
        >>> around = Around(ollama_hosts=("http://a:1", "http://b:1"))
        >>> [one.host for one in located(ModelSpec(model="tiny"), around)]
        ['http://a:1', 'http://b:1']
        >>> [one.host for one in located(ModelSpec(mind="openai", model="tiny"), around)]
        ['http://127.0.0.1:8080/v1']
        >>> [one.host for one in located(ModelSpec(mind="scripted"), around)]
        ['']
    """
    hosts = model.hosts or (model.host,)
    if hosts == ("",) and model.mind == "ollama":
        hosts = around.ollama_hosts
    elif hosts == ("",) and model.mind == "openai":
        hosts = (DEFAULT_OPENAI_HOST,)
    elif not model.host and model.mind == "recorded":
        hosts = (around.redis_url,)
    return tuple(model.model_copy(update={"host": host}) for host in hosts)
