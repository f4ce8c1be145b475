"""Both games are played over Ollama's API as well, here with the offline model behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bots.offline.server import OfflineServer
from parley.resolve import OFFLINE_MODEL, Overrides, resolve_file
from tests.findings import found, record_of
from tests.swarm import fake_swarm
from utils.library import shipped
from utils.protocol import OpenEvent

TURNS = 12


@pytest.mark.parametrize(("scenario", "a_meeting"), [("naming", 2), ("convention", 1)])
def test_a_model_that_keeps_to_the_schema_plays_every_encounter(
    scenario: str, a_meeting: int
) -> None:
    path: Path = shipped("scenarios") / f"{scenario}.yaml"
    spec = resolve_file(path, Overrides(offline=True, turns=TURNS))
    with OfflineServer(models=(OFFLINE_MODEL,)) as server, fake_swarm() as swarm:
        models = {
            name: model.model_copy(update={"host": server.url})
            for name, model in spec.models.items()
        }
        swarm.orchestrator()
        swarm.host(len(spec.bots))
        run = swarm.seed(spec.model_copy(update={"models": models}))
        swarm.finish(run)
        record = record_of(swarm.streams, run)
    assert found(record, turns=TURNS) == []
    assert {call.outcome for call in record.calls} == {"answered"}
    assert {call.language_model for call in record.calls} == {False}
    met = [
        event.model_extra or {}
        for sealed in record.journal
        for event in sealed.commit.events
        if isinstance(event, OpenEvent) and event.kind == "naming.met"
    ]
    assert len(met) == TURNS // a_meeting
    assert all(word is not None for one in met for word in one["words"])
