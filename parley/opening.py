"""Open what commands need: settings from the environment, a server, a connection."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from utils.settings import Settings

if TYPE_CHECKING:
    from utils.streams import Streams


def settings() -> Settings:
    """Read this process's settings from its environment."""
    return Settings.from_env(os.environ)


def abandoned(is_child: bool) -> Callable[[], bool]:
    """Make the question whether whoever started this process is gone.

    Only for processes of one run, which `parley run` starts and means to stop: killed, it
    cannot. A process that a person started goes on without its shell.
    """
    parent = os.getppid()
    return lambda: is_child and os.getppid() != parent


@contextmanager
def server(here: Settings) -> Iterator[str]:
    """Hold a Redis server for as long as the block runs; its URL.

    `REDIS_URL` if it is set, else the embedded server, started if need be.
    """
    from utils.server import open_server  # redis takes 0.3 s to import

    handle = open_server(here.redis_url, here.home, here.fsync)
    try:
        yield handle.url
    finally:
        handle.close()


@contextmanager
def streams(here: Settings, *, name: str = "parley") -> Iterator[Streams]:
    """Hold a server and one connection to it for as long as the block runs."""
    from utils.streams import Streams  # as above

    with server(here) as url:
        connection = Streams(url, name=name)
        try:
            yield connection
        finally:
            connection.close()
