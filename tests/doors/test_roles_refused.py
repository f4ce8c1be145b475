"""Each role tries everything that is not its own at a real server, and is refused.

And it does what is its own, the harm in that included: docs/doors.md lists it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from fnmatch import fnmatchcase as fnmatch

import pytest

from parley.roles import ACL_FILE, GREETINGS, READS, ROLES
from tests.parley.test_roles import WRITERS, Guarded, listed_keys
from utils import keys
from utils.errors import StreamError
from utils.streams import Streams

WARDEN = "warden", "allcommands allkeys allchannels"
CARELESS = "careless", ROLES["host"].rules() + " allkeys +flushall"
"""A host that may write whatever it can name, and one command more: the negative control."""

WRITES = {
    "xadd": "xadd KEY * b x",
    "set": "set KEY x",
    "del": "del KEY",
    "pexpire": "pexpire KEY 1000",
    "zadd": "zadd KEY 1 x",
    "zrem": "zrem KEY x",
    "zremrangebyscore": "zremrangebyscore KEY 0 1",
    "xtrim": "xtrim KEY MAXLEN 0",
    "xdel": "xdel KEY 1-0",
    "eval": "eval return 1 KEY",
    "evalsha": "evalsha 0123456789012345678901234567890123456789 1 KEY",
}
"""How each command that a role may write with is said."""

ANYBODYS = {"auth", "hello", "quit", "reset"}
"""What the server lets everyone say: to come in as somebody, and to go."""

REFUSALS = ("no permissions", "can't access", "can't run this command", "command not allowed")
"""A command, a key, or what no user may do here: load a module."""

RUN = "tea-1"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    server = Guarded(tmp_path_factory.mktemp("g"))
    users = server.folder / ACL_FILE
    users.chmod(0o600)
    more = [f"user {name} on >{name} {rules}\n" for name, rules in (WARDEN, CARELESS)]
    users.write_text(users.read_text() + "".join(more))
    with server.running():
        yield server


def login(server: Guarded, role: str) -> Streams:
    """Come in as a role, or as one of the two that only this test knows."""
    if role in ROLES:
        return server.streams(role)
    return Streams(f"unix://{role}:{role}@{server.socket}")


def is_refused(streams: Streams, *command: str) -> bool:
    """Do something, and tell whether the server refused it for want of a permission."""
    try:
        streams._ask_all(command)
    except StreamError as error:
        return any(word in str(error) for word in REFUSALS)
    return False


# --- every command that is not the role's -------------------------------------------------


def all_commands(server: Guarded) -> dict[str, int]:
    """List every command the server knows, `config|get` say, and the fewest words it takes."""
    with closing(login(server, "warden")) as warden:
        names = [str(name) for name in warden._ask_all(("COMMAND", "LIST"))[0]]
        infos = warden._ask_all(("COMMAND", "INFO", *names))[0]
    leaves = [leaf for info in infos for leaf in (info[9] or [info])]
    arity = {str(leaf[0]): abs(int(leaf[1])) for leaf in leaves}
    return {name: words for name, words in arity.items() if name not in ANYBODYS}


def granted(commands: set[str], role: str) -> set[str]:
    """List those of them that a role may say."""
    named = set(f"{GREETINGS} {READS} {ROLES[role].writes}".split())
    return {name for name in commands if name in named or name.partition("|")[0] in named}


def let_through(server: Guarded, role: str, own: set[str]) -> list[str]:
    """List what a role gets done, or nearly, of all commands but its own."""
    through = []
    commands = all_commands(server)
    assert len(commands) > 200
    with closing(login(server, role)) as streams:
        for name, words in commands.items():
            said = name.split("|")
            filled = [*said, *["x"] * (words - len(said))]
            if name not in own and not is_refused(streams, *filled):
                through.append(name)
    return through


@pytest.mark.parametrize("role", ROLES)
def test_every_command_that_is_not_the_roles_is_refused(role: str, guarded: Guarded) -> None:
    own = granted(set(all_commands(guarded)), role)
    assert len(own) >= len(ROLES[role].writes.split()) + 10
    assert let_through(guarded, role, own) == []


def test_a_command_too_many_is_found(guarded: Guarded) -> None:
    own = granted(set(all_commands(guarded)), "host")
    assert let_through(guarded, "careless", own) == ["flushall"]


# --- every key that is not the role's ------------------------------------------------------


def a_key(pattern: str) -> str:
    return re.sub(r"<\w+>", "x", pattern.replace("{run}", f"{{{RUN}}}"))


def written(server: Guarded, role: str, commands: list[str], others: list[str]) -> list[str]:
    """List which of these keys a role gets written, and how."""
    done = []
    with closing(login(server, role)) as streams:
        for key in others:
            for command in commands:
                words = [key if word == "KEY" else word for word in WRITES[command].split()]
                if command == "eval":
                    words = ["eval", "return 1", "1", key]
                if not is_refused(streams, *words):
                    done.append(f"{command} {key}")
            script = f"return redis.call('SET', '{key}', 'x')"  # a key it does not declare
            if "eval" in commands and not is_refused(streams, "eval", script, "0"):
                done.append(f"script {key}")
    return done


def not_to_be_written(role: str) -> list[str]:
    """List a key of each kind that is not the role's to write, and what is nobody's."""
    taken = ROLES[role].owns if role == "recorder" else ()  # it writes nothing, and takes away
    others = [a_key(key) for key, writer in listed_keys() if role not in WRITERS[writer]]
    kept = [key for key in others if not any(fnmatch(key, pattern) for pattern in taken)]
    return [*kept, "parley", "anything", f"parley:{{{RUN}}}:journal:x"]


@pytest.mark.parametrize("role", ROLES)
def test_every_key_that_is_not_the_roles_stays_as_it_is(role: str, guarded: Guarded) -> None:
    commands = [name for name in WRITES if name in ROLES[role].writes.split()]
    tried = {*commands, "scan"}  # which names keys, and writes none
    assert set(ROLES[role].writes.split()) <= tried, "a command that is not tried"
    assert written(guarded, role, commands, not_to_be_written(role)) == []


@pytest.mark.parametrize("key", [keys.journal(RUN), keys.channel(RUN, "main")])
def test_a_host_writes_no_journal_and_no_channel(key: str, guarded: Guarded) -> None:
    assert key in {keys.journal(RUN), a_key("parley:{run}:channel:main")}
    assert written(guarded, "host", list(WRITES), [key]) == []
    assert f"xadd {key}" in written(guarded, "careless", ["xadd"], [key])


@pytest.mark.parametrize(
    "key", [keys.journal(RUN), keys.floor(RUN), keys.snapshot(RUN), keys.calls(RUN)]
)
def test_a_host_reads_nothing_that_is_sealed(key: str, guarded: Guarded) -> None:
    with closing(login(guarded, "host")) as host:
        for command in ("xrange KEY - +", "xrevrange KEY + -", "get KEY", "mget KEY"):
            assert is_refused(host, *command.replace("KEY", key).split()), command
        assert is_refused(host, "xread", "streams", key, "0")


# --- what a password is good for -------------------------------------------------------------

HARM = {
    "host": [
        f"xadd {keys.floor('another')} * b x",
        f"xadd {keys.calls('another')} * b x",
        f"del {keys.seat('another', 'ada')}",
        f"zrem {keys.HOSTS} another",
        f"xrange {keys.channel('another', 'main')} - +",
        f"get {keys.spec('another')}",
    ],
    "person": [
        f"xadd {keys.RUNS} * b x",
        f"xadd {keys.floor('another')} * b x",
        f"set {keys.spec('another')} x",
        f"xrange {keys.calls('another')} - +",
    ],
    "orchestrator": [
        f"xadd {keys.journal('another')} * b x",
        f"del {keys.journal('another')}",
        f"del {keys.channel('another', 'main')}",
        f"set {keys.snapshot('another')} x",
    ],
    "recorder": [
        f"xtrim {keys.calls('another')} MAXLEN 0",
        f"del {keys.journal('another')}",
        f"xdel {keys.channel('another', 'main')} 1-0",
        f"xrange {keys.journal('another')} - +",
    ],
    "reader": [f"xrange {keys.calls('another')} - +", f"xrange {keys.journal('another')} - +"],
}


@pytest.mark.parametrize("role", ROLES)
def test_the_harm_that_the_page_tells_of_can_be_done(role: str, guarded: Guarded) -> None:
    with closing(login(guarded, role)) as streams:
        assert [one for one in HARM[role] if is_refused(streams, *one.split())] == []
