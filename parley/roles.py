"""Who may do what at the Redis server: a user for each role, in an ACL file.

Roles stop accidents, such as a host that writes a journal: whoever holds a role's
password is trusted not to be malicious within it. `docs/docker.md` has the table. The
keys and their writers are those of `utils/keys.py`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from utils import keys
from utils.clock import fresh_id
from utils.errors import BadInput
from utils.journal import sha256_of

ANY = "*"
"""Any run, any bot: what stands for a name in a pattern of keys."""

GREETINGS = "ping info time select client|setname multi exec discard"
READS = "get mget exists type xread xrange xrevrange xlen xinfo|stream zrange zscore"
ACL_FILE = Path("redis/users.acl")
DIGITS = 48


@dataclass(frozen=True, slots=True)
class Role:
    """What one kind of process may do.

    Attributes:
        writes: Commands beside those that read.
        owns: Patterns of keys it reads and writes: leases and lists.
        appends: Patterns of keys it writes.
        reads: Patterns of keys it reads.
    """

    writes: str = ""
    owns: tuple[str, ...] = ()
    appends: tuple[str, ...] = ()
    reads: tuple[str, ...] = ("parley:*",)

    def rules(self) -> str:
        """Write the role as the rules of an ACL user, Redis >= 7.0."""
        commands = f"{GREETINGS} {READS} {self.writes}".split()
        return " ".join(
            [
                "resetchannels",
                "-@all",
                *(f"+{command}" for command in commands),
                *(f"%RW~{pattern}" for pattern in self.owns),
                *(f"%W~{pattern}" for pattern in self.appends),
                *(f"%R~{pattern}" for pattern in self.reads),
            ]
        )


ROLES: Mapping[str, Role] = {
    "orchestrator": Role(
        writes="xadd set del zrem eval evalsha pexpire",
        owns=(
            keys.journal(ANY),
            keys.channel(ANY, ANY),
            keys.inbox(ANY, ANY),
            keys.leader(ANY),
            keys.snapshot(ANY),  # a script's keys are read and written, whatever it does
            keys.LIVE,
            keys.RESERVED,
        ),
    ),
    # Neither journal nor floor: sealed answers are there before anybody may hear them.
    "host": Role(
        writes="xadd set del zadd zrem zremrangebyscore eval evalsha pexpire",
        owns=(keys.seat(ANY, ANY), keys.HOSTS, keys.slots(ANY)),
        appends=(keys.floor(ANY), keys.calls(ANY)),
        reads=(
            keys.RUNS,
            keys.LIVE,
            keys.RESERVED,
            keys.spec(ANY),
            keys.channel(ANY, ANY),
            keys.inbox(ANY, ANY),
        ),
    ),
    "person": Role(
        writes="xadd set zadd",
        appends=(keys.RUNS, keys.LIVE, keys.RESERVED, keys.spec(ANY), keys.floor(ANY)),
    ),
    # Takes away what it has on disk, and writes nothing.
    "recorder": Role(
        writes="xtrim xdel del scan eval evalsha",
        owns=(
            keys.floor(ANY),
            keys.journal(ANY),
            keys.channel(ANY, ANY),
            keys.inbox(ANY, ANY),
            keys.calls(ANY),
            keys.snapshot(ANY),  # looked at by the script that trims
        ),
    ),
    "reader": Role(),
}
"""Every role, by the name of its user."""


NOBODY = "user default off resetpass allcommands allkeys allchannels"
"""Whoever gives no name and password: switched off, so that nobody is.

It may do everything all the same: a server that starts reads its append-only file as this
user. With a default user that may do nothing, Redis 7.0 drops every transaction of the file
there, with a line in its log and no other sign.
"""


def acl_file(passwords: Mapping[str, str]) -> str:
    """Write the ACL file: nobody without a password, and a user for each role.

    Args:
        passwords: A password for each role. Only their hashes are in the file.

    Example:
        >>> acl_file(dict.fromkeys(ROLES, "tea")).splitlines()[0]
        'user default off resetpass allcommands allkeys allchannels'
    """
    users = [
        f"user {name} on #{sha256_of(passwords[name])} {role.rules()}"
        for name, role in ROLES.items()
    ]
    return "\n".join([NOBODY, *users, ""])


def make_secrets(folder: Path) -> list[str]:
    """Make a password for each role that has none, and the ACL file for all of them.

    Args:
        folder: Gets `redis/users.acl` and for each role `ROLE/password`.

    Returns:
        The roles that got a new password.

    Raises:
        BadInput: The folder cannot be used.
    """
    made = []
    passwords = {}
    try:
        for name in ROLES:
            path = folder / name / "password"
            if not path.is_file() or not path.read_text("utf-8").strip():
                _write(path, fresh_id(DIGITS))
                made.append(name)
            passwords[name] = path.read_text("utf-8").strip()
        _write(folder / ACL_FILE, acl_file(passwords))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "holds what is no text"
        raise BadInput(f"cannot be used: {why}", where=str(folder), mend="name another") from error
    return made


def _write(path: Path, text: str) -> None:
    """Write a file at once, whole.

    Whoever may look into its folder may read it: in a volume that is one container, on a
    machine the folder's owner alone.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(text, "utf-8")
    fresh.chmod(0o444)
    fresh.replace(path)
