"""A stranger's wheel: a world, a policy, a rule, and a kind of event nobody else knows.

Installed beside this environment, it is run, exported and folded; and what is not told of
it goes on without it.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from analytics.tables import tables_from
from orchestrator import engine
from orchestrator.plugins import rules_for
from tests.parley.plugin.wheel import install, on_path, parley
from tests.scenes import spec_of
from tests.swarm import fake_swarm, happened
from utils import plugins
from utils.callfile import RecordedCall
from utils.errors import BadInput
from utils.journal import Sealed, chain, fold, from_line, seal, to_line
from utils.protocol import EVENT_KINDS, OpenEvent
from utils.server import open_server
from utils.spec import Spec, WorldSpec
from utils.streams import Streams

SOURCE = Path(__file__).parent / "plugin" / "tide"
SCENARIO = str(SOURCE / "tide.yaml")
TURNS = 7


@dataclass(frozen=True)
class Kept:
    """What a run of the plugin's world left behind."""

    wheel: Path
    home: Path
    dataset: Path
    shown: str

    @property
    def run(self) -> str:
        (row,) = self.table("runs")
        return row["run_id"]

    @property
    def journal(self) -> list[Sealed]:
        lines = (self.dataset / "raw" / "journal.jsonl").read_text("utf-8").split("\n")
        return list(chain(from_line(line) for line in lines if line))

    @property
    def spec(self) -> str:
        return (self.dataset / "raw" / "spec.json").read_text("utf-8")

    def table(self, name: str) -> list[dict[str, str]]:
        with (self.dataset / "tables" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    place = tmp_path_factory.mktemp("tide")
    wheel, home, dataset = install(SOURCE, place / "built"), place / "home", place / "tide"
    told = parley(["run", SCENARIO, "--plain", "--out", str(dataset)], home=home, path=wheel)
    assert told.returncode == 0, told.stderr
    return Kept(wheel, home, dataset, told.stdout)


def test_real_processes_run_the_world_by_the_policy_and_the_rule_of_the_wheel(kept: Kept) -> None:
    said = kept.table("messages")
    assert [row["speaker"] for row in said] == ["cy", "bo", "ada", "cy", "bo", "ada", "cy"]
    assert all(row["text"].endswith(" miles.") for row in said)
    (run,) = kept.table("runs")
    assert (run["phase"], run["turns"], run["end_reason"]) == ("closed", str(TURNS), "turns")


def test_a_kind_that_no_reader_knows_is_shown_with_its_fields(kept: Kept) -> None:
    assert "tide.turned" not in EVENT_KINDS
    shown = [line for line in kept.shown.splitlines() if "tide.turned" in line]
    assert len(shown) == TURNS
    assert all("height_cm" in line for line in shown)
    assert "\x1b" not in kept.shown


def test_the_doctor_lists_what_the_wheel_brings(kept: Kept) -> None:
    listed = parley(["doctor"], home=kept.home, path=kept.wheel).stdout
    bare = parley(["doctor"], home=kept.home).stdout
    brought = {"policies": "backwards", "worlds": "tide", "rules": "watchman"}
    for kind, name in (brought | {"metrics": "miles_seen"}).items():
        (line,) = [line for line in listed.splitlines() if f" {kind}: " in line]
        assert name in line.partition(": ")[2].split(", ")
        assert name not in bare


def test_a_metric_of_the_wheel_is_in_the_measures_and_in_their_codebook(
    kept: Kept, tmp_path: Path
) -> None:
    out = tmp_path / "measures"
    told = parley(
        ["measure", str(kept.dataset), "--out", str(out)], home=kept.home, path=kept.wheel
    )
    assert told.returncode == 0, told.stderr
    with (out / "measures.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    seen = {row["bot"]: float(row["value"]) for row in rows if row["name"] == "miles_seen"}
    said = [(row["speaker"], int(row["text"].split()[2])) for row in kept.table("messages")]
    assert seen == {bot: sum(m for who, m in said if who == bot) for bot in ("ada", "bo", "cy")}
    assert {"mtld", "participation_gini"} < {row["name"] for row in rows}
    with (out / "codebook.csv").open(newline="", encoding="utf-8") as file:
        columns = {row["column"]: row for row in csv.DictReader(file)}
    assert columns["value[miles_seen]"]["unit"] == "miles"
    assert columns["value[miles_seen]"]["meaning"].endswith("Range: at least 0.")


def test_a_metric_of_the_wheel_is_in_the_report(kept: Kept, tmp_path: Path) -> None:
    page = tmp_path / "tide.html"
    arguments = ["report", str(kept.dataset), "--out", str(page)]
    for path, is_told in ((kept.wheel, True), (None, False)):
        told = parley(arguments, home=kept.home, path=path)
        assert told.returncode == 0, told.stderr
        assert ("miles_seen" in page.read_text("utf-8")) is is_told


def test_a_metric_of_the_wheel_is_unknown_without_it(kept: Kept) -> None:
    told = parley(["measure", str(kept.dataset), "--metric", "miles_seen"], home=kept.home)
    assert told.returncode == 2
    (line,) = told.stderr.splitlines()
    assert "--metric: unknown metric 'miles_seen'" in line


# A reader that was not told of it: this process, and processes without the wheel


def test_without_the_wheel_the_unknown_kind_is_read_whole_and_passed_on(kept: Kept) -> None:
    with pytest.raises(BadInput, match="unknown world 'tide'"):
        plugins.find("parley.worlds", "tide")
    turned = happened(kept.journal, "tide.turned")
    assert [type(event) for event in turned] == [OpenEvent] * TURNS
    assert [event.model_extra["at"] for event in turned] == [
        {"turn": turn, "moon": "\N{CRESCENT MOON}\u2028", "wind": None}
        for turn in range(1, TURNS + 1)
    ]
    for sealed in kept.journal:
        assert seal(sealed.commit) == sealed


def test_the_dataset_holds_the_journal_byte_for_byte(kept: Kept) -> None:
    server = open_server(None, kept.home, "everysec")
    streams = Streams(server.url)
    try:
        written = "".join(to_line(sealed) for sealed in streams.journal(kept.run))
    finally:
        streams.close()
        server.close()
    assert (kept.dataset / "raw" / "journal.jsonl").read_bytes() == written.encode()


def test_an_export_without_the_wheel_has_the_same_bytes(kept: Kept, tmp_path: Path) -> None:
    out = tmp_path / "again"
    told = parley(["export", kept.run, "--out", str(out)], home=kept.home)
    assert told.returncode == 0, told.stderr
    files = [path.relative_to(out) for path in sorted(out.rglob("*")) if path.is_file()]
    assert Path("raw/journal.jsonl") in files
    for file in files:
        assert (out / file).read_bytes() == (kept.dataset / file).read_bytes(), file


def test_status_and_runs_do_without_the_wheel(kept: Kept) -> None:
    status = parley(["status", kept.run], home=kept.home)
    runs = parley(["runs"], home=kept.home)
    assert (status.returncode, runs.returncode) == (0, 0), status.stderr + runs.stderr
    assert kept.run in status.stdout
    assert kept.run in runs.stdout


def test_the_tables_are_folded_without_the_wheel(kept: Kept) -> None:
    calls: list[RecordedCall] = []
    rows = list(tables_from(kept.spec, kept.journal, calls, run=kept.run))
    counted = Counter(table for table, _ in rows)
    assert counted["messages"] == counted["world_events"] == TURNS


def test_a_run_of_an_unknown_world_is_refused_in_one_line(kept: Kept) -> None:
    told = parley(["run", SCENARIO], home=kept.home)
    assert told.returncode == 2
    (line,) = told.stderr.splitlines()
    assert "tide.yaml:6: unknown world 'tide'" in line


# The engine


def test_the_engine_folds_the_raw_journal_to_the_worlds_own_state(kept: Kept) -> None:
    spec = Spec.read(kept.run, kept.spec)
    with on_path(kept.wheel):
        rules = rules_for(spec)
        state = fold(
            lambda state, sealed: engine.evolve(rules, state, sealed),
            kept.journal,
            engine.initial(rules),
        )
    assert state.phase == "closed"
    turned = happened(kept.journal, "tide.turned")
    assert state.world.heights_cm == tuple(event.height_cm for event in turned)
    assert len(set(state.world.heights_cm)) > 1


def test_an_orchestrator_without_the_wheel_says_so_once_and_leads_the_others(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    tide = spec_of(turns=4, channels=()).model_copy(update={"world": WorldSpec(name="tide")})
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(places=8)
        foreign, own = swarm.seed(tide), swarm.seed(spec_of(turns=4))
        assert len(happened(swarm.finish(own), "turn_closed")) == 4
        assert foreign in swarm.streams.live_runs()
        assert swarm.journal(foreign) == []
        errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        (line,) = errors
        assert f"run {foreign}: cannot be led: unknown world 'tide'" in line
        assert "\n" not in line
        with on_path(kept.wheel):
            swarm.orchestrator()
            assert len(happened(swarm.finish(foreign), "tide.turned")) == 4
