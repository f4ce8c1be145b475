"""docs/calls.md, held against the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from bots.minds.failures import failed, failed_status, no_done
from bots.minds.ollama_options import DEFAULT_OPTIONS, KNOWN_OPTIONS, LOAD_OPTIONS
from bots.minds.wire import Wire
from bots.offline.faults import Kind, read_plan
from bots.offline.models import Offered
from tests.bots.test_faults_in_a_run import FAULTS
from utils.calls import CallRecord, Noticed, Outcome
from utils.errors import FailureKind, MindFailed
from utils.scenario import Scenario
from utils.spec import GuardsSpec
from utils.yamlfile import parse, read_text

TEXT = (Path(__file__).parents[2] / "docs" / "calls.md").read_text("utf-8")


def table(head: str) -> dict[str, list[str]]:
    """Find the table whose first column is headed so: bare first cell to the rest."""
    found = re.search(rf"^\| {head} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", TEXT, re.M)
    assert found, head
    rows = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in found[1].splitlines()]
    return {row[0].strip(" `"): row[1:] for row in rows}


def indented(beginning: str) -> str:
    """Find the indented block that begins so."""
    found = re.search(rf"^    {beginning}.*\n((?:    .*\n)*)", TEXT, re.M)
    assert found, beginning
    return "\n".join(line[4:] for line in found[0].splitlines())


def test_every_field_of_the_record_is_there_in_its_order() -> None:
    assert list(table("field")) == list(CallRecord.model_fields)


def test_everything_that_may_be_noticed_is_there() -> None:
    assert list(table("noticed")) == list(get_args(Noticed))


def test_every_outcome_is_there() -> None:
    answers, kinds = get_args(Outcome)
    assert get_args(kinds) == get_args(FailureKind)
    assert list(table("outcome")) == [*get_args(answers), *get_args(FailureKind)]


def examples() -> list[MindFailed]:
    wire = Wire(allow_ms=1)
    late, cancelled = Wire(allow_ms=1), Wire(allow_ms=1)
    late.cut("timeout")
    cancelled.cut("cancelled")
    statuses = [failed_status(status, "no") for status in (302, 400, 404, 429, 500, 503, 200)]
    return [
        *statuses,
        failed_status(400, "exceeds the context length"),
        failed(ConnectionError("no"), wire),
        failed(ValueError("no"), wire),
        failed(EOFError(), late),
        failed(EOFError(), cancelled),
        no_done(wire, partial=""),
    ]


def test_what_is_asked_again_is_what_the_page_says() -> None:
    seen = {error.kind for error in examples()}
    assert seen == set(get_args(FailureKind))
    for error in examples():
        (_, again) = table("outcome")[error.kind]
        assert again.startswith(("yes" if error.retryable else "no", "lost", "silence"))


def test_every_option_is_there_with_its_default() -> None:
    told = {name: cells[0] for name, cells in table("option").items()}
    assert set(told) == set(KNOWN_OPTIONS)
    assert {name: told[name] for name in DEFAULT_OPTIONS} == {
        name: str(value) for name, value in DEFAULT_OPTIONS.items()
    }
    servers = [name for name, value in told.items() if value == "the server's"]
    assert set(servers) | {"num_ctx"} == set(LOAD_OPTIONS)


def test_every_guard_is_there_and_the_example_is_one() -> None:
    assert list(table("guard")) == list(GuardsSpec.model_fields)
    text = f"bots: [{{name: ada}}]\n{indented('guards:')}\n"
    guards = parse(read_text(text, path="x.yaml"), Scenario).guards
    assert guards.repetition is not None
    assert (guards.repetition.share, guards.repetition.last) == (0.8, 10)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_fault_is_there_with_what_becomes_of_it(kind: Kind) -> None:
    assert list(table("fault")) == list(get_args(Kind))
    (_, record) = table("fault")[kind]
    expected = FAULTS[kind].outcomes or ("answered",)
    assert tuple(re.findall(r"`(\w+)`", record)) == expected
    assert ("a pass" in record) == bool(FAULTS[kind].passes)


def test_the_examples_can_be_used(tmp_path: Path) -> None:
    plan = tmp_path / "faults.yaml"
    plan.write_text(indented("seed: 7"))
    assert [fault.fault for fault in read_plan(plan).faults] == ["busy", "drip", "cut"]
    models = re.findall(r"--model (\S+)", indented("parley offline-model"))
    assert [Offered.parse(model).name for model in models] == ["tiny", "other"]
