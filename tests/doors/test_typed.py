"""What is typed and cannot be: one line that says so, never a traceback, nothing begun."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.folder import LONGEST_NAME_BYTES, whole
from parley.starting import start
from tests.scenes import spec_of
from utils.errors import BadInput
from utils.server import EmbeddedServer
from utils.streams import Streams

LONG = "a" * 300
SHOWN = 200
"""Of what was typed an error shows the beginning."""

TYPED = [
    ["run", "ring", "--mind", "scripted", "--turns", "2", "--out", LONG],
    ["run", "ring", "--mind", "scripted", "--out", "a" * (LONGEST_NAME_BYTES + 1)],
    ["run", "ring", "--mind", "scripted", "--out", "/proc/nowhere"],
    ["run", "ring", "--mind", "scripted", "--out", "x/" * 3_000],
    ["run", f"{LONG}.yaml"],
    ["run", LONG],
    ["run", "../../etc/passwd"],
    ["run", "/etc/passwd"],
    ["run", "/dev/zero.yaml"],
    ["run", "ring", "--mind", LONG],
    ["run", "ring", "--mind", "../x"],
    ["run", "ring", "--model", LONG, "--offline"],
    ["run", "ring", "--model", "a b"],
    ["run", "ring", "--seed", str(2**63)],
    ["run", "ring", "--turns", str(10**9 + 1)],
    ["run", "ring", "--turns", "0"],
    ["run", "ring", "--seats-per-process", "10001"],
    ["scenarios", "show", LONG],
    ["scenarios", "show", f"/tmp/{LONG}.yaml"],
    ["personas", "show", f"../{LONG}"],
    ["seed", "ring", "--say", "x" * 16_385],
    ["status", "../../x"],
    ["status", LONG],
    ["watch", LONG],
    ["watch", "{tea}"],
    ["export", "../../x", "--out", "y"],
    ["export", "RUN", "--out", LONG],
    ["export", "--all", "--out", LONG],
    ["orchestrator", "--run", "../x"],
    ["bots", "--run", "../x"],
    ["bots", "--seats-per-process", "10001"],
    ["offline-model", "--port", "65536"],
    ["offline-model", "--port", "0", "--tokens-per-s", "nan"],
    ["tell", "RUN", "pause", "--wait", "nan"],
    ["tell", "RUN", "pause", "--wait", "3600.1"],
    ["tell", "RUN", "pause", "--as", LONG],
    ["tell", "RUN", "pause", "--nonce", "n" * 65],
    ["tell", "RUN", "step", "--turns", "1001"],
    ["tell", "RUN", "inject", "x" * 16_385],
    ["tell", "RUN", "stop", "--why", "x" * 501],
    ["tell", "RUN", "do", "../x"],
    ["tell", "RUN", "do", "x", "[" * 66 + "]" * 66],
    ["tell", "RUN", "do", "x", "[" * 50_000],
    ["tell", "RUN", "do", "x", "9" * 5_000],
    ["tell", "RUN", "whisper", "../ada", "x"],
    ["tell", "RUN", "inject", "x", "--channel", "../main"],
    ["tell", LONG, "pause"],
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Hold a server with a run that nobody leads."""
    folder = tmp_path_factory.mktemp("h")
    with EmbeddedServer.open(folder / "server", fsync="everysec") as server:
        streams = Streams(server.url)
        (folder / "run").write_text(start(streams, spec_of()))
        (folder / "url").write_text(server.url)
        yield folder
        streams.close()


def typed(home: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    run = (home / "run").read_text()
    return subprocess.run(
        [sys.executable, "-m", "parley", *(run if word == "RUN" else word for word in words)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=home,
        env={**os.environ, "REDIS_URL": (home / "url").read_text(), **env},
    )


@pytest.mark.parametrize("words", TYPED, ids=lambda words: " ".join(words)[:60])
def test_what_cannot_be_is_refused_in_one_line_before_anything_runs(
    words: list[str], home: Path
) -> None:
    before = sorted(path.name for path in home.iterdir())
    done = typed(home, *words)
    assert done.returncode == 2, done.stderr[-500:]
    assert done.stdout == ""
    assert done.stderr.startswith("parley: ")
    assert done.stderr.count("\n") == 1
    assert done.stderr.rstrip("\n").isprintable()
    assert sorted(path.name for path in home.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PARLEY_LEASE_MS", LONG),
        ("PARLEY_LEASE_MS", "99"),
        ("PARLEY_LEASE_MS", "600001"),
        ("PARLEY_LEASE_MS", "9" * 5_000),
        ("PARLEY_LEASE_MS", "\x1b[2J"),
        ("PARLEY_FSYNC", LONG),
        ("OLLAMA_HOST", "http://127.0.0.1:99999"),
        ("OLLAMA_HOST", "http://[::1"),
        ("OLLAMA_HOST", "ftp://127.0.0.1"),
        ("OLLAMA_HOST", LONG * 10),
        ("REDIS_URL", LONG),
        ("REDIS_URL", "http://127.0.0.1"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_in_one_line(name: str, value: str, home: Path) -> None:
    done = typed(home, "runs", **{name: value})
    assert done.returncode == 2, done.stderr[-500:]
    assert done.stderr.startswith(f"parley: {name}: ")
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 2 * SHOWN
    assert done.stderr.rstrip("\n").isprintable()


def test_a_dataset_is_called_by_at_most_so_many_bytes(tmp_path: Path) -> None:
    longest = tmp_path / ("\u00e9" * (LONGEST_NAME_BYTES // 2))
    with whole(longest):
        pass
    assert longest.is_dir()
    with (
        pytest.raises(BadInput, match=r"--out: .* is too long a name"),
        whole(tmp_path / ("a" * (LONGEST_NAME_BYTES + 1))),
    ):
        pass
