"""A real llama.cpp server in a process of its own, with the tiny model of the tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.bots.tiny_gguf import CONTEXT, write_model
from utils.clock import wait_until

LONGEST_MS = 60_000

SERVE = """
import sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.n_ctx, params.port = sys.argv[1], int(sys.argv[2]), 0
params.n_parallel, params.cpuparams.n_threads, params.warmup = int(sys.argv[3]), 1, False
server = xllamacpp.Server(params)
print("listening", server.listening_address, flush=True)
sys.stdin.read()
"""


@contextmanager
def llama_server(folder: Path, *, slots: int = 1) -> Iterator[tuple[str, str]]:
    """Serve the tiny model; its base address and the name it goes by.

    llama.cpp divides its context among its slots.
    """
    model = folder / "tiny.gguf"
    write_model(model)
    arguments = [str(model), str(CONTEXT * slots), str(slots)]
    with (
        (folder / "llama.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-c", SERVE, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            said = (line.split() for line in process.stdout)
            base = next(f"{words[1]}/v1" for words in said if words[:1] == ["listening"])
            assert wait_until(lambda: _answers(base), within_ms=LONGEST_MS)
            yield base, httpx.get(f"{base}/models", trust_env=False).json()["data"][0]["id"]
        finally:
            process.kill()


def _answers(base: str) -> bool:
    try:
        return httpx.get(f"{base}/models", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
