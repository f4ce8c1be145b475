"""A look at a model server from outside: is it there, and what does it offer?"""

from __future__ import annotations

import httpx

from utils.errors import Missing

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
