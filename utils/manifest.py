"""What a dataset says about itself: `manifest.json`.

It is written last and lists every other file with its hash. Its own bytes are fixed by
`seal`, the hash of the manifest with the seal left empty: so one hash stands for the
whole dataset.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, JsonValue, ValidationError

from utils.errors import BadEntry, BadInput
from utils.journal import first_field, sha256_of
from utils.names import Name
from utils.protocol import Count, Frozen, Sha256, Short

NAME = "manifest.json"
FORMAT: Literal[1] = 1
"""The version of the dataset's layout that this program writes, and the newest it reads."""

Withheld = Literal["texts"]
TextForm = Literal["spreadsheet", "raw"]


class SealedFile(Frozen):
    """One file: its hash and how many bytes it has."""

    sha256: Sha256
    bytes: Count


class ModelSeen(Frozen):
    """One model as the calls say it was: every digest that answered under its name.

    `digests` are in the order in which they were first seen.
    """

    mind: Name
    model: str
    calls: Count
    digests: tuple[str, ...] = ()
    quantizations: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    language_model: tuple[bool, ...] = ()


class Checks(Frozen):
    """What a reviewer would ask first. Shares are of 1; none where there is nothing to share.

    Attributes:
        turns_missing: Turns that a channel's count leaves out.
        calls_missing: Calls that the journal counted and the dataset has not.
        calls_unknown: Closed grants that name a call by a hash which no call here has.
        calls_unreadable: Calls whose record says nothing that can be read.
        share_revoked: Grants that were taken back, of all.
        share_revoked_for_time: Of all grants, those whose time ran out.
        share_resampled: Calls whose answer a guard kept back, of all.
        share_cut: Calls of whose answers more was cut than the space around them.
        changed_models: Models whose digest changed in mid-run.
        words_sha256: What was said and done, by whom, in order, without its times: the
            same in two runs that are the same. None where nobody said or did anything.
        renamed_sha256: The same with the bots' names taken out.
    """

    turns_missing: Count = 0
    calls_missing: Count = 0
    calls_unknown: Count = 0
    calls_unreadable: Count = 0
    share_revoked: float | None = None
    share_revoked_for_time: float | None = None
    share_resampled: float | None = None
    share_cut: float | None = None
    changed_models: tuple[str, ...] = ()
    words_sha256: Sha256 | None = None
    renamed_sha256: Sha256 | None = None


class Manifest(Frozen):
    """A dataset's manifest.

    Attributes:
        phase: How far the run was; any but `closed` was cut at its last commit here.
        last_sha256: The hash of the last commit: the chain's end. Empty without commits.
        withheld: What was taken out of the records.
        text: How text cells of the CSV tables are written.
        started_with: Versions where the run was started, as its spec has them.
        made_with: Versions of what wrote this folder, which says nothing of the run.
        settings: Of the run, beside bots, models and channels: all are in raw/spec.json.
        deterministic, not_deterministic: What is promised, and what is not.
        findings: What a reader should know, one sentence each.
        rows: Table to its number of rows.
        files: Every file but this one.
        seal: The hash of this file with the seal left empty.
    """

    format: Literal[1] = FORMAT
    run: Name
    scenario: Name
    labels: dict[Name, Short] = {}
    phase: Literal["new", "gathering", "running", "ended", "closed"]
    commits: Count
    last_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
    calls: Count
    spec_sha256: Sha256
    seed: int
    settings: dict[str, JsonValue] = {}
    models: tuple[ModelSeen, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    text: TextForm = "spreadsheet"
    started_with: dict[str, str] = {}
    made_with: dict[str, str] = {}
    deterministic: tuple[str, ...] = ()
    not_deterministic: tuple[str, ...] = ()
    checks: Checks = Checks()
    findings: tuple[str, ...] = ()
    rows: dict[str, Count] = {}
    files: dict[str, SealedFile]
    seal: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


def manifest_text(manifest: Manifest) -> str:
    """Write a manifest with its seal, whatever seal it had."""
    text = _spelled(manifest.model_copy(update={"seal": ""}).model_dump(mode="json"))
    return _spelled(manifest.model_dump(mode="json") | {"seal": sha256_of(text)})


def read_manifest(text: str, path: str = NAME) -> Manifest:
    """Read a manifest. Its seal is not checked here: see `manifest_text`.

    Raises:
        BadInput: A newer version of Parley wrote it.
        BadEntry: It is none.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadEntry(path, "not JSON") from error
    version = content.get("format") if isinstance(content, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise BadInput(
            f"a dataset of format {version}, and this Parley reads up to {FORMAT}",
            where=path,
            mend="use the version of Parley that wrote it, or a newer one",
        )
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        raise BadEntry(path, f"no manifest: {first_field(error)}") from error


def _spelled(content: Mapping[str, JsonValue]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=True) + "\n"
