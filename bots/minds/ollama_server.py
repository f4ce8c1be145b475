"""A look at a model server from outside: is it there, and what does it offer?"""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx

from utils.errors import Missing
from utils.names import shown

LOOK_S = 5.0
"""How long a look may take; nothing is loaded for it."""


def list_models(host: str) -> tuple[str, list[str]]:
    """Ask a server for its version and its models.

    Args:
        host: Its URL, as `Settings.ollama_host` gives it.

    Returns:
        What it calls itself ("ollama 0.33.0", "parley-offline-0.1") and its models.

    Raises:
        Missing: Nobody answers there, or not as Ollama does.
    """
    try:
        with httpx.Client(base_url=host, timeout=LOOK_S, trust_env=False) as client:
            version = str(client.get("/api/version").raise_for_status().json()["version"])
            models = client.get("/api/tags").raise_for_status().json()["models"]
            names = [str(model["name"]) for model in models]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        raise Missing(f"no model server at {host}: {type(error).__name__} ({error})") from error
    return version if version.startswith("parley") else f"ollama {version}", names


PULL_SILENCE_S = 120.0
"""How long a server may say nothing while it pulls."""


def pull_model(host: str, name: str, *, tell: Callable[[str, int, int], None]) -> None:
    """Have a server fetch a model, if it lacks it. What is there already is kept.

    Args:
        host: The server's URL.
        name: The model, as `ollama pull` takes it.
        tell: Told what is being done, bytes there and bytes in all; 0 where not known.

    Raises:
        Missing: Nobody answers there, or nobody has such a model.
    """
    asked = {"model": name, "stream": True}
    said = ""
    try:
        with (
            httpx.Client(base_url=host, timeout=PULL_SILENCE_S, trust_env=False) as client,
            client.stream("POST", "/api/pull", json=asked) as reply,
        ):
            for line in filter(None, reply.iter_lines()):
                step = json.loads(line)
                if "error" in step:
                    raise _unpulled(name, host, str(step["error"]))
                said = str(step["status"])
                tell(said, int(step.get("completed", 0)), int(step.get("total", 0)))
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        why = f"{type(error).__name__} ({error})"
        raise Missing(f"cannot pull {shown(name)} at {host}: {why}") from error
    if said != "success":
        raise _unpulled(name, host, f"it ended at '{said}'")


def _unpulled(name: str, host: str, why: str) -> Missing:
    mend = "check its spelling at https://ollama.com/library, and that the server has internet"
    return Missing(f"cannot pull the model {shown(name)} at {host}: {why}", mend=mend)
