"""A server behind a password, the secrets of its users, and whether any of them was told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bots.raw_server import closed_port
from utils.clock import wait_until
from utils.errors import ParleyError
from utils.server_kind import find_binary
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


@contextmanager
def guarded_server(folder: Path) -> Iterator[Guarded]:
    """Hold a server that asks for a password."""
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
