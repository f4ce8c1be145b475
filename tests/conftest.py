"""What holds for every test: no service of the developer's, and the same examples each time."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings

pytest_plugins = ["tests.fixtures_server"]

settings.register_profile("house", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile("house")  # --hypothesis-profile=explore looks for new examples


def pytest_configure(config: pytest.Config) -> None:
    """Forget servers and settings of the shell, before any fixture or process reads them.

    A shell has its background jobs ignore Ctrl-C, and so would every process started here.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in list(os.environ):
        if name in {"REDIS_URL", "OLLAMA_HOST", "OLLAMA_HOSTS"} or name.startswith("PARLEY_"):
            del os.environ[name]
