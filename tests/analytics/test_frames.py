"""A dataset comes into pandas typed, with every text as it was said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from analytics import load
from analytics.export import export_run
from analytics.sheets import Form
from analytics.tables import TABLES
from tests.analytics.recorded import RUN, Recorded
from tests.analytics.test_export import NASTY
from tests.scenes import spec_of
from tests.swarm import fake_swarm
from utils.errors import BadEntry, BadInput
from utils.spec import ModelSpec, Spec

EXAMPLE = Path(__file__).parents[2] / "examples" / "read_a_dataset.py"
TEXTS = [*NASTY, "NA", "null", "3.10", "x\ry", "a\\b", "\\\\x1b", " pad ", "'", "''", "nan"]


def spoken(texts: list[str], spec: Spec | None = None, *, run: str = RUN) -> Recorded:
    recorded = Recorded(spec or spec_of(turns=len(texts)), run=run).begin()
    for text in texts:
        recorded.say(text, load_ns=None)
    return recorded.close().write()


@pytest.mark.parametrize("text", ["spreadsheet", "raw"])
def test_every_text_is_as_it_was_said(tmp_path: Path, text: str) -> None:
    run = spoken(TEXTS)
    form = Form(text="raw" if text == "raw" else "spreadsheet")
    frames = load(export_run(run.streams, RUN, tmp_path / "tea", form=form).folder)
    assert frames["messages"].text.tolist()[1:] == TEXTS
    assert frames["calls"].answer.tolist() == TEXTS


def test_every_column_has_the_type_that_the_codebook_says(tmp_path: Path) -> None:
    run = spoken(["Well.", "Yes."])
    frames = load(str(export_run(run.streams, RUN, tmp_path / "tea").folder))
    assert list(frames) == list(TABLES)
    dtypes = {
        "text": "string",
        "json": "string",
        "integer": "Int64",
        "decimal": "Float64",
        "boolean": "boolean",
    }
    for table, columns in TABLES.items():
        for column in columns:
            assert str(frames[table][column.name].dtype) == dtypes[column.type], column.name


def test_what_nobody_said_is_missing_and_no_integer_is_rounded(tmp_path: Path) -> None:
    spec = spec_of(turns=1, seed=2**63 - 1)
    frames = load(export_run(spoken(["Well."], spec).streams, RUN, tmp_path / "tea").folder)
    assert frames["runs"].seed.tolist() == [2**63 - 1]
    opening, said = frames["messages"].itertuples()
    assert opening.speaker is pd.NA
    assert opening.epoch is pd.NA
    assert (said.speaker, said.epoch, said.message_id) == ("ada", 1, "5.2")
    assert frames["calls"].load_ms.isna().all()
    assert frames["calls"].took_ms.tolist() == [12.5]
    assert frames["calls"].think.tolist() == ["false"]


def test_a_folder_of_datasets_is_one_below_another_with_the_labels_of_all(tmp_path: Path) -> None:
    for run, labels in (("a", {"arm": "x"}), ("b", {"study": "s"}), ("c", {})):
        spec = spec_of(turns=2).model_copy(update={"labels": labels})
        recorded = spoken(["Well.", "Yes."], spec, run=run)
        export_run(recorded.streams, run, tmp_path / "all" / run)
    frames = load(tmp_path / "all", tables=["messages", "measures"])
    assert list(frames) == ["messages", "measures"]
    messages = frames["messages"]
    assert messages.run_id.tolist() == ["a"] * 3 + ["b"] * 3 + ["c"] * 3
    assert messages.groupby("run_id").label_arm.count().to_dict() == {"a": 3, "b": 0, "c": 0}
    assert str(messages.label_study.dtype) == "string"
    assert (len(frames["measures"]), str(frames["measures"].seq.dtype)) == (0, "Int64")


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    folder = export_run(spoken(["Well."]).streams, RUN, tmp_path / "tea").folder
    with pytest.raises(BadInput, match=r"no table 'mesages' in .*; did you mean 'messages'\?"):
        load(folder, tables=["mesages"])
    with pytest.raises(BadInput, match="no dataset at"):
        load(tmp_path / "nowhere")
    turns = folder / "tables" / "turns.csv"
    turns.write_text(turns.read_text().replace(",main,1,", ",main,one,"))
    with pytest.raises(BadEntry, match=r"turns\.csv: column turn: "):
        load(folder)
    turns.write_text(turns.read_text().splitlines(keepends=True)[0])
    with pytest.raises(BadEntry, match=r"turns\.csv: it has 0 of the 1 rows that were sealed; see"):
        load(folder)
    turns.write_text("run_id\n")
    with pytest.raises(BadEntry, match=r"turns\.csv:1: its columns are not those of codebook"):
        load(folder, tables=["turns"], columns={"turns": ["run_id", "turn"]})
    with pytest.raises(BadEntry, match=r"turns\.csv:1: its columns are not those of codebook"):
        load(folder)
    turns.unlink()
    with pytest.raises(BadEntry, match=r"turns\.csv: .*No such file"):
        load(folder)
    (folder / "codebook.csv").write_text("nothing\nof\nthat\n")
    with pytest.raises(BadEntry, match=r"codebook\.csv: no codebook"):
        load(folder)


def test_to_import_it_takes_no_pandas() -> None:
    code = "import sys; from analytics import load; print('pandas' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


def test_the_example_reads_what_a_swarm_said(tmp_path: Path) -> None:
    spec = spec_of(turns=12, model=ModelSpec(mind="scripted", lines=("Well.", "Bo, you?")))
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(3)
        run = swarm.seed(spec)
        swarm.finish(run)
        folder = export_run(swarm.streams, run, tmp_path / "tea").folder
    told = subprocess.run(
        [sys.executable, EXAMPLE, folder], capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert "words_each" in told.stdout
    assert "(opening)" in told.stdout


def test_only_the_columns_that_are_named_are_read(tmp_path: Path) -> None:
    folder = export_run(spoken(["Well.", "Yes."]).streams, RUN, tmp_path / "tea").folder
    whole = load(folder, tables=["messages", "turns"])
    some = load(folder, tables=["messages", "turns"], columns={"messages": ["turn", "text"]})
    assert list(some["messages"].columns) == ["turn", "text"]
    assert some["messages"].equals(whole["messages"][["turn", "text"]])
    assert some["turns"].equals(whole["turns"])
    with pytest.raises(BadInput, match="unknown column of messages 'texts'"):
        load(folder, tables=["messages"], columns={"messages": ["texts"]})
