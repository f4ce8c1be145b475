"""What is secret stands in no output, no log, no dataset, no process list."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from orchestrator.launch import Launcher
from tests.bots.raw_server import DONE, RawServer, Visit, closed_port, line
from tests.doors.guarded import (
    KEPT,
    PASSWORD,
    USER,
    Guarded,
    command_lines,
    guarded_server,
    leaks,
)
from utils.clock import wait_until
from utils.errors import BadInput, ParleyError
from utils.server_kind import find_binary
from utils.settings import Settings
from utils.streams import Streams


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded_server(tmp_path_factory.mktemp("s")) as server:
        yield server


def test_a_whole_run_tells_no_secret(guarded: Guarded) -> None:
    out = guarded.folder / "dataset"

    def answer(visit: Visit) -> None:
        guarded.seen.append(command_lines())  # all processes of the run are there by now
        visit.stream(line("Well."), DONE)

    with RawServer(answer) as server:
        scenario = guarded.folder / "tea.yaml"
        scenario.write_text(
            "parley: 1\nmodels: {m: {model: tiny}}\nbots: [ada, bo]\nend: {turns: 4}\n"
        )
        done = guarded.parley(
            "run", str(scenario), "--plain", "--out", str(out), OLLAMA_HOST=server.url
        )
    assert done.returncode == 0, done.stderr
    during = [seen for seen in guarded.seen if str(scenario) in seen]
    assert len(during) >= 4, "nobody looked while the run was on"
    for words in (["runs"], ["status"], ["doctor"], ["doctor", "--json"], ["watch", "--help"]):
        guarded.parley(*words)
    files = [path for path in out.rglob("*") if path.is_file()]
    assert len(files) > 12
    texts = [path.read_text("utf-8") for path in files]
    assert not leaks([*guarded.seen, *texts, (guarded.folder / "redis.log").read_text()])


def test_processes_that_run_and_lose_their_server_tell_no_secret(guarded: Guarded) -> None:
    logs = guarded.folder / "logs"
    logs.mkdir()
    port = int(closed_port().rpartition(":")[2])
    config = guarded.folder / "second.conf"
    config.write_text(f"requirepass {PASSWORD}\nport {port}\nbind 127.0.0.1\nsave ''\n")
    url = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
    second = subprocess.Popen([find_binary().path, config], stdout=subprocess.DEVNULL)
    launcher = Launcher(env={"REDIS_URL": url, "PARLEY_LEASE_MS": "500", **KEPT}, logs=logs)
    try:
        assert wait_until(lambda: _is_up(url), within_ms=15_000)
        started = [launcher.start(words[0], words) for words in (["orchestrator"], ["bots"])]
        streams = Streams(url)
        assert wait_until(lambda: bool(streams.presences()), within_ms=30_000)
        during = command_lines()
        assert "parley" in during
        streams._redis.config_set("requirepass", "another")  # the password is wrong from now on
        streams._redis.client_kill_filter(_type="normal", skipme=True)
        told = wait_until(
            lambda: all("server" in one.log.read_text().lower() for one in started),
            within_ms=15_000,
        )
        second.kill()
        second.wait()
        assert told, [one.log.read_text() for one in started]
    finally:
        second.kill()
        second.wait()
        launcher.stop()
    assert not leaks([during, *(path.read_text() for path in logs.iterdir())])


def _is_up(url: str) -> bool:
    try:
        Streams(url).time_ms()
    except ParleyError:
        return False
    return True


WRONG_URLS = {
    "nobody there": "redis://{user}:{password}@127.0.0.1:1/0",
    "no such host": "redis://{user}:{password}@nowhere.invalid:6379/0",
    "wrong password": "redis://:{password}x@127.0.0.1:{port}/0",
    "wrong user": "redis://{user}:{password}@127.0.0.1:{port}/0",
    "no such database": "redis://:{password}@127.0.0.1:{port}/99",
    "bad port": "redis://:{password}@127.0.0.1:{password}/0",
    "slash in the password": "redis://:/{password}@127.0.0.1:{port}/0",
    "at in the password": "redis://:@{password}@127.0.0.1:{port}/0",
    "hash in the password": "redis://:#{password}@127.0.0.1:{port}/0",
    "bracket in the password": "redis://:[{password}@127.0.0.1:{port}/0",
    "percent in the password": "redis://:%zz{password}@127.0.0.1:{port}/0",
    "password as an option": "redis://127.0.0.1:1/0?password={password}",
    "unknown option": "redis://:{password}@127.0.0.1:{port}/0?pass={password}",
    "bad value of an option": "redis://:{password}@127.0.0.1:{port}/0?db={password}",
    "no scheme": ":{password}@127.0.0.1:{port}",
    "another scheme": "http://:{password}@127.0.0.1:{port}",
    "tls where there is none": "rediss://:{password}@127.0.0.1:{port}/0",
    "no such socket": "unix://:{password}@/nowhere/socket",
}

LOOKED_AT = ("no such host", "wrong password", "slash in the password")
"""Tried with `parley doctor`, which goes on where other commands end."""


@pytest.mark.parametrize("wrong", WRONG_URLS)
def test_a_redis_url_that_does_not_work_is_not_repeated(wrong: str, guarded: Guarded) -> None:
    url = WRONG_URLS[wrong].format(user=USER, password=PASSWORD, port=guarded.port)
    done = guarded.parley("doctor" if wrong in LOOKED_AT else "runs", REDIS_URL=url)
    assert done.returncode in (2, 3), done.stderr
    assert "Traceback" not in done.stderr
    assert not leaks([done.stdout, done.stderr])
    assert "REDIS_URL" in done.stderr + done.stdout


@pytest.mark.parametrize(
    "host",
    [
        "http://{user}:{password}@127.0.0.1:1",
        "http://{user}:x@{password}@127.0.0.1:1",
        "http://{user}:x/{password}@127.0.0.1:1",
        "http://{user}:{password}@[::1",
        "{user}:{password}@127.0.0.1:1",
        "http://{user}:{password}@127.0.0.1:99999",
    ],
)
def test_a_login_in_a_model_servers_address_is_refused_and_not_repeated(
    host: str, guarded: Guarded
) -> None:
    asked = host.format(user=USER, password=PASSWORD)
    done = guarded.parley("run", "salon", "--turns", "1", OLLAMA_HOST=asked)
    assert done.returncode == 2
    assert done.stderr.startswith("parley: OLLAMA_HOST: holds a user name or a password")
    assert not leaks([done.stdout, done.stderr])


def test_a_scenario_holds_no_login(guarded: Guarded) -> None:
    scenario = guarded.folder / "login.yaml"
    at = f"http://{USER}:{PASSWORD}@127.0.0.1:1"
    scenario.write_text(
        f"parley: 1\nmodels:\n  m: {{model: tiny, host: '{at}'}}\nbots: [ada, bo]\n"
    )
    done = guarded.parley("seed", str(scenario))
    assert done.returncode == 2
    assert "must hold no user name and no password" in done.stderr
    assert not leaks([done.stderr])


@pytest.mark.parametrize(
    "proxy",
    [
        "socks5://{user}:{password}@127.0.0.1:1",
        "http://{user}:{password}@127.0.0.1:1",
        "http://{user}:{password}/x@127.0.0.1:1",
        "http://{user}:{password}@127.0.0.1:{password}",
        "http://{user}:{password}@[::1",
        "{user}:{password}@127.0.0.1:1",
    ],
)
def test_a_proxys_login_is_not_repeated(proxy: str, guarded: Guarded) -> None:
    through = proxy.format(user=USER, password=PASSWORD)
    done = guarded.parley(
        "run",
        "salon",
        "--turns",
        "1",
        OLLAMA_HOST="http://models.example.org",
        HTTP_PROXY=through,
        http_proxy=through,
    )
    assert done.returncode in (2, 3), done.stderr
    assert "Traceback" not in done.stderr
    assert not leaks([done.stdout, done.stderr])


def test_settings_and_connections_are_written_without_their_secrets() -> None:
    url = f"redis://:{PASSWORD}@127.0.0.1:1/0"
    settings = Settings.from_env({"REDIS_URL": url, "HOME": "/tmp"})
    assert settings.redis_url == url
    assert not leaks([repr(settings), str(settings), repr(Streams(url))])
    with pytest.raises(BadInput) as refused:
        Settings.from_env({"OLLAMA_HOST": f"http://a:{PASSWORD}@x"})
    assert not leaks([str(refused.value), repr(refused.value)])


def test_a_secret_that_were_told_would_be_found(guarded: Guarded) -> None:
    assert leaks([f"no server at {guarded.url()}"])
    shown = subprocess.Popen([sys.executable, "-c", "input()", guarded.url()], stdin=-1)
    try:
        assert wait_until(lambda: bool(leaks([command_lines()])), within_ms=15_000)
    finally:
        shown.communicate(b"\n")
