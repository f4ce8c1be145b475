"""The server has no room left: nobody gives up, and when there is room again nothing is lost."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
import redis

from tests.findings import found, record_of
from tests.scenes import spec_of
from tests.swarm import Swarm, fake_swarm, happened, transcript
from utils.server import EmbeddedServer
from utils.streams import Streams

TURNS = 12


@pytest.mark.parametrize("at_turn", [0, 5])
def test_a_server_without_memory_is_waited_for(tmp_path: Path, at_turn: int) -> None:
    spec = spec_of(turns=TURNS)
    with (
        EmbeddedServer.open(tmp_path, fsync="everysec") as server,
        closing(redis.Redis.from_url(server.url)) as raw,
    ):
        swarm = Swarm(lambda: Streams(server.url), lease_ms=2_000)
        swarm.orchestrator()
        swarm.host(3)
        run = swarm.seed(spec)
        swarm.until(lambda: len(happened(swarm.streams.journal(run), "turn_closed")) >= at_turn)
        raw.config_set("maxmemory", "1mb")
        for _ in range(4):
            swarm.step()
        raw.config_set("maxmemory", "0")
        journal = swarm.finish(run)
        record = record_of(swarm.streams, run)
        swarm.close()
    assert found(record, turns=TURNS, is_cut=True) == []
    with fake_swarm() as plain:
        plain.orchestrator()
        plain.host(3)
        assert transcript(journal) == transcript(plain.finish(plain.seed(spec)))
