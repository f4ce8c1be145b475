"""What the environment says, read once, by `main()`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from utils.errors import BadInput
from utils.names import shown
from utils.protocol import Frozen

DEFAULT_OLLAMA_HOST = "http://127.0.0.1:11434"
DEFAULT_OPENAI_HOST = "http://127.0.0.1:8080/v1"
"""Where llama.cpp's server listens unless it is told otherwise."""
DEFAULT_TYPED = "parley"
MAX_HOST_CHARS = 200

VARIABLES: Mapping[str, str] = {
    "redis_url": "REDIS_URL",
    "redis_password_file": "REDIS_PASSWORD_FILE",
    "home": "PARLEY_HOME",
    "fsync": "PARLEY_FSYNC",
    "ollama_host": "OLLAMA_HOST",
    "ollama_hosts": "OLLAMA_HOSTS",
    "slots": "PARLEY_SLOTS",
    "model": "PARLEY_MODEL",
    "lease_ms": "PARLEY_LEASE_MS",
    "recordings": "PARLEY_RECORDINGS",
    "keep": "PARLEY_KEEP",
    "typed": "PARLEY_TYPED",
}
"""Each setting's variable in the environment."""


class Settings(Frozen):
    """Where things are, and how patient processes are.

    Attributes:
        redis_url: `REDIS_URL`: a server of your own; none for the embedded one.
        redis_password_file: `REDIS_PASSWORD_FILE`: a file that holds the password of
            `redis_url`, so that it stands in no environment and no process list.
        home: `PARLEY_HOME`: where the embedded server keeps its data.
        fsync: `PARLEY_FSYNC`: when the embedded server's writes reach the disk.
        ollama_host: `OLLAMA_HOST`: where models answer.
        ollama_hosts: `OLLAMA_HOSTS`: several such servers, in place of the one.
        slots: `PARLEY_SLOTS`: calls that each of them is sent at a time, by all hosts
            together: what it has as `OLLAMA_NUM_PARALLEL`.
        model: `PARLEY_MODEL`: what `seed` asks in place of the models a scenario names,
            and what `pull` pulls.
        lease_ms: `PARLEY_LEASE_MS`: how long a leader or host may be silent before
            another takes its place.
        recordings: `PARLEY_RECORDINGS`: where the recorder writes, and where the beginnings
            of runs are that the server holds no more; none for a folder in `home`.
        keep: `PARLEY_KEEP`: entries of each stream that the recorder leaves at the server.
        typed: `PARLEY_TYPED`: what to type for `parley` here, for lines to copy.
    """

    redis_url: str | None = Field(default=None, repr=False)  # it may hold a password
    redis_password_file: Path | None = None
    home: Path
    fsync: Literal["always", "everysec"] = "always"
    ollama_host: str = DEFAULT_OLLAMA_HOST
    ollama_hosts: tuple[str, ...] = ()
    slots: int = Field(default=1, ge=1, le=10_000)
    model: str | None = None
    lease_ms: int = Field(default=5_000, ge=100, le=600_000)
    recordings: Path | None = None
    keep: int = Field(default=10_000, ge=100, le=100_000_000)
    typed: str = DEFAULT_TYPED

    @property
    def model_servers(self) -> tuple[str, ...]:
        """Where models answer: one address, or several."""
        return self.ollama_hosts or (self.ollama_host,)

    @property
    def recordings_folder(self) -> Path:
        """Where runs are recorded: beside the embedded server's data, unless told otherwise."""
        return self.recordings or self.home / "recordings"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read the settings from an environment, `os.environ` say.

        Raises:
            BadInput: A variable has a value that cannot be used.

        Example:
            >>> Settings.from_env({"HOME": "/tmp/ada"}).lease_ms
            5000
        """
        state = env.get("XDG_STATE_HOME") or str(Path(env.get("HOME", ".")) / ".local" / "state")
        home = env.get("PARLEY_HOME") or str(Path(state) / "parley")
        fsync = env.get("PARLEY_FSYNC") or "always"
        secret = env.get("REDIS_PASSWORD_FILE")
        recordings = env.get("PARLEY_RECORDINGS")
        try:
            return cls(
                redis_url=env.get("REDIS_URL") or None,
                redis_password_file=Path(secret) if secret else None,
                home=Path(home),
                fsync=cast("Literal['always', 'everysec']", fsync),
                ollama_host=_checked(_with_scheme(env.get("OLLAMA_HOST") or DEFAULT_OLLAMA_HOST)),
                ollama_hosts=_addresses(env.get("OLLAMA_HOSTS") or ""),
                slots=_number(env.get("PARLEY_SLOTS") or "1", where="PARLEY_SLOTS"),
                model=env.get("PARLEY_MODEL") or None,
                lease_ms=_number(env.get("PARLEY_LEASE_MS") or "5000", where="PARLEY_LEASE_MS"),
                recordings=Path(recordings) if recordings else None,
                keep=_number(env.get("PARLEY_KEEP") or "10000", where="PARLEY_KEEP"),
                typed=env.get("PARLEY_TYPED") or DEFAULT_TYPED,
            )
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            variable = VARIABLES.get(str(first["loc"][0]), str(first["loc"][0]))
            raise BadInput(f"{first['msg'].lower()}", where=variable) from error


def _addresses(text: str) -> tuple[str, ...]:
    """Read addresses with commas between; the same one counts once."""
    return tuple(
        dict.fromkeys(_checked(_with_scheme(one)) for one in text.split(",") if one.strip())
    )


def _number(text: str, *, where: str) -> int:
    if not text.isdecimal():
        raise BadInput(f"{shown(text)} is not a whole number", where=where)
    return int(text.lstrip("0")[:9] or "0")  # too many digits are too much all the same


def _checked(host: str) -> str:
    """Refuse what is no address, or holds a login, without repeating it.

    The client sends no login that stands in an address; so there it could only leak.
    """
    try:
        parts = urlsplit(host)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if "@" in host:
        why = "holds a user name or a password, which are not sent"
        raise BadInput(why, where="OLLAMA_HOST", mend="leave them out")
    if not fits or len(host) > MAX_HOST_CHARS:
        why = "is not a model server's address"
        raise BadInput(why, where="OLLAMA_HOST", mend="write it like http://127.0.0.1:11434")
    return host


def _with_scheme(host: str) -> str:
    """Write OLLAMA_HOST as a URL, as Ollama itself reads it: scheme and port may lack."""
    url = host.strip() if "://" in host else f"http://{host.strip()}"
    scheme, _, rest = url.partition("://")
    rest = rest.rstrip("/")
    address = rest.rpartition("]")[2] if "]" in rest else rest
    if ":" not in address and "/" not in address:
        rest = f"{rest}:{ {'http': 11434, 'https': 443}.get(scheme, 11434) }"
    if rest.startswith(("0.0.0.0:", ":")):
        rest = "127.0.0.1:" + rest.partition(":")[2]
    return f"{scheme}://{rest}"
