"""The words that processes share, and the reference that is held to them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from orchestrator import kept, state
from parley.starting import Registered
from tests.scenes import Table, spec_of
from utils import journal, keys, mail, protocol
from utils.protocol import EVENT, EVENT_KINDS, INPUT, Action, Ask, Notice, OpenEvent, Started

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "protocol.md").read_text("utf-8")

FAMILIES: dict[str, tuple[type[BaseModel], ...]] = {
    "Inputs": get_args(get_args(protocol.Input)[0]),
    "Actions": get_args(get_args(Action)[0]),
    "Asks": get_args(get_args(Ask)[0]),
    "Notices": get_args(get_args(Notice)[0]),
    "Events": tuple(EVENT_KINDS.values()),
}
SHAPES: dict[str, tuple[type[BaseModel], ...]] = {
    "Commits": (journal.Commit, journal.Consumed),
    "Beside the journal": (mail.ChannelEntry, mail.InboxEntry, mail.StandingGrant, Registered),
}
LIMITS = {
    "a text": protocol.MAX_TEXT_CHARS,
    "a short text": 500,
    "a floor entry": protocol.MAX_INPUT_BYTES,
    "depth of an action's arguments": protocol.MAX_DEPTH,
    "inputs in a commit": journal.MAX_INPUTS,
    "a commit with several inputs": journal.MAX_COMMIT_BYTES,
    "a commit, whatever follows in it": journal.MAX_WHOLE_BYTES,
    "members of a channel": protocol.MAX_MEMBERS,
    "an event's kind": 80,
    "nonces on a page": state.PAGE,
    "full pages remembered of an author": state.REMEMBERED_PAGES,
    "bots for which a page more is remembered": state.BOTS_OF_A_PAGE,
    "authors remembered": state.REMEMBERED_AUTHORS,
    "commits a leader keeps to mend with": kept.KEPT_COMMITS,
}
PATTERNS = {
    r"^[a-z0-9][a-z0-9_-]{0,63}$": "name",
    r"^[A-Za-z0-9_.:-]{1,64}$": "nonce",
    r"^[0-9a-f]{64}$": "hash",
}
REFERRED = {
    "JsonValue": "json",
    "Granted": "a `granted` event",
    "Consumed": "consumed input",
    "StandingGrant": "standing grant",
    "Say": "action",
    "AskSay": "ask",
    "Started": "notice",
    "Began": "event",
}


def section(title: str) -> str:
    """One section of the reference, without its title."""
    return re.split(r"^## ", TEXT.partition(f"\n## {title}\n")[2], maxsplit=1, flags=re.M)[0]


def tables(title: str) -> dict[str, list[list[str]]]:
    """Each part of a section, by its heading, to the rows of its table."""
    parts = re.split(r"^### (.+)$", section(title), flags=re.M)[1:]
    return {head.strip("`"): rows(body) for head, body in zip(parts[::2], parts[1::2], strict=True)}


def rows(text: str) -> list[list[str]]:
    found = [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in found[1:]]


def spelled(schema: dict[str, Any]) -> str:
    """Write a field's JSON schema as the reference writes types."""
    if "oneOf" in schema:
        return spelled(schema["oneOf"][0])
    if "$ref" in schema:
        return REFERRED[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return " or ".join(spelled(one) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " or ".join(
            f"`{json.dumps(one)}`" for one in schema.get("enum", [schema.get("const")])
        )
    kind = str(schema["type"])
    if kind == "array":
        return f"list of {spelled(schema['items'])}"
    if kind == "object":
        (value,) = schema["patternProperties"].values()
        return f"map of name to {spelled(value)}"
    if kind == "integer":
        return "count" if schema.get("maximum") == 2**53 else "integer"
    by_length = {protocol.MAX_TEXT_CHARS: "text", 500: "short"}
    by_pattern = PATTERNS.get(schema.get("pattern", ""), kind)
    return by_length.get(schema.get("maxLength", 0), by_pattern)


def fields(model: type[BaseModel]) -> list[list[str]]:
    """Write a model's fields as the reference has them: name and type."""
    schema = model.model_json_schema()
    needed = schema.get("required", [])
    return [
        [f"`{name}`", spelled(field) + ("" if name in needed else ", optional")]
        for name, field in schema["properties"].items()
        if name != "kind"
    ]


@cache
def shown_run() -> Table:
    """The run whose fifth commit is shown in the reference."""
    table = Table(spec_of(), now_ms=1_700_000_000_000)
    table.notice(Started(run="tea-1", spec_sha256="0" * 64))
    for bot in ("ada", "bo", "cy"):
        table.join(bot)
    table.now_ms += 2_150
    table.propose(text="A town is for shade.")
    return table


@pytest.mark.parametrize("title", [*FAMILIES, *SHAPES])
def test_every_kind_and_field_is_in_the_reference_and_nothing_else_is(title: str) -> None:
    models = {
        str(one.model_fields["kind"].default) if title in FAMILIES else one.__name__: one
        for one in {**FAMILIES, **SHAPES}[title]
    }
    documented = {head: [row[:2] for row in found] for head, found in tables(title).items()}
    assert documented == {head: fields(model) for head, model in models.items()}


@pytest.mark.parametrize("title", [*FAMILIES, *SHAPES])
def test_every_kind_and_field_has_a_meaning(title: str) -> None:
    for part in re.split(r"^### ", section(title), flags=re.M)[1:]:
        head, _, body = part.partition("\n\n")
        assert body.partition("\n\n")[0].endswith("."), head
        assert all(row[2].endswith(".") and len(row) == 3 for row in rows(body)), head


def test_the_reference_has_the_keys_and_the_limits_that_the_code_has() -> None:
    (table,) = re.findall(r"^\| key .*?\|\n\n", keys.__doc__ or "", flags=re.M | re.S)
    assert table in section("Keys")
    written = {row[0]: int(row[1].split()[0]) for row in rows(section("Limits"))}
    assert written == LIMITS


def test_the_reference_has_every_answer_of_the_commit_script_and_every_reason() -> None:
    script = (ROOT / "utils" / "commit.lua").read_text("utf-8")
    replies = re.findall(r"return \{'(\w+)'", script)
    written = [re.findall(r"`(\w+)`", row[0])[0] for row in rows(section("The commit script"))]
    assert written
    assert set(written) == set(replies)
    reasons = protocol.Rejected.model_json_schema()["properties"]["why"]["enum"]
    fence = {row[1].strip("`") for row in rows(section("The fence"))}
    assert fence <= set(reasons)
    assert all(f"`{why}`" in section("Events") for why in set(reasons) - fence)


def test_every_type_in_the_reference_is_explained_there() -> None:
    explained = {
        word.strip()
        for row in rows(section("How values are written"))
        for word in row[0].split(",")
    }
    every = [
        row[1]
        for title in [*FAMILIES, *SHAPES]
        for found in tables(title).values()
        for row in found
    ]
    words = set(
        re.findall(
            r"[a-z]+",
            re.sub(r"`[^`]*`|, optional|list of|map of| to | or |null", " ", " ".join(every)),
        )
    )
    assert words - {"a", "event", "consumed", "input", "standing", "grant"} <= explained


def test_the_commit_shown_is_a_real_one_and_so_is_its_hash() -> None:
    sealed = shown_run().journal[4]
    (shown,) = re.findall(r"^```json\n(.*?)^```", TEXT, flags=re.M | re.S)
    assert json.dumps(json.loads(shown), separators=(",", ":"), ensure_ascii=False) == sealed.body
    assert f"Its hash is `{sealed.sha256}`." in TEXT


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "", ""),
        ("shade", "trade", "commit 5: its bytes are not what they were"),
        ("missing", "", "commit 2 is missing"),
    ],
)
def test_the_example_checks_a_journal_and_finds_what_was_changed(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", TEXT, flags=re.M | re.S)
    lines = [journal.to_line(sealed).replace(old, new) for sealed in shown_run().journal]
    if old == "missing":
        del lines[1]
    (tmp_path / "journal.jsonl").write_text("".join(lines), "utf-8")
    ran = subprocess.run(
        [sys.executable, "-I", "-c", example],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr.strip().endswith(said)
    assert (ran.stdout.strip() == shown_run().journal[-1].sha256) == (said == "")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_kind_belongs_to_one_shape(family: str) -> None:
    kinds = [model.model_fields["kind"].default for model in FAMILIES[family]]
    assert len(set(kinds)) == len(kinds)
    for model in FAMILIES[family]:
        assert model.model_config.get("frozen")
        assert model.model_config.get("extra") == "forbid"


@pytest.mark.parametrize(
    "written",
    [
        {"kind": "incident"},
        {"kind": "incident", "name": "flood", "mm": 3},
        {"kind": "incident", "name": "flood\n"},
        {"kind": "incident", "name": "flood", "detail": "\x00"},
        {"kind": "incident", "name": "flood", "detail": "x" * 501},
        {"kind": "woke", "world_ms": -1},
        {"kind": "woke", "world_ms": 2**53 + 1},
        {"kind": "ended", "reason": "boredom"},
        {"kind": "t" * 81},
        {"kind": 7},
        {},
        [],
    ],
)
def test_an_event_that_is_not_as_agreed_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        EVENT.validate_python(written)


@pytest.mark.parametrize(
    "adapter", [INPUT, TypeAdapter(Action), TypeAdapter(Ask), TypeAdapter(Notice)]
)
def test_only_events_may_be_of_a_kind_nobody_knows(adapter: TypeAdapter[Any]) -> None:
    unknown = {"kind": "town.rained", "author": "a", "nonce": "n"}
    assert isinstance(EVENT.validate_python(unknown), OpenEvent)
    with pytest.raises(ValidationError):
        adapter.validate_python(unknown)
