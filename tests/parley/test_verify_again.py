"""`parley verify --grade B`, as it is typed, on datasets that are good, changed and forged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analytics.export import export_run
from analytics.files import sealed_file
from analytics.sheets import Form
from parley.commands.verify import command
from tests.bots.prompted import salon
from tests.forged import resealed, seq_of, with_event
from tests.swarm import fake_swarm
from utils import manifest as manifests
from utils.dataset import CALLS, JOURNAL, SPEC, Dataset
from utils.errors import BadInput, ParleyError
from utils.journal import to_line
from utils.manifest import manifest_text, read_manifest
from utils.protocol import Event, Heard


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported")
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(3)
        run = swarm.seed(salon())
        swarm.finish(run)
        export_run(swarm.streams, run, out / "tea")
        export_run(swarm.streams, run, out / "silent", form=Form(withheld=("texts",)))
    return out


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported / "tea", tmp_path / "tea"))


def verify(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [*map(str, arguments), "--grade", "b"])


def reseal(folder: Path) -> None:
    """Write the manifest again for the files as they are now."""
    path = folder / manifests.NAME
    manifest = read_manifest(path.read_text())
    files = {name: sealed_file(folder / name) for name in manifest.files}
    path.write_text(manifest_text(manifest.model_copy(update={"files": files})))


def change(path: Path, before: str, after: str, *, times: int = -1) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, times))


def test_a_dataset_holds_and_says_how_much_was_done_again(folder: Path) -> None:
    told = verify(folder)
    assert told.exit_code == 0, told.stdout
    lines = told.stdout.splitlines()
    assert lines[0].endswith(": grade B holds")
    commits = read_manifest((folder / manifests.NAME).read_text()).commits
    assert lines[2] == f"  {commits} commits decided again, 20 prompts built"
    (line,) = verify(folder, "--json").stdout.splitlines()
    said = json.loads(line)
    assert (said["grade"], said["holds"], said["others"]) == ("B", True, 0)
    assert (said["decided"], said["prompted"]) == (commits, 20)


def test_a_space_in_a_persona_is_found_at_its_first_turn(folder: Path) -> None:
    change(folder / SPEC, "Write {name}'s next", "Write {name}'s  next", times=1)
    told = verify(folder)
    assert isinstance(told.exception, ParleyError)
    assert told.exception.exit_code == 1
    lines = [line.strip() for line in told.stdout.splitlines()]
    assert lines[1].startswith("raw/spec.json: commit 1: not the bytes that were sealed")
    prompts = [line for line in lines if line.startswith(CALLS)]
    assert len(prompts) == 5
    assert "turn 1: " in prompts[0]
    assert "ada" in prompts[0]
    assert "prompt: message 2, character" in prompts[0]
    assert any(line.startswith("and 3 more commits and calls") for line in lines)


def test_a_journal_forged_whole_and_sealed_is_found_by_what_it_decided(folder: Path) -> None:
    journal = list(Dataset.open(folder).commits())

    def is_it(event: Event) -> bool:
        return isinstance(event, Heard) and (event.channel, event.turn) == ("main", 5)

    seq = seq_of(journal, is_it)
    events = with_event(journal[seq - 1], is_it, text="I never said that.")
    forged = resealed(journal, seq, events=tuple(events))
    (folder / JOURNAL).write_text("".join(map(to_line, forged)))
    reseal(folder)
    lines = [line.strip() for line in verify(folder).stdout.splitlines()]
    first = next(line for line in lines if line.startswith(f"{JOURNAL}:") and "heard" in line)
    assert first.startswith(f"{JOURNAL}:{seq}: commit {seq}, turn 5: main: event ")
    assert "recorded 'I never said that.', decided" in first


def test_what_cannot_be_read_is_not_checked_and_said_to_be(folder: Path) -> None:
    lines = (folder / JOURNAL).read_text().splitlines(keepends=True)
    (folder / JOURNAL).write_text("".join(lines[:9]) + "garbage\n")
    told = verify(folder)
    assert isinstance(told.exception, ParleyError)
    assert "not checked: the decisions beyond" in told.stdout
    (folder / JOURNAL).unlink()
    assert "not checked: grade B: raw/journal.jsonl is not there" in verify(folder).stdout
    (folder / manifests.NAME).write_text("{}")
    assert "manifest.json: no manifest" in verify(folder).stdout


def test_without_its_texts_nothing_can_be_done_again(exported: Path) -> None:
    told = verify(exported / "silent")
    assert isinstance(told.exception, BadInput)
    assert "its texts were withheld; grade A can be verified" in str(told.exception)
