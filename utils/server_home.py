"""The folder of an embedded server: what is in it, who may do what, and the line to it.

    server.lock   exclusive, held around "ping or start" and around the end
    users.lock    shared, held by every user for its life
    redis.sock    or, where that path is too long, /tmp/parley-<hash>/redis.sock
    redis.log, redis.pid, data/

Both locks are `flock`s, which the kernel frees when their holder dies. They are undone
by name, not only closed, since a forked child has a copy of every open file.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from utils.clock import wait_until
from utils.errors import BadInput, Missing

SOCKET_BYTES = 100
"""A socket's path stays below this; the system's own limit is 104 on macOS, 108 on Linux."""

LOCK_MS = 150_000
"""How long to wait for another process that starts or ends the server; more than it may take."""

EXEC_MS = 1_000
"""How long a process may be without a command line, in the middle of its exec."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where an embedded server keeps its things. Make it with `at`."""

    path: Path
    socket: Path

    @classmethod
    def at(cls, path: Path) -> Home:
        """Make the folder, with mode 0700, or check that it is only ours to write.

        Raises:
            BadInput: It cannot be made, is another user's, or others may write there.
        """
        home = path.resolve()
        make_private(home)
        beside = home / "redis.sock"
        if len(os.fsencode(beside)) < SOCKET_BYTES:
            return cls(home, beside)
        # Not TMPDIR: every process must find the same socket, whatever its environment.
        digest = hashlib.sha256(b"%d %b" % (os.geteuid(), os.fsencode(home))).hexdigest()
        short = Path("/tmp", f"parley-{digest[:16]}")  # noqa: S108
        make_private(short)
        return cls(home, short / "redis.sock")

    @property
    def url(self) -> str:
        """Return the socket's address; redis-py undoes the percent signs."""
        return "unix://" + quote(os.fsencode(self.socket))

    @property
    def data(self) -> Path:
        """Return the folder of the append-only file."""
        return self.path / "data"

    @property
    def log(self) -> Path:
        """Return the server's log."""
        return self.path / "redis.log"

    @property
    def pid_file(self) -> Path:
        """Return the file with the server's pid."""
        return self.path / "redis.pid"

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Be the only one who starts or ends the server.

        Yields:
            The open lock. A process that gets a copy holds the lock too, until it ends.

        Raises:
            Missing: Another process did not let go in time.
        """
        fd = _open_lock(self.path / "server.lock")
        try:
            if not wait_until(lambda: _try_alone(fd), within_ms=LOCK_MS, every_ms=5):
                raise Missing("another process holds server.lock", where=str(self.path))
            yield fd
        finally:
            unlock(fd)

    def come_in(self) -> int:
        """Become a user; call it while `locked`.

        Returns:
            The open lock, for `unlock`. The kernel unlocks it when the process dies.

        Raises:
            BadInput: It cannot be locked.
        """
        fd = _open_lock(self.path / "users.lock")
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            raise _unlockable(self.path / "users.lock", error) from error
        return fd

    @contextmanager
    def nobody_in(self) -> Iterator[bool]:
        """Tell whether there is no user; call it while `locked`, so that none comes in."""
        fd = _open_lock(self.path / "users.lock")
        try:
            yield _try_alone(fd)
        finally:
            unlock(fd)

    def server_pid(self) -> int:
        """Return the pid of this home's server, 0 when it does not live.

        The pid file alone proves nothing: after a crash its pid may be another's.
        """
        try:
            pid = int(self.pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return 0
        wait_until(lambda: command_line(pid) != "" or not is_alive(pid), within_ms=EXEC_MS)
        return pid if f" --dir {self.data} --" in command_line(pid) else 0

    def read_log(self) -> bytes:
        """Return all the server ever logged; it logs little."""
        try:
            return self.log.read_bytes()
        except FileNotFoundError:
            return b""

    def ask(self, command: str, *, within_ms: int) -> str | None:
        """Send the server one command and read the first line of its answer.

        Not through redis-py, which does not tell a silent server from an absent one, and
        takes longer to import than the server takes to start.

        Returns:
            The line; "" when nobody listens or they hung up; None when nothing was said.
        """
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(within_ms / 1000)
                line.connect(os.fspath(self.socket))
                line.sendall(command.encode() + b"\r\n")
                with line.makefile("rb") as answer:
                    return answer.readline().decode(errors="replace").strip()
        except (FileNotFoundError, ConnectionError):
            return ""
        except (TimeoutError, BlockingIOError):  # the latter: its queue of callers is full
            return None

    def complaint(self, said: str | None) -> Missing:
        """Say what the server did instead of answering, and how to be rid of it."""
        pid = self.server_pid()
        did = "is silent" if said is None else f"says {said!r}"
        mend = f"`kill -9 {pid}`" if pid else "end the process that listens there"
        return Missing(f"the embedded server {did}", where=str(self.socket), mend=mend)


def is_alive(pid: int) -> bool:
    """Tell whether a process of ours lives; one that ended and waits to be reaped does not."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
        facts = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # just gone, or a system without /proc, where init reaps at once
        return not Path("/proc/self").exists()
    return facts.rpartition(")")[2].split()[0] not in "ZX"


def command_line(pid: int, *, proc: Path = Path("/proc")) -> str:
    """Return a process's command line.

    It is empty when the process is gone, a zombie, or for a moment in the middle of an
    exec.
    """
    if (proc / "self").exists():
        try:
            return os.fsdecode((proc / str(pid) / "cmdline").read_bytes().replace(b"\0", b" "))
        except (FileNotFoundError, ProcessLookupError):
            return ""
    asked = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return os.fsdecode(subprocess.run(asked, capture_output=True, check=False).stdout)


def make_private(path: Path) -> None:
    """Make a folder that only its owner can use, or check that only they can write there.

    Raises:
        BadInput: It cannot be made, is another user's, or others may write there.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = path.lstat()
    except OSError as error:
        raise BadInput(f"cannot be made: {error.strerror}", where=str(path)) from error
    if facts.st_uid != os.geteuid():
        raise BadInput("belongs to another user", where=str(path), mend="choose another folder")
    if facts.st_mode & 0o022:
        raise BadInput("others may write here", where=str(path), mend=f"`chmod 700 {path}`")


def unlock(fd: int) -> None:
    """Let go of a lock and close its file."""
    try:
        fcntl.flock(fd, fcntl.LOCK_UN)
    finally:
        os.close(fd)


def _open_lock(path: Path) -> int:
    """Open a lock's file; Python opens it such that no program started here inherits it."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _unlockable(path, error) from error


def _try_alone(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unlockable(path: Path, error: OSError) -> BadInput:
    return BadInput(f"cannot be locked: {error.strerror}", where=str(path))
