"""`parley rerun`, over the offline model: the same again, others, and what goes wrong."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner, Result

from analytics.export import export_run
from analytics.sheets import Form
from bots.offline.faults import Fault, FaultPlan
from bots.offline.server import OfflineServer
from bots.rerun import Pair
from parley.commands import rerun
from parley.rerunning import Rerun
from tests.scenes import spec_of
from tests.swarm import Pace, fake_swarm
from tests.worlds.naming_played import game
from utils.dataset import Dataset
from utils.errors import BadInput, Missing
from utils.spec import ModelSpec, Spec

MODELS = ("parley-offline", "another")


class Stage(NamedTuple):
    server: OfflineServer
    folder: Path


def export(server: OfflineServer, spec: Spec, out: Path, form: Form | None = None) -> Path:
    model = ModelSpec(model="parley-offline", host=server.url, options={"num_predict": 60})
    with fake_swarm(lease_ms=60_000) as swarm:
        swarm.orchestrator()
        swarm.host(len(spec.bots))
        run = swarm.seed(spec.model_copy(update={"models": {"m": model}}))
        Pace(swarm).finish(run)
        return export_run(swarm.streams, run, out, form=form or Form()).folder


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with OfflineServer(models=MODELS) as server:
        folder = tmp_path_factory.mktemp("rerun") / "tea"
        yield Stage(server, export(server, spec_of(turns=9), folder))


def asked(*arguments: str | Path) -> Result:
    return CliRunner().invoke(rerun.command, [str(one) for one in arguments])


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_offline_model_answers_the_same_to_the_same(stage: Stage) -> None:
    before = digests(stage.folder)
    told = asked(stage.folder)
    assert told.exit_code == 0, told.exception
    lines = told.stdout.splitlines()
    assert lines[0] == f"{stage.folder}: 9 of 9 identical (100.0%)"
    assert lines[1:4] == [
        f"  {bot}, parley-offline: 3 of 3 identical (100.0%)" for bot in ("ada", "bo", "cy")
    ]
    assert "no language model" in lines[-1]
    assert digests(stage.folder) == before


def test_the_bytes_that_go_out_are_those_that_went_out_then(stage: Stage) -> None:
    lines = [json.loads(line) for line in asked(stage.folder, "--json").stdout.splitlines()]
    assert [(one["bot"], one["asked"], one["same_requests"]) for one in lines] == [
        (bot, 3, 3) for bot in ("ada", "bo", "cy")
    ]


def test_answers_that_drift_are_counted_and_how_far_they_drift_is_said(stage: Stage) -> None:
    plan = FaultPlan(faults=(Fault(fault="think_tags", text="Hm, well.", calls=(1, 2)),))
    with OfflineServer(faults=plan) as server:
        told = asked(stage.folder, "--host", server.url, "--json", "--bot", "bo")
    (one,) = [json.loads(line) for line in told.stdout.splitlines()]
    assert (one["bot"], one["asked"], one["identical"]) == ("bo", 3, 1)
    assert one["share_identical"] == pytest.approx(1 / 3)
    assert 0 < one["similarity_of_others"] < 1
    with OfflineServer(faults=plan) as server:
        shown = asked(stage.folder, "--host", server.url).stdout
    assert ": 7 of 9 identical (77.8%); similarity of the others 0." in shown
    assert "  similarity: difflib's ratio over words, 0 to 1" in shown


def test_another_model_may_be_asked_and_is_named(stage: Stage) -> None:
    told = asked(stage.folder, "--model", "another", "--bot", "bo", "--json")
    (one,) = [json.loads(line) for line in told.stdout.splitlines()]
    assert (one["model"], one["model_now"], one["same_requests"]) == (
        "parley-offline",
        "another",
        0,
    )
    shown = asked(stage.folder, "--model", "another", "--bot", "bo").stdout
    assert "  bo, parley-offline, now another: " in shown


def test_actions_are_asked_again_with_their_schema(stage: Stage, tmp_path: Path) -> None:
    folder = export(stage.server, game(4, encounters=4), tmp_path / "names")
    lines = [json.loads(one) for one in asked(folder, "--json").stdout.splitlines()]
    assert sum(one["asked"] for one in lines) == 8
    assert sum(one["same_requests"] for one in lines) == 8
    assert {one["share_identical"] for one in lines} == {1.0}


def test_every_pair_is_in_a_table_and_a_limit_holds(stage: Stage, tmp_path: Path) -> None:
    out = tmp_path / "again.csv"
    told = asked(stage.folder, "--limit", "4", "--out", out, "--model", "another")
    assert told.exit_code == 0, told.exception
    rows = list(csv.DictReader(out.read_text().splitlines(keepends=True)))
    assert [row["turn"] for row in rows] == ["1", "2", "3", "4"]
    assert {row["model_now"] for row in rows} == {"another"}
    assert all((row["identical"] == "true") == (row["similarity"] == "1.0") for row in rows)
    assert all(row["response"] and row["response_now"] for row in rows)


def test_what_is_not_answered_now_is_counted_apart(stage: Stage) -> None:
    plan = FaultPlan(faults=(Fault(fault="error_500", calls=(2,)),))
    with OfflineServer(faults=plan) as server:
        told = asked(stage.folder, "--host", server.url)
    assert told.stdout.splitlines()[0].endswith(": 8 of 8 identical (100.0%); 1 not answered now")


def test_a_table_does_not_come_into_the_dataset_nor_over_another_file(
    stage: Stage, tmp_path: Path
) -> None:
    told = asked(stage.folder, "--out", stage.folder / "again.csv")
    assert isinstance(told.exception, BadInput)
    assert "is in the dataset" in str(told.exception)
    there = tmp_path / "there.csv"
    there.write_text("mine")
    told = asked(stage.folder, "--out", there)
    assert isinstance(told.exception, BadInput)
    assert "File exists; name another" in str(told.exception)
    assert there.read_text() == "mine"


def test_interrupted_it_tells_and_keeps_what_was_done(stage: Stage, tmp_path: Path) -> None:
    class Impatient(Rerun):
        def add(self, pair: Pair, model_now: str) -> None:
            super().add(pair, model_now)
            if self.everything.asked == 3:
                raise KeyboardInterrupt

    so_far, out = Impatient(), tmp_path / "again.csv"
    with pytest.raises(SystemExit) as left:
        rerun.ask_again(Dataset.open(stage.folder), so_far, rerun.Wishes(out=out))
    assert left.value.code == 130
    assert so_far.everything.asked == 3
    assert len(out.read_text().splitlines()) == 1 + 3


def test_a_model_or_a_server_that_is_not_there_is_missing(stage: Stage) -> None:
    for arguments in (("--model", "nobody"), ("--host", "http://127.0.0.1:1")):
        told = asked(stage.folder, *arguments)
        assert isinstance(told.exception, Missing)
        assert told.exception.exit_code == 3


def test_what_mends_a_missing_server_is_something_that_rerun_takes(stage: Stage) -> None:
    nobody = ("--host", "http://127.0.0.1:1")
    told = str(asked(stage.folder, *nobody).exception)
    assert told.endswith("; start the offline model, in another terminal: parley offline-model")
    told = str(asked(stage.folder, *nobody, "--model", "llama3.2:1b").exception)
    assert told.endswith("; start Ollama, or name its server: --host URL")


def test_a_bot_that_is_not_there_and_a_dataset_without_texts_are_bad_input(
    stage: Stage, tmp_path: Path
) -> None:
    told = asked(stage.folder, "--bot", "adda")
    assert isinstance(told.exception, BadInput)
    assert "did you mean 'ada'" in str(told.exception)
    silent = export(stage.server, spec_of(turns=1), tmp_path / "s", Form(withheld=("texts",)))
    told = asked(silent)
    assert isinstance(told.exception, BadInput)
    assert "its texts were withheld" in str(told.exception)


def test_a_run_that_asked_no_server_has_nothing_to_ask_again(tmp_path: Path) -> None:
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(3)
        run = swarm.seed(spec_of(turns=2))
        swarm.finish(run)
        folder = export_run(swarm.streams, run, tmp_path / "tea").folder
    told = asked(folder)
    assert told.exit_code == 0
    assert told.stdout == f"{folder}: no request of it asked a server and was answered\n"
