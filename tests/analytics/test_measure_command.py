"""`parley measure`: datasets in, values out, and nothing changed or loaded that need not be."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from analytics.export import export_run
from analytics.measuring import renewed
from analytics.sheets import Form
from parley.commands.measure import command
from tests.analytics.measured import frames_of, read
from tests.analytics.recorded import Recorded, every_file
from tests.parley.plugin.wheel import on_path
from tests.scenes import spec_of
from utils.errors import BadInput, ParleyError

HEAVY = ("sklearn", "scipy", "networkx", "vaderSentiment", "pyphen", "matplotlib")


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return written(tmp_path / "tea")


def written(out: Path, run: str = "tea-1", *, arm: str = "") -> Path:
    spec = spec_of().model_copy(update={"labels": {"arm": arm, "replicate": run} if arm else {}})
    recorded = Recorded(spec, run=run).begin().talk(6).write()
    export_run(recorded.streams, run, out)
    return out


def lines(*arguments: str) -> list[dict[str, object]]:
    told = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False)
    assert told.exit_code == 0, told.output
    return [json.loads(line) for line in told.output.splitlines()]


def test_a_value_says_what_it_is_of(dataset: Path) -> None:
    (gini, *shares) = lines(
        str(dataset), "--metric", "participation_gini", "--metric", "message_share"
    )
    assert (gini["run_id"], gini["name"], gini["scope"]) == ("tea-1", "participation_gini", "run")
    assert gini["value"] == 0
    assert [(one["bot"], one["value"]) for one in shares] == [
        ("ada", pytest.approx(1 / 3)),
        ("bo", pytest.approx(1 / 3)),
        ("cy", pytest.approx(1 / 3)),
    ]


def test_a_metric_of_every_turn_is_never_passed_over_in_silence(dataset: Path) -> None:
    for metric, told in (
        ("similarity_embedded", "no embeddings"),
        ("topic_distance", "6 values: see them with --json or --out"),
    ):
        shown = CliRunner().invoke(command, [str(dataset), "--metric", metric])
        assert shown.output.rstrip().endswith(told), shown.output


def test_measures_have_a_folder_of_their_own_and_the_dataset_stays_as_it_is(
    dataset: Path, tmp_path: Path
) -> None:
    before, out = every_file(dataset), tmp_path / "measures"
    (told,) = lines(str(dataset), "--out", str(out))
    assert every_file(dataset) == before
    assert sorted(path.name for path in out.iterdir()) == ["codebook.csv", "measures.csv"]
    with (out / "measures.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == told["values"]
    assert all(bool(row["value"]) != bool(row["why"]) for row in rows)


def test_the_same_datasets_give_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        lines(str(dataset), "--out", str(tmp_path / name))
    assert every_file(tmp_path / "one") == every_file(tmp_path / "two")


def test_what_is_of_many_runs_is_of_one_arm_at_a_time(tmp_path: Path) -> None:
    for number in range(4):
        run = f"tea-{number}"
        written(tmp_path / "all" / run, run, arm="control" if number % 2 else "treated")
    told = lines(str(tmp_path / "all"), "--metric", "attractor_strength_words")
    assert [(one["run_id"], one["scope"], one["label_arm"]) for one in told] == [
        (None, "study", "treated"),
        (None, "study", "control"),
    ]


def test_a_folder_without_a_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no dataset at"):
        CliRunner().invoke(command, [str(tmp_path)], catch_exceptions=False)


def test_where_texts_were_withheld_who_spoke_is_measured_and_no_digest_is_taken_for_a_word(
    tmp_path: Path,
) -> None:
    recorded = Recorded().begin().talk(6).write()
    out = tmp_path / "tea"
    export_run(recorded.streams, "tea-1", out, form=Form(withheld=("texts",)))
    names = ("participation_gini", "adjacency", "mtld", "topic_drift")
    told = lines(str(out), *(one for name in names for one in ("--metric", name)))
    by_name = {str(one["name"]): one for one in told}
    assert by_name["participation_gini"]["value"] == 0
    assert by_name["adjacency"]["value"] == 1
    for name in ("mtld", "topic_drift"):
        assert (by_name[name]["value"], by_name[name]["why"]) == (None, "the texts were withheld")


def test_an_unknown_metric_names_the_nearest(dataset: Path) -> None:
    with pytest.raises(BadInput, match="participation_gini"):
        CliRunner().invoke(
            command, [str(dataset), "--metric", "participation_gin"], catch_exceptions=False
        )


def test_every_metric_is_listed() -> None:
    names = [str(one["name"]) for one in lines("--list")]
    assert {"mtld", "agreement_pending", "named"} < set(names)


@pytest.mark.parametrize(
    ("name", "needs"),
    [("participation_gini", set()), ("mtld", set()), ("sentiment_mean", {"vaderSentiment"})],
)
def test_nothing_is_loaded_that_is_not_asked_for(dataset: Path, name: str, needs: set[str]) -> None:
    code = (
        "import sys; from click.testing import CliRunner; from parley.commands.measure import *;"
        f"CliRunner().invoke(command, [{str(dataset)!r}, '--metric', {name!r}]);"
        f"print(*(one for one in {HEAVY} if one in sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(told.stdout.split()) == needs


def test_embeddings_come_from_a_file(dataset: Path, tmp_path: Path) -> None:
    with (dataset / "tables" / "messages.csv").open(newline="", encoding="utf-8") as table:
        ids = [row["message_id"] for row in csv.DictReader(table)]
    file = tmp_path / "vectors.csv"
    file.write_text("run_id,message_id,x,y\n" + "".join(f"tea-1,{one},3,4\n" for one in ids))
    asked = (str(dataset), "--metric", "similarity_embedded")
    assert [one["why"] for one in lines(*asked)] == ["no embeddings"]
    assert [one["value"] for one in lines(*asked, "--embeddings", str(file))] == [pytest.approx(1)]
    file.write_text("message_id,x\n1.0,3\n")
    with pytest.raises(BadInput, match="columns are not run_id, message_id, and numbers"):
        lines(*asked, "--embeddings", str(file))


# A stranger's metric that is not what it should be

ODD = """
from analytics.metrics.seam import Metric, Reading


def odd(compute):
    return Metric("odd", "odd", ("run",), "none", 0, 1, "", "", {}, compute)


FAILS = odd(lambda frames, seed: [Reading("run", 1 / 0)])
LEAVES = odd(lambda frames, seed: [Reading("run", 7)])
NONE = 3
OTHER = Metric("other", "odd", ("run",), "none", 0, 1, "", "", {}, lambda frames, seed: [])
"""


@pytest.mark.parametrize(
    ("which", "error", "why"),
    [
        ("FAILS", ParleyError, "the metric 'odd' failed on tea-1: ZeroDivisionError"),
        (
            "LEAVES",
            ParleyError,
            "the metric 'odd' failed on tea-1: ValueError: odd: 7 is not 0 to 1",
        ),
        ("NONE", BadInput, "the metric 'odd' is no Metric"),
        ("OTHER", BadInput, "the metric 'odd' calls itself 'other'"),
    ],
)
def test_what_is_wrong_with_a_strangers_metric_is_said_in_one_line(
    dataset: Path, tmp_path: Path, which: str, error: type[ParleyError], why: str
) -> None:
    site = tmp_path / "site"
    info = site / "odd-1.dist-info"
    info.mkdir(parents=True)
    (site / "odd_metric.py").write_text(ODD)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[parley.metrics]\nodd = odd_metric:{which}\n")
    with on_path(site), pytest.raises(error, match=why):
        lines(str(dataset), "--metric", "odd")


DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "measures.md"


def test_the_page_has_every_metric_as_the_code_says_it() -> None:
    text = DOCUMENT.read_text()
    assert renewed(text) == text
    assert text.count("| `mtld` |") == 1


def test_the_pages_own_metric_computes(tmp_path: Path) -> None:
    (source,) = re.findall(
        r"```python\n(\"\"\"How many questions.*?)```", DOCUMENT.read_text(), re.DOTALL
    )
    made: dict[str, Any] = {}
    exec(source, made)
    frames = frames_of([("ada", "Why? How?"), ("bo", "So.")])
    assert [one.value for one in read(made["QUESTIONS"], frames)] == [2, 0, None]
