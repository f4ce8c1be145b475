"""What one bot said with bad intent, as tables: nothing runs, nothing is lost."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.cells import restored, safe
from analytics.codebook import codebook_rows
from analytics.export import export_run
from tests.doors.attacked import Attacked, attacked_run
from tests.doors.judges import acting, opened, running


@pytest.fixture(scope="module")
def attack() -> Iterator[Attacked]:
    with attacked_run() as played:
        yield played


@pytest.fixture(scope="module")
def dataset(attack: Attacked, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("attacked") / "dataset"
    export_run(attack.streams, attack.run, folder)
    return folder


def types_of(table: str) -> dict[str, str]:
    return {str(row[1]): str(row[2]) for row in codebook_rows(()) if row[0] == table}


TABLES = sorted({str(row[0]) for row in codebook_rows(())})


@pytest.mark.parametrize("table", TABLES)
def test_no_cell_of_a_table_runs_or_acts_however_it_is_opened(table: str, dataset: Path) -> None:
    raw = (dataset / "tables" / f"{table}.csv").read_text("utf-8")
    assert not acting(raw, but="\n\t\u200b\u2060\ufeff\u202a\u202b\u202c\u202d\u202e") & CONTROLS
    for separators in (",", ",;", ",;\t", ",;\t|"):
        assert not [cell for cell in opened(raw, separators) if running(cell)], separators


CONTROLS = {chr(code) for code in (*range(32), *range(0x7F, 0xA0), 0x2028, 0x2029)}


def sheet_of(texts: list[str], separators: str) -> set[str]:
    """List what would run of texts that are quoted only where a comma makes it needful."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([[text, 1] for text in texts])
    return {cell for cell in opened(out.getvalue(), separators) if running(cell)}


def test_texts_as_they_are_would_run(attack: Attacked) -> None:
    texts = [one.text for one in attack.heard]
    assert {"-2+3", "@SUM(1+1)", "\uff1d1+1", "\u200b\ufeff=1+1"} < sheet_of(texts, ",")
    assert set("".join(texts)) & CONTROLS


def test_safe_texts_would_run_if_they_were_not_quoted_for_other_separators(
    attack: Attacked,
) -> None:
    texts = [safe(one.text) for one in attack.heard]
    assert not sheet_of(texts, ",")
    assert {"=1+1", "+1"} <= sheet_of(texts, ",;\t|")


@pytest.mark.parametrize("table", TABLES)
def test_every_row_of_a_table_is_whole_and_numbers_are_numbers(table: str, dataset: Path) -> None:
    types = types_of(table)
    numeric = [name for name, kind in types.items() if kind in ("integer", "decimal")]
    for row in rows_of(dataset, table):
        assert list(row) == list(types)  # no cell too many, which would be under None
        assert None not in row.values()
        for name in numeric:
            assert row[name] == "" or isinstance(float(row[name]), float)


def test_every_text_comes_back_from_the_table(attack: Attacked, dataset: Path) -> None:
    rows = rows_of(dataset, "messages")
    assert [restored(row["text"]) for row in rows] == [one.text for one in attack.heard]
    assert [row["speaker"] for row in rows] == [one.speaker or "" for one in attack.heard]


def rows_of(dataset: Path, table: str) -> list[dict[str, str]]:
    csv.field_size_limit(2**24)
    with (dataset / "tables" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
