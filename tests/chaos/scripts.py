"""The product's scripts, as they are written in Lua, for the simulated server.

`tests/chaos/test_server.py` holds them against the real ones.
"""

from __future__ import annotations

import redis

from tests.chaos.entries import Text
from tests.chaos.server import Server


def commit(server: Server, keys: list[str], args: list[str]) -> list[str]:
    """Do what `utils/commit.lua` does."""
    for key in keys:
        try:
            server.stream(key)
        except redis.ResponseError:
            return ["refused", key, "not a stream"]
    seq, prev, sha256 = int(args[0]), args[1], args[2]
    at, top_sha256 = top(server, keys[0])
    if at == seq and top_sha256 == sha256:
        return ["mine"]
    if at != seq - 1 or (seq > 1 and top_sha256 != prev):
        return ["other", str(at), top_sha256]
    return append(server, keys, args)


def append(server: Server, keys: list[str], args: list[str]) -> list[str]:
    """Do the script's second half: what is written once it is known to follow."""
    for key in keys[1:]:
        if top(server, key)[0] >= int(args[0]):
            return ["refused", key, "already past this commit"]
    entry_id = (int(args[0]), 0)
    server._write("add", keys[0], entry_id, ["b", args[3], "h", args[2]])
    for key, body in zip(keys[1:], args[4:], strict=True):
        server._write("add", key, entry_id, ["b", body])
    return ["done"]


def top(server: Server, key: str) -> tuple[int, str]:
    stream = server.stream(key)
    if stream is None or not stream.ids:
        return 0, ""
    fields = stream.fields[-1]
    named = dict(zip(fields[::2], fields[1::2], strict=True))
    return stream.ids[-1][0], named.get("h", "")


def release(server: Server, keys: list[str], args: list[str]) -> int | None:
    if server._do_get(keys) == args[0]:
        return server._do_del(keys)
    return None


def keep_snapshot(server: Server, keys: list[str], args: list[str]) -> int:
    if not server._do_xrange([keys[1], args[1], args[1]]):
        return 0
    server._write("set", keys[0], Text(args[0]))
    return 1


def trim(server: Server, keys: list[str], args: list[str]) -> int:
    """Do what `utils/trim.lua` does."""
    if server._do_get(keys[:1]) != args[0]:
        return -1
    pairs = zip(keys[1:], args[1:], strict=True)
    return sum(server._do_xtrim([key, "MINID", "=", first]) for key, first in pairs)


def renew(server: Server, keys: list[str], args: list[str]) -> int:
    if server._do_get(keys) != args[0]:
        return 0
    server._write("set", keys[0], Text(args[0], server.now_ms() + int(args[1])))
    return 1
