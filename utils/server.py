"""The server: the one at REDIS_URL, or one of our own that nobody has to install.

An embedded server belongs to none of its users: the first one in starts it, the last
one out ends it. What it acknowledged is in its append-only file, so a server that was
killed comes back whole with the next one who opens it. A user that was killed leaves
it running; whoever comes next finds it, and ends it when done.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, Self

from utils.clock import monotonic_ms, sleep_s
from utils.errors import BadInput, Missing
from utils.server_home import Home, is_alive, unlock
from utils.server_kind import (
    ServerBinary,
    ServerDetails,
    check_server,
    find_binary,
    server_details,
    shown_url,
    unreadable_url,
)

__all__ = [
    "EmbeddedServer",
    "ForeignServer",
    "Fsync",
    "Server",
    "ServerBinary",
    "ServerDetails",
    "check_server",
    "find_binary",
    "open_server",
    "server_details",
    "shown_url",
]

Fsync = Literal["always", "everysec"]

ANSWER_MS = 15_000
"""How long a server may be silent before it is given up."""
LOAD_MS = 100_000
"""How long it may say that it is still reading its file."""

LAUNCH = 'log=$1 pid=$2; shift 2; "$@" </dev/null >>"$log" 2>&1 & echo $! >"$pid"; echo $!'
"""A shell starts the server and ends at once: the server is nobody's child.

The shell's input is server.lock. So when its caller is killed, the lock is held until the
pid is written, and whoever gets the lock next knows of the server. The server has no part
in it.
"""


class Server(Protocol):
    """A server that will do, and what to call when done with it. A context manager."""

    @property
    def url(self) -> str:
        """Return the address, as redis-py takes it; it may hold a password."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def open_server(redis_url: str | None, home: Path, fsync: Fsync) -> Server:
    """Open the server at `redis_url`, or the embedded one when that is None or empty.

    Args:
        redis_url: The setting REDIS_URL.
        home: Folder of the embedded server.
        fsync: When the embedded server writes to disk: at every command or every second.

    Raises:
        BadInput: `redis_url` cannot be read, or `home` cannot be used.
        Missing: No server there, or one that will not do.
    """
    if not redis_url:
        return EmbeddedServer.open(home, fsync=fsync)
    _check_at(redis_url)
    return ForeignServer(redis_url)


@dataclass(frozen=True, slots=True)
class ForeignServer:
    """A server that somebody else starts and stops."""

    url: str = field(repr=False)  # it may hold a password

    def close(self) -> None:
        """Do nothing: it is not ours."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class EmbeddedServer:
    """One user's hold on the embedded server of a folder. A context manager.

    It is this process's alone: a forked child may close its copy and changes nothing by
    it. Let the child open its own.
    """

    def __init__(self, home: Home, users_fd: int) -> None:
        self.home = home
        self.url = home.url
        self._users_fd: int | None = users_fd
        self._owner = os.getpid()

    @classmethod
    def open(
        cls,
        home: Path,
        *,
        fsync: Fsync = "always",
        answer_ms: int = ANSWER_MS,
        binary: ServerBinary | None = None,
    ) -> EmbeddedServer:
        """Join the server of this folder, or start it.

        Args:
            home: Its folder; made when it is not there.
            fsync: When it writes to disk. The strictest any of its users asked for holds.
            answer_ms: How long it may be silent, milliseconds.
            binary: What to start; None means what `find_binary` finds.

        Raises:
            BadInput: The folder cannot be used.
            Missing: There is nothing to start, it ended at once, or it does not answer.
        """
        place = Home.at(home)
        with place.locked() as lock_fd:
            users_fd = place.come_in()  # before the ping: from here on nobody ends it
            try:
                if not _joins(place, fsync, answer_ms):
                    _start(place, lock_fd, binary or find_binary(), fsync, answer_ms)
            except BaseException as error:
                unlock(users_fd)
                if isinstance(error, OSError):
                    raise BadInput(f"cannot be used: {error}", where=str(place.path)) from error
                raise
        return cls(place, users_fd)

    def close(self) -> None:
        """Let go of the server, and end it when nobody else holds it. Twice is once.

        Raises:
            Missing: It was asked to end and is silent, or says why it cannot.
        """
        users_fd, self._users_fd = self._users_fd, None
        if users_fd is None:
            return
        if os.getpid() != self._owner:
            os.close(users_fd)
            return
        unlock(users_fd)
        with self.home.locked(), self.home.nobody_in() as is_last:
            # Ping first: the server may still be starting, and its starter killed.
            if is_last and _joins(self.home, "everysec", ANSWER_MS):
                said = self.home.ask("SHUTDOWN NOSAVE", within_ms=ANSWER_MS)
                if said != "":  # it hangs up when all is on disk
                    raise self.home.complaint(said)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _flags(home: Home, fsync: Fsync) -> list[str]:
    flags = {
        "port": "0",
        "unixsocket": str(home.socket),
        "unixsocketperm": "700",
        "dir": str(home.data),
        "set-proc-title": "no",  # so that `Home.server_pid` can read this command line
        "logfile": str(home.log),
        "daemonize": "no",
        "appendonly": "yes",
        "appendfsync": fsync,
        "aof-use-rdb-preamble": "no",  # plain commands: the next server may be an older one
        "aof-load-truncated": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "hz": "100",  # at 10, the default, a blocking read may end 100 ms late: a tick of a world
    }
    return [word for name, value in flags.items() for word in (f"--{name}", value)]


def _joins(home: Home, fsync: Fsync, answer_ms: int) -> bool:
    """Tell whether there is a server that answers, and make it as strict as asked."""
    while _answers(home, lambda: home.server_pid() > 0, answer_ms):
        if fsync != "always":
            return True
        said = home.ask("CONFIG SET appendfsync always", within_ms=answer_ms)
        if said == "+OK":
            return True
        if said != "":  # else it died just now: look again
            raise home.complaint(said)
    return False


def _start(home: Home, lock_fd: int, binary: ServerBinary, fsync: Fsync, answer_ms: int) -> None:
    """Start the server and wait for its first answer; end it when none comes."""
    home.data.mkdir(mode=0o700, exist_ok=True)
    home.socket.unlink(missing_ok=True)
    said_before = home.read_log()
    launched = subprocess.run(
        ["/bin/sh", "-c", LAUNCH, "sh", home.log, home.pid_file, binary.path, *_flags(home, fsync)],
        stdin=lock_fd,
        capture_output=True,
        start_new_session=True,
        umask=0o077,
        check=False,
    )
    pid = int(launched.stdout or 0)
    try:
        if not _answers(home, lambda: is_alive(pid), answer_ms):
            said = home.read_log()[len(said_before) :] or launched.stderr
            last = said.decode(errors="replace").strip().rpartition("\n")[2] or "it did not say why"
            raise Missing(f"{binary.path} ended while starting: {last}", mend=f"see {home.log}")
    except BaseException:
        if is_alive(pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        raise


def _answers(home: Home, lives: Callable[[], bool], answer_ms: int) -> bool:
    """Wait for the server's answer to a ping, as long as it `lives`.

    Returns:
        True when it answered; False when nobody listens and there is no server.

    Raises:
        Missing: It lives and is silent, or answers with an error.
    """
    began_ms = heard_ms = monotonic_ms()
    while (said := home.ask("PING", within_ms=min(answer_ms, 1_000))) != "+PONG":
        now_ms = monotonic_ms()
        if said == "" and not lives():
            return False
        if said is not None and said.startswith("-LOADING"):
            heard_ms = now_ms
        elif said:
            raise home.complaint(said)
        if now_ms - heard_ms > answer_ms or now_ms - began_ms > LOAD_MS:
            raise home.complaint(None)
        sleep_s(0.005)
    return True


def _check_at(url: str) -> None:
    """Ask the server at `url` who it is, and refuse it when it will not do."""
    # Here, not above: importing redis takes 0.3 s, and `parley --help` has no need of it.
    import redis  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    where = shown_url(url)
    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=2, socket_timeout=5, retry=Retry(NoBackoff(), 0)
        ) as client:
            client.ping()
            info = client.info()
    except redis.AuthenticationError as error:
        raise Missing(
            f"the server at {where} refuses us: {error}", mend="check REDIS_URL"
        ) from None
    except (redis.ConnectionError, redis.TimeoutError) as error:
        cause = error.__context__
        known = isinstance(cause, OSError) and cause.strerror
        raise Missing(
            f"no server at {where}: {str(known or error).lower()}",
            mend="start one or unset REDIS_URL to use the embedded one",
        ) from None
    except redis.RedisError as error:
        refused = f"the server at {where} refuses PING or INFO: {error}"
        raise Missing(refused, mend="check REDIS_URL") from None
    except (TypeError, ValueError):  # an option redis-py does not know, or not with this value
        raise unreadable_url() from None
    check_server(info, where=where)
