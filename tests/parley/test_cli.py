"""The command line: what a user meets first, above all when something is wrong."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bots.offline.server import OfflineServer
from parley.cli import COMMANDS

HEAVY = ("pandas", "redis", "rich", "pydantic", "ollama", "httpx", "orchestrator", "bots.runtime")


def parley(
    *arguments: str, home: Path, stdin: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a command as a user would, with a home of its own."""
    return subprocess.run(
        [sys.executable, "-m", "parley", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=home,
        env={**os.environ, "PARLEY_HOME": str(home / "home"), **env},
    )


def test_help_lists_every_command_and_imports_nothing_heavy() -> None:
    script = (
        "import sys; from parley.cli import root\n"
        "root.main(['--help'], standalone_mode=False)\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_the_short_help_the_list_gives_and_examples(name: str) -> None:
    command = importlib.import_module(f"parley.commands.{name.replace('-', '_')}").command
    assert command.short_help == COMMANDS[name]
    assert "Examples:" in command.help
    assert f"parley {name}" in command.help


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        ("rn", 2, "parley: there is no command 'rn'; did you mean 'run'?"),
        ("run", 2, "parley: run: Missing argument 'SCENARIO'; try: parley run --help"),
        ("verify --grad B", 2, "parley: verify: No such option '--grad'. Did you mean '--grade'?"),
        ("rerun --offlin", 2, "parley: rerun: No such option '--offlin'; try: parley rerun --help"),
        (
            "record --out home.txt",
            2,
            "parley: --out: home.txt: File exists; name a folder, or a place where one can be made",
        ),
        ("run salonn", 2, "parley: there is no scenario 'salonn'; did you mean 'salon'?"),
        ("run no.yaml", 2, "parley: no.yaml: there is no such file; try: parley scenarios"),
        (
            "run salon --mind psychic",
            2,
            "parley: --mind: unknown mind 'psychic'; "
            "there is ollama, openai, recorded, rule, scripted",
        ),
        (
            "run salon --mind remote",
            2,
            "parley: --mind: mind 'remote' is planned but not built yet",
        ),
        ("run salon --offline --out .", 2, "parley: .: there is something already; name another"),
        ("personas show adda", 2, "parley: unknown persona 'adda'; did you mean 'ada'?"),
        ("scenarios show rang", 2, "parley: there is no scenario 'rang'; did you mean 'ring'?"),
        ("orchestrator --until-closed", 2, "parley: --until-closed needs --run"),
        (
            "orchestrator --run Tea",
            2,
            "parley: --run: run 'Tea' is not a name; use at most 64 of a-z, 0-9, '_' and '-', "
            "the first a letter or digit",
        ),
    ],
)
def test_bad_input_is_one_line_with_the_mending_step(
    tmp_path: Path, arguments: str, code: int, line: str
) -> None:
    (tmp_path / "home.txt").write_text("a file")
    done = parley(*arguments.split(), home=tmp_path)
    assert done.returncode == code
    assert done.stderr.strip().splitlines() == [line]
    assert done.stdout == ""


def test_a_missing_model_server_is_exit_3_and_says_how_to_mend_it(tmp_path: Path) -> None:
    done = parley("run", "salon", home=tmp_path, OLLAMA_HOST="http://127.0.0.1:9")
    assert done.returncode == 3
    assert "no model server at http://127.0.0.1:9" in done.stderr
    assert "--offline" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_missing_model_is_exit_3_and_prints_the_pull_line(tmp_path: Path) -> None:
    with OfflineServer() as server:
        done = parley("run", "salon", home=tmp_path, OLLAMA_HOST=server.url)
    assert done.returncode == 3
    assert "ollama pull llama3.2:1b" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_no_server_is_exit_3_and_a_password_is_never_shown(tmp_path: Path) -> None:
    done = parley("runs", home=tmp_path, REDIS_URL="redis://:geheim@127.0.0.1:9")
    assert done.returncode == 3
    assert "no server at redis://" in done.stderr
    assert "geheim" not in done.stderr


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with OfflineServer() as server:
        port = server.url.rpartition(":")[2]
        done = parley("offline-model", "--port", port, home=tmp_path)
    assert done.returncode == 2
    assert f"port {port} is taken" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("parley: 1\nbots: [ada\n", "my.yaml:2: malformed YAML: expected ',' or the closing"),
        ("parley: 1\nbots: [adda]\n", "my.yaml:2: unknown persona 'adda'; did you mean 'ada'?"),
        ("parley: 1\nbots: []\n", "my.yaml:2: bots must name at least one bot"),
        ("parley: 1\n", "my.yaml:1: 'bots' is missing"),
        ("parley: 1\nbots: [ada]\nend: {turn: 3}\n", "unknown key 'turn'; did you mean 'turns'?"),
        ("parley: 1\nbots: [ada]\nitems: x.csv\n", "'items' is planned but not built yet"),
        ("parley: 1\nbots: [{persona: ada, name: Ada}]\n", "my.yaml:2: name must be a name"),
        (
            "parley: 1\nbots: [ada]\nchannels: {main: {policy: robin}}\n",
            "my.yaml:3: unknown policy 'robin'; did you mean",
        ),
        (
            "parley: 1\nbots: [ada]\nchannels: {main: {policy: chain}}\n",
            "my.yaml:3: policy 'chain' is planned but not built yet",
        ),
        (
            "parley: 1\nbots: [ada]\nmodels: {m: {mind: olama, model: x}}\n",
            "my.yaml:3: unknown mind 'olama'; did you mean 'ollama'?",
        ),
        ("parley: 1\nbots: [ada, ada]\n", "my.yaml:2: there are two bots named 'ada'"),
        ("parley: 1\nbots: [ada]\nworld: town\n", "my.yaml:3: world 'town' is planned"),
    ],
)
def test_a_scenario_that_cannot_be_run_is_one_line_with_file_and_line(
    tmp_path: Path, text: str, line: str
) -> None:
    (tmp_path / "my.yaml").write_text(text)
    done = parley("run", "my.yaml", "--offline", home=tmp_path)
    assert done.returncode == 2
    assert line in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_checking_personas_prints_line_and_reason_of_each_problem(tmp_path: Path) -> None:
    (tmp_path / "eve.yaml").write_text("persona: 1\nname: eve\nrol: a spy\n")
    done = parley("personas", "check", "eve.yaml", home=tmp_path)
    assert done.returncode == 1
    assert "eve.yaml:3: unknown key 'rol'; did you mean 'role'?" in done.stdout


def test_a_whole_run_offline_leaves_a_dataset_and_a_line_of_json(tmp_path: Path) -> None:
    done = parley(
        "run", "salon", "--offline", "--turns", "6", "--out", "tea", "--json", home=tmp_path
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["rows"]["messages"] == 7
    assert told["rows"]["calls"] == 6
    assert (tmp_path / "tea" / "raw" / "journal.jsonl").is_file()
    calls = (tmp_path / "tea" / "tables" / "calls.csv").read_text()
    assert "What is a town for?" in calls


def test_a_dry_run_prints_the_first_prompts_whole_and_an_estimate(tmp_path: Path) -> None:
    done = parley("run", "salon", "--dry-run", home=tmp_path)
    assert done.returncode == 0
    assert "You are Ada, a bridge engineer." in done.stdout
    assert "24 calls" in done.stdout
