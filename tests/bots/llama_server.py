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
    log = (folder / "llama.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(model), str(CONTEXT * slots), str(slots)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = next(line.split()[1] for line in process.stdout if line.startswith("listening "))
        base = f"{address}/v1"
        assert wait_until(lambda: _answers(base), within_ms=LONGEST_MS)
        yield base, httpx.get(f"{base}/models", trust_env=False).json()["data"][0]["id"]
    finally:
        process.kill()
        process.wait()
        log.close()


def _answers(base: str) -> bool:
    try:
        return httpx.get(f"{base}/models", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
