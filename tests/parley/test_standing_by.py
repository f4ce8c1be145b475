"""What a stack's one-shots and its health check do: pull, wait, show a pulse; and many hosts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bots.offline.server import OfflineServer
from orchestrator.launch import Launcher
from parley import opening
from parley.cli import root
from parley.commands.pull import asked, progress
from parley.commands.ready import missing, wait
from parley.starting import start
from tests.scenes import spec_of
from tests.swarm import fake_streams
from utils.clock import ManualClock, wait_until
from utils.errors import BadInput, Missing
from utils.server_kind import with_password
from utils.settings import Settings
from utils.spec import ModelSpec
from utils.streams import Streams


@pytest.fixture(scope="module")
def models() -> Iterator[str]:
    with OfflineServer() as server:
        yield server.url


def run(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(root, arguments, env=env)


# pull


def test_a_model_is_pulled_with_its_progress_in_lines(models: str) -> None:
    done = run("pull", "parley-offline", OLLAMA_HOST=models)
    lines = done.output.splitlines()
    assert done.exit_code == 0
    assert lines[0] == f"parley-offline: asking {models} for it"
    assert lines[1] == "parley-offline: pulling manifest"
    assert lines[-1] == "parley-offline: is there"


def test_without_a_name_the_setting_says_which_and_else_the_scenario(models: str) -> None:
    named = run("pull", OLLAMA_HOST=models, PARLEY_MODEL="parley-offline")
    assert "parley-offline: is there" in named.output
    scenarios = run("pull", "--scenario", "debate", OLLAMA_HOST=models)
    assert scenarios.output.startswith("llama3.2:1b: asking")
    assert isinstance(scenarios.exception, Missing)


def test_a_model_nobody_has_is_one_line_with_the_step_that_mends_it(models: str) -> None:
    done = run("pull", "nobody:1b", OLLAMA_HOST=models)
    assert isinstance(done.exception, Missing)
    assert str(done.exception).startswith(f"cannot pull the model 'nobody:1b' at {models}: ")
    assert "check its spelling" in str(done.exception)


def test_a_server_that_is_not_there_is_said() -> None:
    done = run("pull", "parley-offline", OLLAMA_HOST="http://127.0.0.1:1")
    assert isinstance(done.exception, Missing)
    assert str(done.exception).startswith("no model server at http://127.0.0.1:1")


def test_an_empty_name_is_refused(models: str) -> None:
    assert isinstance(run("pull", " ", OLLAMA_HOST=models).exception, BadInput)


def test_a_long_fetch_tells_each_twentieth_once(capsys: pytest.CaptureFixture[str]) -> None:
    tell = progress("m")
    for there in range(1_001):
        tell("pulling abc", there * 10**6, 10**9)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 21
    assert lines[0] == "m: pulling abc   0% of 1,000 MB"
    assert lines[-1] == "m: pulling abc 100% of 1,000 MB"


def test_only_the_models_that_bots_ask_of_a_server_are_needed() -> None:
    spec = spec_of()
    used = next(iter(spec.models))
    of_ollama = spec.model_copy(update={"models": {used: ModelSpec(model="m:1b")}})
    assert asked(of_ollama) == ("m:1b",)
    assert asked(spec.model_copy(update={"models": {used: ModelSpec(mind="rule")}})) == ()


# ready


def test_what_is_waited_for_is_said_whenever_it_changes() -> None:
    lacking = iter(["a bot host", "a bot host", "the model m", "the model m", ""])
    said: list[str] = []
    clock = ManualClock()
    assert wait(lambda: next(lacking), within_ms=60_000, say=said.append, clock=clock) == ""
    assert said == ["waiting for a bot host", "waiting for the model m"]


def test_when_the_time_is_up_what_lacks_is_told() -> None:
    clock = ManualClock()
    lacks = wait(lambda: "a bot host", within_ms=5_000, say=lambda _: None, clock=clock)
    assert lacks == "a bot host"
    assert clock.now_ms() == 5_000


def test_a_swarm_lacks_a_host_then_a_server_then_a_model_then_nothing(models: str) -> None:
    streams = fake_streams()
    here = Settings(home=Path(), ollama_host="http://127.0.0.1:1")
    there = here.model_copy(update={"ollama_host": models})
    wanted = ("parley-offline",)
    assert missing(here, streams, wanted) == "a bot host"
    streams.announce("host-1", until_ms=10**15)
    assert missing(here, streams, wanted) == "the model server at http://127.0.0.1:1"
    assert missing(there, streams, ("nobody",)) == f"the model nobody at {models}"
    assert missing(there, streams, wanted) == ""
    assert missing(here, streams, ()) == ""


def test_ready_ends_with_the_lines_to_copy(models: str, empty_server: str) -> None:
    streams = Streams(empty_server)
    streams.announce("host-1", until_ms=10**15)
    env = {"REDIS_URL": empty_server, "OLLAMA_HOST": models, "PARLEY_MODEL": "parley-offline"}
    done = run("ready", **env, PARLEY_TYPED="docker-compose run --rm parley")
    streams.withdraw("host-1")
    assert done.output.splitlines()[-2:] == [
        "start a conversation:  docker-compose run --rm parley seed",
        "watch it:              docker-compose run --rm parley watch",
    ]


def test_a_seed_is_refused_where_the_named_server_lacks_the_model(
    models: str, empty_server: str
) -> None:
    env = {"REDIS_URL": empty_server, "OLLAMA_HOST": models, "PARLEY_TYPED": "./do"}
    refused = run("seed", "--model", "nobody:1b", **env)
    assert isinstance(refused.exception, Missing)
    assert str(refused.exception).endswith("./do pull nobody:1b")
    assert run("seed", **env, PARLEY_MODEL="parley-offline").exit_code == 0


# The pulse, and the password


def test_a_pulse_marks_its_file_while_all_is_well(tmp_path: Path) -> None:
    file = tmp_path / "pulse"
    is_well = False
    mark = opening.pulse(file, lambda: is_well)
    assert mark() is False
    assert not file.exists()
    is_well = True
    assert mark() is False
    assert file.exists()
    assert opening.pulse(None, lambda: True)() is False


def test_a_password_goes_into_the_address_and_not_over_another() -> None:
    assert with_password("unix://host@/run/s", "x y") == "unix://host:x%20y@/run/s"
    assert with_password("redis://redis:6379/1", "p") == "redis://:p@redis:6379/1"
    with pytest.raises(BadInput, match="REDIS_URL: has a password"):
        with_password("redis://host:q@redis:6379", "p")


# Many hosts, as processes


def test_many_processes_are_started_and_stopped_with_the_command(empty_server: str) -> None:
    streams = Streams(empty_server)
    before = set(streams.presences())
    process = subprocess.Popen(
        [sys.executable, "-m", "parley", "bots", "--processes", "2"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "REDIS_URL": empty_server},
    )
    try:
        arrived = wait_until(lambda: len(set(streams.presences()) - before) == 2, within_ms=30_000)
        assert arrived
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()
    assert set(streams.presences()) == before


def test_many_hosts_of_one_run_leave_when_it_is_closed(empty_server: str, tmp_path: Path) -> None:
    streams = Streams(empty_server)
    run_id = start(streams, spec_of())
    launcher = Launcher(env={"REDIS_URL": empty_server}, logs=tmp_path)
    try:
        launcher.start("orchestrator", ["orchestrator", "--run", run_id, "--until-closed"])
        one_run = ["--run", run_id, "--until-closed", "--seats-per-process", "5"]
        done = subprocess.run(
            [sys.executable, "-m", "parley", "bots", "--processes", "2", *one_run],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "REDIS_URL": empty_server},
            check=False,
        )
        assert (done.returncode, run_id in streams.live_runs()) == (0, False), done.stderr
    finally:
        launcher.stop()


def test_one_that_dies_is_shown_and_ends_the_command(empty_server: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "parley", "bots", "--processes", "1"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "REDIS_URL": empty_server, "PARLEY_LEASE_MS": "no"},
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.strip() == "parley: PARLEY_LEASE_MS: 'no' is not a whole number"


def test_both_forms_at_once_are_refused() -> None:
    done = run("bots", "--docker", "1", "--processes", "1")
    assert str(done.exception) == "give either --docker or --processes"
