"""Open what commands need: settings from the environment, a server, a connection."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from utils.clock import monotonic_ms
from utils.errors import Missing
from utils.settings import DEFAULT_TYPED, Settings

if TYPE_CHECKING:
    from utils.streams import Streams


STACK = "is the stack up? docker-compose up -d"
"""What mends most that is missing where the stack's own command is typed."""


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


def address(here: Settings) -> str | None:
    """Return `REDIS_URL`, with the password from its file if there is one; it is secret.

    Raises:
        Missing: The file cannot be read.
        BadInput: The address cannot be read, or has a password already.
    """
    from utils.server_kind import with_password

    if here.redis_url is None or here.redis_password_file is None:
        return here.redis_url
    try:
        password = here.redis_password_file.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "is no text"
        raise Missing(
            f"cannot be read: {why}",
            where=f"REDIS_PASSWORD_FILE: {here.redis_password_file}",
            mend="make it with: parley secrets --out DIR" if here.typed == DEFAULT_TYPED else STACK,
        ) from error
    return with_password(here.redis_url, password)


def pulse(path: Path | None, is_well: Callable[[], bool]) -> Callable[[], bool]:
    """Make something to ask between two steps of a process: it marks a file while all is well.

    A health check looks how old the mark is: a process that hangs, or has no server,
    leaves none.

    Args:
        path: The file, touched at most once a second; none for no marks at all.
        is_well: Whether the process has its server.

    Returns:
        A question with the answer no, as `abandoned` is one: it stops nothing.
    """
    marked_ms = -1_000

    def mark() -> bool:
        nonlocal marked_ms
        now_ms = monotonic_ms()
        if path is not None and now_ms - marked_ms >= 1_000 and is_well():
            marked_ms = now_ms
            path.touch()
        return False

    return mark


@contextmanager
def server(here: Settings) -> Iterator[str]:
    """Hold a Redis server for as long as the block runs; its URL.

    `REDIS_URL` if it is set, else the embedded server, started if need be.
    """
    from utils.server import open_server  # redis takes 0.3 s to import

    try:
        handle = open_server(address(here), here.home, here.fsync)
    except Missing as error:
        if here.typed == DEFAULT_TYPED:
            raise
        raise Missing(error.what, where=error.where, mend=STACK) from error
    try:
        yield handle.url
    finally:
        handle.close()


@contextmanager
def streams(here: Settings, *, name: str = "parley") -> Iterator[Streams]:
    """Hold a server and one connection to it for as long as the block runs.

    It reads what the server holds: for processes that lead, serve and record runs.
    """
    from utils.streams import Streams  # as above

    with server(here) as url:
        connection = Streams(url, name=name)
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def records(here: Settings, *, name: str = "parley") -> Iterator[Streams]:
    """Hold a connection that reads runs whole: their beginnings from disk, if need be."""
    from analytics.recorder.beginnings import Recorded

    with streams(here, name=name) as connection:
        connection.beginnings = Recorded(here.recordings_folder)
        yield connection
