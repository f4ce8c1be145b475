"""Columns, codebook, docs/data.md and the rows themselves say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from analytics.codebook import as_markdown, codebook_rows, renewed
from analytics.columns import Column
from analytics.tables import TABLES, columns_of, tables_from
from tests.analytics.meetings import recorded
from tests.analytics.recorded import Recorded
from utils.calls import CallRecord, Exposure
from utils.journal import Commit
from utils.protocol import EVENT_KINDS, OpenEvent
from utils.spec import Spec

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "data.md"
MODELS: list[type[BaseModel]] = [
    *EVENT_KINDS.values(),
    OpenEvent,
    *(Commit, CallRecord, Exposure, Spec),
]
RECORDS = {model.__name__: model for model in MODELS}
FIELDS_OF_ENTRIES = {"calls.b", "calls.id", "journal.h", "memory.b", "memory.id"}
EVERY = [
    pytest.param(one, id=f"{table}.{one.name}")
    for table, columns in TABLES.items()
    for one in columns
]


@pytest.mark.parametrize("column", EVERY)
def test_every_column_states_its_meaning_its_unit_and_its_type(column: Column) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)
    assert column.meaning.endswith(".")
    assert column.unit
    assert "|" not in column.meaning
    if column.type in ("text", "json", "boolean"):
        assert column.unit == "none"
    if column.name.endswith("_ms"):
        assert column.unit == "ms"


@pytest.mark.parametrize("column", EVERY)
def test_every_column_names_a_source_that_exists(column: Column) -> None:
    for source in column.source.split(", "):
        record, _, field = source.partition(".")
        if source not in FIELDS_OF_ENTRIES:
            assert not field or field in RECORDS[record].model_fields


@pytest.mark.parametrize("table", TABLES)
def test_column_names_are_unique_and_begin_with_the_run(table: str) -> None:
    names = [column.name for column in columns_of(table, ["arm", "study"])]
    assert len(set(names)) == len(names)
    assert names[0] == "run_id"
    assert names[-2:] == ["label_arm", "label_study"]


def test_the_codebook_has_every_column_of_every_table_once_in_order() -> None:
    listed = [(table, column) for table, column, *_ in codebook_rows(["arm"])]
    assert listed == [
        (table, column.name) for table in TABLES for column in columns_of(table, ["arm"])
    ]


def test_the_document_has_the_same_columns_as_the_code() -> None:
    document = DOCUMENT.read_text()
    assert renewed(document) == document, "docs/data.md says how to write it again"


def test_the_document_has_every_table_and_no_other() -> None:
    document = DOCUMENT.read_text()
    assert re.findall(r"<!-- columns: (\w+) -->", document) == list(TABLES)
    for table in TABLES:
        assert as_markdown(table) in document
        assert f"### {table}.csv" in document


def test_every_row_has_the_columns_of_its_table_in_their_order() -> None:
    run = Recorded()
    run.spec = run.spec.model_copy(update={"labels": {"study": "s", "arm": "a"}})
    run = Recorded(run.spec).begin()
    run.call(outcome="timeout")
    run.table.fail()
    run.talk(2)
    meeting, table = recorded()
    table.meet(1).tell("mark", text="Well.")
    seen = set()
    for one in (run, meeting):
        for name, row in tables_from(one.body, one.table.journal, one.calls(), run=one.run):
            assert list(row) == [column.name for column in columns_of(name, one.spec.labels)]
            seen.add(name)
    assert seen == set(TABLES) - {"memories"}, "nothing is written down yet"


def test_every_value_has_the_type_its_column_says() -> None:
    kinds = {"text": str, "json": str, "integer": int, "decimal": float, "boolean": bool}
    meeting, table = recorded()
    table.tick()
    table.meet(2).tell("do", verb="rain", args=[3])
    for run in (Recorded().begin().talk(3).close(), meeting):
        for name, row in tables_from(run.body, run.table.journal, run.calls(), run=run.run):
            for column in TABLES[name]:
                value = row[column.name]
                assert value is None or type(value) is kinds[column.type], (name, column.name)
