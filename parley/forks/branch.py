"""One fork: its scenario, and its beginning on the server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from pydantic import ValidationError

from orchestrator.course import Course, written
from orchestrator.routes import target_key
from parley.forks.changes import changed, read_change
from parley.forks.edits import edits_of
from parley.forks.parent import At, Parent, find_point
from parley.forks.point import ForkPoint
from parley.library import Library
from parley.starting import start
from utils import keys
from utils.callfile import RecordedCall
from utils.errors import BadInput, Missing, StreamError
from utils.journal import Sealed
from utils.lineage import MAX_GENERATIONS, eras_of
from utils.origin import Change, Origin
from utils.seeds import seed_for
from utils.spec import Spec
from utils.streams import Streams

PAGE = 200
"""Calls that are copied at once."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Forks of one parent at one point.

    Attributes:
        common: Changes of every fork, the controls' too: what answers here, say.
        changes: What the treated ones have beside these.
    """

    parent: Parent
    point: ForkPoint
    at: At
    common: tuple[Change, ...]
    changes: tuple[Change, ...]
    library: Library

    @classmethod
    def make(cls, parent: Parent, at: At, changes: Iterable[str], library: Library) -> Plan:
        """Read what is asked for, and find the point.

        Raises:
            BadInput: A change or the point cannot be.
        """
        read = tuple(read_change(text) for text in changes)
        twice = [one.key for index, one in enumerate(read) if one.key in _keys(read[:index])]
        if twice:
            raise BadInput("it is changed twice", where=f"--change {twice[0]}")
        return cls(parent, find_point(parent, at), at, (), read, library)


def _keys(changes: Iterable[Change]) -> set[str]:
    return {one.key for one in changes}


def spec_of(plan: Plan, *, is_treated: bool, replicate: int, is_reseeded: bool) -> Spec:
    """Make the scenario of one fork.

    Args:
        replicate: From 1. With `is_reseeded` both of its arms draw by the same new seed.

    Raises:
        BadInput: A change names nothing, cannot be, or changes nothing.
    """
    parent = plan.point.era.spec
    if len(eras_of(plan.point.run, plan.point.era.text)) >= MAX_GENERATIONS:
        what = f"it would be a fork over {MAX_GENERATIONS} generations"
        raise BadInput(what, mend="fork one of the runs it came from")
    asked = (*plan.common, *(plan.changes if is_treated else ()))
    spec = parent
    if is_reseeded:
        spec = parent.model_copy(update={"seed": reseeded(parent.seed, replicate)})
    spec, changes = changed(spec, asked, plan.library)
    origin = Origin(
        run=plan.point.run,
        seq=plan.point.seq,
        sha256=plan.point.sha256,
        spec=plan.point.era.text,
        changes=tuple(changes),
        edits=edits_of(spec, changes, plan.point, plan.at.channel),
        replicate=replicate,
    )
    labels = {
        **parent.labels,
        "arm": "treated" if is_treated else "control",
        "replicate": str(replicate),
        "fork_of": plan.point.run,
    }
    try:
        made = Spec.model_validate({**dict(spec), "origin": origin, "labels": labels})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BadInput(f"the fork's scenario: {first['msg'].lower()}") from error
    return made


def reseeded(seed: int, replicate: int) -> int:
    """Draw the seed of a replicate.

    Returns:
        An integer in [0, 2**63).

    Example:
        >>> reseeded(7, 1) == reseeded(7, 1), reseeded(7, 1) == reseeded(7, 2)
        (True, False)
    """
    return seed_for(seed, "fork", replicate) >> 1


def begin(streams: Streams, spec: Spec, parent: Parent, epochs: frozenset[int]) -> str:
    """Start a fork: its journal, its channels and its calls, as far as its parent's.

    Whoever orchestrates makes its first own commit.

    Args:
        epochs: The parent's grants that were closed where it is forked: their calls count.

    Returns:
        The fork's id.

    Raises:
        Missing: The server lets this user write no journal, as that of the stack in Docker.
    """
    origin = spec.origin
    if origin is None:
        raise ValueError("it is no fork")

    def prepare(run: str) -> None:
        course = Course.read(run, spec.model_dump_json())
        for sealed, beside in written(course, _first(parent.commits(), origin)):
            targets = {target_key(run, name): body for name, body in beside.items()}
            streams.commit(run, sealed, targets)
        for page in _pages(parent.calls(), epochs):
            streams.copy(keys.calls(run), page)

    try:
        return start(streams, spec, reserved=True, prepare=prepare)
    except StreamError as refused:
        if "no permissions" not in str(refused):
            raise
        mend = "fork on a server of its own: leave REDIS_URL and REDIS_PASSWORD_FILE empty"
        raise Missing("a fork begins a journal, and this user may not", mend=mend) from refused


def _first(commits: Iterable[Sealed], origin: Origin) -> Iterator[Sealed]:
    return islice(commits, origin.seq)


def _pages(
    calls: Iterable[RecordedCall], epochs: frozenset[int]
) -> Iterator[Sequence[tuple[str, str]]]:
    """Go through the calls of closed grants, some at a time, under the ids they have."""
    counted = (
        (call.id, call.body)
        for call in calls
        if call.record is not None and call.record.epoch in epochs
    )
    while page := list(islice(counted, PAGE)):
        yield page
