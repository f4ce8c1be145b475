"""Texts are withheld: none is left, and what is left can still be verified and counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from analytics.columns import Row
from analytics.export import export_run
from analytics.sheets import Form
from analytics.verify import verify
from analytics.withhold import TEXTS, withheld
from bots.minds.recorded import RecordedMind
from tests.analytics.meetings import recorded
from tests.analytics.recorded import RUN, Recorded, every_file, read_table
from tests.scenes import spec_of
from utils import keys
from utils.calls import CallRecord, ChatMessage
from utils.dataset import Dataset
from utils.errors import Missing
from utils.journal import Consumed, chain, sha256_of
from utils.protocol import EVENT_KINDS, Act, AskAct, AskSay, Notice, Pass, Say
from utils.spec import ModelSpec

WITHHELD = Form(withheld=("texts",), parquet=True)
SECRET = "zanzibar"


def run_of_secrets() -> Recorded:
    run = Recorded(spec_of(turns=6)).begin()
    run.call(outcome="timeout", error=f"no {SECRET}", tail=SECRET, response=SECRET)
    failed = run.table.proposal(kind="failed", reason="server", detail=SECRET)
    run.table.say({name: value for name, value in failed.items() if name != "action"})
    run.table.say(f"{{{SECRET}")
    run.streams.append(keys.calls(RUN), f"{{{SECRET}")
    run.table.say(
        {"kind": "inject", "author": "p", "nonce": "n", "channel": "main", "text": SECRET}
    )
    messages = (ChatMessage(role="user", content=f"Say {SECRET}."),)
    for number in range(3):
        run.say(f"{SECRET} {number}", messages=messages, thinking=SECRET, cut=(("stop", SECRET),))
    run.table.propose(action={"kind": "pass", "why": SECRET})
    run.table.say({"kind": "stop", "author": "p", "nonce": "m", "why": SECRET})
    return run.close().write()


@pytest.fixture(scope="module")
def run() -> Recorded:
    return run_of_secrets()


@pytest.fixture
def folder(run: Recorded, tmp_path: Path) -> Path:
    return export_run(run.streams, RUN, tmp_path / "public", form=WITHHELD).folder


def test_no_text_is_left_in_any_file(run: Recorded, folder: Path, tmp_path: Path) -> None:
    whole = every_file(export_run(run.streams, RUN, tmp_path / "whole").folder)
    full = {name for name, octets in whole.items() if SECRET.encode() in octets}
    assert full >= {"raw/journal.jsonl", "raw/calls.jsonl", "tables/messages.csv"}
    assert full >= {f"tables/{name}.csv" for name in ("calls", "turns", "incidents", "runs")}
    left = {name for name, octets in every_file(folder).items() if SECRET.encode() in octets}
    assert left == set()


def test_everything_else_is_as_it_was(run: Recorded, folder: Path, tmp_path: Path) -> None:
    whole = export_run(run.streams, RUN, tmp_path / "whole").folder
    for table in ("messages", "turns", "calls", "bots", "incidents", "runs", "exposures"):
        for was, row in zip(read_table(whole, table), read_table(folder, table), strict=True):
            for name, cell in row.items():
                is_digest = cell.startswith("[withheld") or name in ("prompt", "cut")
                assert cell == was[name] or is_digest, (table, name)
    said = [row["text"] for row in read_table(folder, "messages")]
    assert withheld(f"{SECRET} 1") in said
    answers = [row["answer_sha256"] for row in read_table(folder, "calls")]
    assert sha256_of(f"{SECRET} 1") in answers


def test_the_chain_holds_by_its_links_and_verify_says_what_it_could_not_check(
    run: Recorded, folder: Path
) -> None:
    dataset = Dataset.open(folder)
    assert not dataset.has_texts
    hashes = [sealed.sha256 for sealed in chain(dataset.commits())]
    assert hashes == [sealed.sha256 for sealed in run.table.journal]
    verified = verify(folder)
    assert verified.differences == []
    assert "texts were withheld" in verified.unchecked[0]
    assert any("Texts were withheld" in one for one in dataset.manifest.not_deterministic)


@pytest.mark.parametrize("name", ["raw/journal.jsonl", "raw/calls.jsonl", "tables/messages.csv"])
def test_a_changed_digest_is_found(folder: Path, name: str) -> None:
    path = folder / name
    octets = path.read_bytes()
    at = octets.rindex(b"[withheld sha256:") + 20
    path.write_bytes(octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :])
    assert name in {one.file for one in verify(folder).differences}


def test_a_changed_link_of_the_chain_is_found(folder: Path) -> None:
    path = folder / "raw" / "journal.jsonl"
    octets = path.read_bytes()
    at = octets.index(b'"h": "') + 8
    path.write_bytes(octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :])
    (first, *_) = verify(folder).differences
    assert (first.file, first.commit) == ("raw/journal.jsonl", 2)
    assert first.why == "it names another commit 1"


def test_a_world_keeps_its_shape_its_numbers_and_the_names_of_bots(tmp_path: Path) -> None:
    meeting, table = recorded()
    table.meet(1).tell("do", verb="rain", args={"on": "ada", "why": SECRET, f"a {SECRET}": [3]})
    meeting.write()
    folder = export_run(meeting.streams, meeting.run, tmp_path / "m", form=WITHHELD).folder
    assert not any(SECRET.encode() in octets for octets in every_file(folder).values())
    (row,) = read_table(folder, "interventions")
    assert row["args"].count("[withheld") == 2
    assert "[3]" in row["args"]
    assert verify(folder).differences == []


def test_a_recorded_mind_has_nothing_to_say_from_it(folder: Path) -> None:
    with pytest.raises(Missing, match=r"the texts of .* were withheld"):
        RecordedMind(ModelSpec(mind="recorded", record=str(folder))).preflight()


# every text is known as one

KEPT = {
    "id": "a floor entry's place",
    "author": "a host or a person, by name",
    "nonce": "a mark of no meaning",
    "cursor": "a floor entry's place",
    "input_id": "a floor entry's place",
    "last_id": "an entry's place",
    "last_call_id": "an entry's place",
    "message_id": "a place",
    "labels": "the scenario's",
    "call_id": "a mark of no meaning",
    "model": "the scenario's",
    "model_digest": "of the server",
    "server": "of the server",
    "quantization": "of the server",
    "capabilities": "of the server",
    "options": "the scenario's",
    "parameters": "of the request, no text",
    "done_reason": "of the server",
    "request_sha256": "a hash, or nothing",
    "response_sha256": "a hash, or nothing",
    "item": "a place, or a name",
}
NESTED = {
    ("AskAct", "answer_schema"),
    ("AskAct", "legal"),
    ("AskAct", "view"),
    ("Act", "args"),
    ("Intervened", "args"),
    ("CallRecord", "format"),
    ("CallRecord", "cut"),
    ("ChatMessage", "content"),
}
"""What is taken out by shape, not by name; the tests above have each."""


def free_fields(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """List the fields of a record, and of those inside it, that may hold any text."""
    schema = model.model_json_schema()
    parts = {model.__name__: schema, **schema.get("$defs", {})}
    for part, inside in parts.items():
        for name, field in inside.get("properties", {}).items():
            if is_free(field):
                yield part, name


def is_free(field: Any) -> bool:
    if not isinstance(field, dict):
        return False
    if {"const", "enum", "$ref"} & field.keys():
        return False
    kinds = [each for key in ("anyOf", "oneOf", "prefixItems") for each in field.get(key, ())]
    inner = [field[key] for key in ("items", "additionalProperties") if key in field]
    if kinds or inner:
        return any(is_free(each) for each in [*kinds, *inner])
    if field.get("type") == "string":
        return field.get("pattern", "") in ("", "^[^\\x00]*$")
    return "type" not in field


RECORDS: list[type[BaseModel]] = [
    *EVENT_KINDS.values(),
    *(one for one in Notice.__args__[0].__args__),
    *(Consumed, CallRecord, AskAct, AskSay, Say, Pass, Act),
]


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
def test_every_field_that_may_hold_text_is_known(model: type[BaseModel]) -> None:
    known = {(part.__name__, name) for part, names in TEXTS.items() for name in names} | NESTED
    unknown = {one for one in free_fields(model) if one[1] not in KEPT} - known
    assert unknown == set()


def test_a_field_that_nobody_thought_of_would_be_found() -> None:
    class Rumoured(BaseModel):
        heard: str
        by: Row

    assert {name for _, name in free_fields(Rumoured)} == {"heard", "by"}
