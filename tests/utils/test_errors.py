"""The tree of errors: one line each, an exit code, and the facts to act on."""

from __future__ import annotations

import inspect
import re
from typing import get_args

import pytest

from utils import errors
from utils.errors import (
    BadEntry,
    BadInput,
    Conflict,
    FailureKind,
    MindFailed,
    Missing,
    ParleyError,
    ServerGone,
    StreamError,
    one_line,
)

ALL = [
    one
    for one in vars(errors).values()
    if inspect.isclass(one) and issubclass(one, ParleyError) and one.__module__ == errors.__name__
]
DRAWN = re.compile(r"^    (?P<branch>[│ ├└─]*)(?P<name>[A-Z]\w+) .*?(exit (?P<code>\d))?$", re.M)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn: dict[str, tuple[str, int]] = {}
    path: list[str] = []
    for line in DRAWN.finditer(errors.__doc__ or ""):
        depth = len(line["branch"]) // 4
        path[depth:] = [line["name"]]
        inherited = drawn[path[-2]][1] if depth else 0
        drawn[line["name"]] = (path[-2] if depth else "Exception", int(line["code"] or inherited))
    real = {one.__name__: (one.__bases__[0].__name__, one.exit_code) for one in ALL}
    assert drawn == real


@pytest.mark.parametrize("error", [BadInput, Missing])
def test_what_where_and_how_to_mend_it_stand_on_one_line(error: type[BadInput | Missing]) -> None:
    raised = error("no such\nbot", where="a.yaml:3", mend="add\tit")
    assert str(raised) == "a.yaml:3: no such bot; add it"
    assert (raised.what, raised.where, raised.mend) == ("no such\nbot", "a.yaml:3", "add\tit")
    assert str(error("plain")) == "plain"


def test_parts_that_are_not_there_leave_no_trace() -> None:
    assert one_line("what") == "what"
    assert one_line("what", where="here") == "here: what"
    assert one_line("what", mend="mend") == "what; mend"
    assert one_line(" a \r\n b\u2028c ") == "a b c"


def test_a_conflict_names_the_commit_that_is_there() -> None:
    conflict = Conflict(7, "ab" * 32)
    assert (conflict.seq, conflict.sha256) == (7, "ab" * 32)
    assert str(conflict) == "the journal's last commit is 7, with hash abababababab"


def test_a_bad_entry_names_the_entry_and_the_reason() -> None:
    bad = BadEntry("journal 7", "its hash\nis wrong")
    assert (bad.entry, bad.why) == ("journal 7", "its hash\nis wrong")
    assert str(bad) == "journal 7: its hash is wrong"
    assert isinstance(bad, StreamError)


@pytest.mark.parametrize("kind", get_args(FailureKind))
def test_a_failed_mind_says_how_and_whether_to_try_again(kind: FailureKind) -> None:
    failed = MindFailed(kind, "a\nb", retryable=True, status=503, partial="half a")
    assert str(failed) == f"{kind}: a b"
    assert (failed.kind, failed.detail, failed.retryable) == (kind, "a\nb", True)
    assert (failed.status, failed.partial) == (503, "half a")
    quiet = MindFailed(kind, "x")
    assert (quiet.retryable, quiet.status, quiet.partial) == (False, None, "")


def test_every_error_is_caught_by_its_root_and_has_an_exit_code_of_its_own_kind() -> None:
    assert all(issubclass(one, ParleyError) for one in ALL)
    assert {one.exit_code for one in ALL} == {1, 2, 3}
    with pytest.raises(ParleyError):
        raise ServerGone("gone")
