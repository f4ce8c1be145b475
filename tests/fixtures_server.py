"""A real server for the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from utils.server import EmbeddedServer
from utils.streams import Streams


@pytest.fixture(scope="session")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the url of a private server; one for each worker of xdist.

    It is shared by all tests of the worker: give every test run ids of its own, or flush.
    """
    with EmbeddedServer.open(tmp_path_factory.mktemp("server"), fsync="everysec") as server:
        yield server.url


@pytest.fixture
def empty_server(real_server: str) -> str:
    """Empty the worker's server: for swarms, whose hosts serve whatever runs they find."""
    streams = Streams(real_server)
    streams._redis.flushall()
    streams.close()
    return real_server
