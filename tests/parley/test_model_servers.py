"""Where a scenario's models are: one server or several, a record, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bots.around import Around
from bots.minds.ollama import OllamaMind
from bots.minds.stop import Stop
from bots.offline.faults import Fault, FaultPlan
from bots.offline.server import OfflineServer
from parley.resolve import resolve_file
from parley.starting import preflight
from tests.bots.asking import request
from tests.scenes import spec_of
from utils.errors import BadInput, Missing
from utils.spec import ModelSpec, Spec


def resolved(folder: Path, model: str) -> Spec:
    path = folder / "tea.yaml"
    path.write_text(f"parley: 1\nbots: [{{name: ada}}]\nmodels:\n  main: {{{model}}}\n")
    return resolve_file(path)


@pytest.mark.parametrize("mind", ["ollama", "openai"])
def test_a_scenario_may_name_several_servers_of_a_model(tmp_path: Path, mind: str) -> None:
    spec = resolved(tmp_path, f'mind: {mind}, model: tiny, hosts: ["http://a:1", "http://b:1"]')
    assert spec.models["main"].hosts == ("http://a:1", "http://b:1")


@pytest.mark.parametrize("think", [False, True, "low", "medium", "high"])
def test_a_scenario_says_whether_a_model_thinks_and_how_much(
    tmp_path: Path, think: bool | str
) -> None:
    spec = resolved(tmp_path, f"model: tiny, think: {str(think).lower()}")
    assert spec.models["main"].think == think
    assert Spec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ('model: tiny, host: "http://a:1", hosts: ["http://b:1"]', "in place of 'host'"),
        ('mind: scripted, hosts: ["http://b:1"]', "'hosts' is for the minds 'ollama' and"),
        ("model: tiny, think: much", "think"),
        ("mind: recorded", "model 'main' does not say which record; add record:"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_line(tmp_path: Path, model: str, why: str) -> None:
    with pytest.raises(BadInput, match=rf"tea\.yaml:4: .*{why}"):
        resolved(tmp_path, model)


def test_every_server_is_asked_whether_it_has_the_model() -> None:
    spec = spec_of(model=ModelSpec(model="tiny"))
    with OfflineServer(models=["tiny"]) as has, OfflineServer(models=["other"]) as lacks:
        assert preflight(spec, Around((has.url, has.url))) == [
            f"m: ollama tiny at {has.url}, {has.url}"
        ]
        with pytest.raises(Missing, match="model 'tiny' is not on the server"):
            preflight(spec, Around((has.url, lacks.url)))


def test_servers_that_have_other_weights_under_one_name_are_refused() -> None:
    plan = FaultPlan(faults=(Fault(fault="digest", calls=(1,)),))
    spec = spec_of(model=ModelSpec(model="tiny"))
    with OfflineServer(models=["tiny"]) as one, OfflineServer(models=["tiny"], faults=plan) as two:
        mind = OllamaMind(ModelSpec(model="tiny", host=two.url))
        mind.answer(request(), Stop())
        mind.close()
        with pytest.raises(Missing, match=r"not one and the same: .*; run at each: ollama pull"):
            preflight(spec, Around((one.url, two.url)))
