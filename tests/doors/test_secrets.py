"""What is secret stands in no output, no log, no dataset, no process list."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestrator.launch import Launcher
from tests.bots.raw_server import DONE, RawServer, Visit, closed_port, line
from utils.clock import wait_until
from utils.errors import BadInput, ParleyError
from utils.server_kind import find_binary
from utils.settings import Settings
from utils.streams import Streams

PASSWORD = "hush-7f3a9c51"
USER = "ada-the-admin"
KEY = "sk-quiet-0d41b7e2"
TOKEN = "token-still-93aa"
SECRETS = (PASSWORD, KEY, TOKEN)
KEPT = {"OPENAI_API_KEY": KEY, "OLLAMA_API_KEY": TOKEN}
"""Secrets of the environment that belong to others."""


@dataclass
class Guarded:
    """A server behind a password, and everything that was seen of its users.

    Attributes:
        seen: All outputs, logs and command lines so far.
    """

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    seen: list[str] = field(default_factory=list)

    def url(self, *, password: str = PASSWORD, host: str = "127.0.0.1", more: str = "") -> str:
        return f"redis://:{password}@{host}:{self.port}/0{more}"

    def parley(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; what it printed is seen."""
        done = subprocess.run(
            [sys.executable, "-m", "parley", *words],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=self.folder,
            env={**os.environ, "REDIS_URL": self.url(), **KEPT, **env},
        )
        self.seen += [done.stdout, done.stderr]
        return done


def command_lines() -> str:
    """Read the command line of every process there is."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # it has ended
            continue
    return "\n".join(lines)


def leaks(texts: list[str]) -> list[str]:
    """List where a secret stands, with what is around it."""
    return [
        text[max(0, text.find(secret) - 80) :][:200]
        for text in texts
        for secret in SECRETS
        if secret in text
    ]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("s")
    port = int(closed_port().rpartition(":")[2])
    users = folder / "users.conf"
    users.write_text(
        f"requirepass {PASSWORD}\nport {port}\nbind 127.0.0.1\ndir {folder}\nsave ''\n"
    )
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen([find_binary().path, users], stdout=log)
    server = Guarded(folder, port, process)

    def answers() -> bool:
        try:
            Streams(server.url()).time_ms()
        except ParleyError:
            return False
        return True

    try:
        assert wait_until(answers, within_ms=15_000)
        yield server
    finally:
        process.kill()
        process.wait()


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


def models(model: str) -> bytes:
    return json.dumps({"data": [{"id": model, "object": "model"}]}).encode()


def event(content: str, *, end: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": end}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def in_an_error(visit: Visit) -> None:
    why = {"error": {"message": f"Incorrect API key provided: {KEY}"}}
    visit.status(401, json.dumps(why).encode())


def in_an_error_of_ollamas(visit: Visit) -> None:
    visit.status(401, json.dumps({"error": f"unauthorized: {TOKEN}"}).encode())


def in_a_text(visit: Visit) -> None:
    visit.stream(event(f"Mine is {KEY[:7]}"), event(f"{KEY[7:]}."), event("", end="stop"))


def in_a_text_that_breaks_off(visit: Visit) -> None:
    visit.stream(event("Mine is sk-"), event(KEY[3:]))


def in_what_is_no_answer(visit: Visit) -> None:
    visit.stream(event("Mine"), f"data: {{oops {KEY}\n\n".encode())


ECHOES = {
    "an error": ("openai", in_an_error),
    "an error of Ollama's": ("ollama", in_an_error_of_ollamas),
    "a text": ("openai", in_a_text),
    "a text that breaks off": ("openai", in_a_text_that_breaks_off),
    "what is no answer": ("openai", in_what_is_no_answer),
}


@pytest.mark.parametrize("echo", ECHOES)
def test_a_key_that_a_model_server_echoes_is_kept_nowhere(echo: str, guarded: Guarded) -> None:
    mind, chat = ECHOES[echo]
    out = guarded.folder / f"echo of {echo}"
    with RawServer(chat, about={"/api/models": models("tiny")}) as server:
        scenario = guarded.folder / "echo.yaml"
        scenario.write_text(
            f"parley: 1\nmodels: {{m: {{mind: {mind}, model: tiny, host: '{server.url}"
            f"{'/api' if mind == 'openai' else ''}'}}}}\n"
            "bots: [ada, bo]\nfloor: {allow_s: 3, tries: 1}\nend: {turns: 2}\n"
        )
        done = guarded.parley("run", str(scenario), "--plain", "--out", str(out))
        assert server.chats, done.stderr
        assert any(KEY in key or TOKEN in key for key in server.keys), "it was not sent the key"
    texts = {path.name: path.read_text("utf-8") for path in out.rglob("*") if path.is_file()}
    assert f"[{'OLLAMA' if mind == 'ollama' else 'OPENAI'}_API_KEY]" in texts["calls.csv"]
    assert not leaks([done.stdout, done.stderr, *texts.values()])


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
