"""Roles at the Redis server: each can do its work, and none another's."""

from __future__ import annotations

import re
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bots.outbox import Outbox
from bots.runtime import Host
from orchestrator.runtime import Orchestrator
from parley import opening
from parley.roles import ACL_FILE, NOBODY, ROLES, acl_file, make_secrets
from parley.starting import start
from tests.scenes import spec_of
from utils import keys
from utils.clock import SYSTEM_CLOCK, wait_until
from utils.errors import Missing, ParleyError, StreamError
from utils.server_kind import bundled_binary, find_binary
from utils.settings import Settings
from utils.spec import EndSpec
from utils.streams import Streams

WRITERS = {
    "whoever starts a run": {"person"},
    "starter, leader": {"person", "orchestrator"},
    "the starter, once": {"person"},
    "hosts, people": {"host", "person"},
    "the leader": {"orchestrator"},
    "hosts": {"host"},
}
"""The roles that the words in `utils/keys.py` stand for."""


class Guarded:
    """A server of its own with the users' file, over a Unix socket."""

    def __init__(self, folder: Path, binary: Path | None = None) -> None:
        self.folder, self.binary = folder, binary or find_binary().path
        make_secrets(folder)
        self.socket = folder / "s"

    def address(self, role: str) -> str:
        where = f"unix://{role}@{self.socket}"
        password = self.folder / role / "password"
        settings = Settings(redis_url=where, redis_password_file=password, home=self.folder)
        return opening.address(settings) or ""

    def streams(self, role: str) -> Streams:
        return Streams(self.address(role))

    @contextmanager
    def running(self) -> Iterator[None]:
        flags = f"--port 0 --unixsocket {self.socket} --dir {self.folder} --appendonly yes"
        flags += f" --appendfsync always --aclfile {self.folder / ACL_FILE} --save"
        process = subprocess.Popen(
            [self.binary, *flags.split(), "", "--logfile", self.folder / "log"],
        )
        try:
            assert wait_until(self._answers, within_ms=15_000), (self.folder / "log").read_text()
            yield
        finally:
            process.kill()
            process.wait()

    def _answers(self) -> bool:
        try:
            self.streams("reader").time_ms()
        except ParleyError:
            return False
        return True


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    server = Guarded(tmp_path_factory.mktemp("g"))
    with server.running():
        yield server


def listed_keys() -> list[tuple[str, str]]:
    """Read the table in `utils/keys.py`: each key and its writer."""
    rows = re.findall(r"^\| `(parley:[^`]+)` \| [^|]+ \| ([^|]+) \|", keys.__doc__ or "", re.M)
    assert len(rows) >= 13
    return rows


def may(streams: Streams, *command: str) -> bool:
    """Ask whether the role may do something, without doing it: a MULTI asks at once."""
    try:
        streams._ask_all(("MULTI",), command, ("DISCARD",))
    except StreamError as error:
        return "permission" not in str(error).lower()
    return True


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("key", "writer"), listed_keys())
def test_a_key_is_written_by_its_writers_role_alone(
    key: str, writer: str, role: str, guarded: Guarded
) -> None:
    name = re.sub(r"<\w+>", "x", key.replace("{run}", "{tea}"))
    streams = guarded.streams(role)
    tries = [("XADD", name, "*", "b", "x"), ("SET", name, "x"), ("ZADD", name, "1", "x")]
    written = any(may(streams, *command) for command in tries)
    assert written == (role in WRITERS[writer])
    streams.close()


def test_a_leader_writes_snapshots_and_a_recorder_trims_behind_them(guarded: Guarded) -> None:
    leader, host = guarded.streams("orchestrator"), guarded.streams("host")
    recorder = guarded.streams("recorder")
    host.append(keys.calls("old"), "x")
    for seq in (1, 2, 3):
        for key in (keys.journal("old"), keys.channel("old", "main"), keys.inbox("old", "h")):
            leader._redis.xadd(key, {"b": "x"}, id=f"{seq}-0")
    assert leader.write_snapshot("old", "{}", seq=2)
    assert recorder.trim("old", "{}", journal="2-0", floor="0-0", calls="0-0") == 1
    assert recorder.trim_before(keys.inbox("old", "h"), "2-0") == 1
    assert recorder.names(keys.channel("old", "*")) == [keys.channel("old", "main")]
    recorder.remove(keys.channel("old", "main"), ["1-0"])
    assert recorder.tally(keys.journal("old")) == (3, "3-0")
    assert recorder.count(keys.channel("old", "main")) == 2
    recorder.drop([keys.channel("old", "main")])
    assert not leader.write_snapshot("old", "{}", seq=1)
    for one in (leader, host, recorder):
        one.close()


def test_every_role_of_the_table_is_one_there_is() -> None:
    assert {role for roles in WRITERS.values() for role in roles} < set(ROLES)


def test_a_host_reads_neither_journal_nor_floor(guarded: Guarded) -> None:
    host = guarded.streams("host")
    assert may(host, "XRANGE", keys.channel("tea", "main"), "-", "+")
    assert not may(host, "XRANGE", keys.journal("tea"), "-", "+")
    assert not may(host, "XRANGE", keys.floor("tea"), "-", "+")
    host.close()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "command", ["FLUSHALL", "CONFIG GET dir", "ACL LIST", "KEYS *", "REPLICAOF NO ONE"]
)
def test_no_role_rules_the_server(role: str, command: str, guarded: Guarded) -> None:
    streams = guarded.streams(role)
    assert not may(streams, *command.split())
    streams.close()


def play(server: Guarded, *, turns: int) -> str:
    """Play a run to its end, every process with the password of its role."""
    person = server.streams("person")
    run = start(person, spec_of(end=EndSpec(turns=turns)))
    leader = Orchestrator(
        server.streams("orchestrator"), clock=SYSTEM_CLOCK, name="orchestrator-1", lease_ms=5_000
    )
    host = Host(
        server.streams("host"),
        settings=Settings(home=server.folder),
        clock=SYSTEM_CLOCK,
        name="host-1",
        places=10,
        outbox=Outbox(server.streams("host")),
    )
    reader = server.streams("reader")
    for _ in range(2_000):
        leader.step(block_ms=1)
        host.step(block_ms=1)
        if run not in reader.live_runs():
            break
    assert run in leader.closed
    host.leave()
    leader.hand_over()
    assert host.streams.connects == leader.streams.connects == 1
    return run


def test_every_role_can_do_its_work(guarded: Guarded) -> None:
    run = play(guarded, turns=6)
    reader = guarded.streams("reader")
    assert reader.count(keys.journal(run)) > 6
    person = guarded.streams("person")
    person.append(keys.floor(run), "a word")
    with pytest.raises(StreamError):
        reader.append(keys.floor(run), "a word")


@pytest.mark.parametrize("binary", [None, bundled_binary()], ids=["first", "bundled"])
def test_what_was_written_is_there_after_a_restart(binary: Path | None, tmp_path: Path) -> None:
    server = Guarded(tmp_path, binary)
    with server.running():
        run = play(server, turns=4)
        before = [sealed.sha256 for sealed in server.streams("reader").journal(run)]
    with server.running():
        assert [sealed.sha256 for sealed in server.streams("reader").journal(run)] == before
        assert len(before) > 4


def test_a_default_user_that_may_do_nothing_would_lose_transactions(tmp_path: Path) -> None:
    server = Guarded(tmp_path)
    with server.running():
        run = start(server.streams("person"), spec_of())
    users = server.folder / ACL_FILE
    users.chmod(0o600)
    users.write_text(users.read_text().replace(NOBODY, "user default off -@all"))
    with server.running():
        assert run not in server.streams("reader").live_runs()


def test_a_client_without_a_password_is_refused(guarded: Guarded) -> None:
    for login in ("", "default@", "default:@", "host:wrong@"):
        streams = Streams(f"unix://{login}{guarded.socket}")
        with pytest.raises(ParleyError):
            streams.time_ms()


# The files


def test_passwords_are_made_once_and_never_said(tmp_path: Path) -> None:
    assert make_secrets(tmp_path) == list(ROLES)
    before = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    (tmp_path / "host" / "password").unlink()
    assert make_secrets(tmp_path) == ["host"]
    assert make_secrets(tmp_path) == []
    after = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    changed = {str(path.relative_to(tmp_path)) for path in before if before[path] != after[path]}
    assert changed == {"host/password", "redis/users.acl"}
    passwords = [(tmp_path / role / "password").read_text() for role in ROLES]
    assert len(set(passwords)) == len(ROLES)
    assert [one for one in passwords if one in after[tmp_path / ACL_FILE]] == []


def test_a_folder_of_passwords_is_its_owners_alone(tmp_path: Path) -> None:
    make_secrets(tmp_path / "secrets")
    modes = {stat.S_IMODE((tmp_path / "secrets" / role).stat().st_mode) for role in ROLES}
    assert modes == {0o700}


def test_the_users_file_changes_with_the_roles_and_not_with_the_passwords() -> None:
    passwords = dict.fromkeys(ROLES, "tea")
    assert acl_file(passwords) == acl_file(passwords)
    assert "tea" not in acl_file(passwords)


def test_a_password_file_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    settings = Settings(
        redis_url="redis://host@redis:6379", redis_password_file=tmp_path / "no", home=tmp_path
    )
    with pytest.raises(Missing, match=r"no: cannot be read: .*; make it with: parley secrets"):
        opening.address(settings)
