"""A run's state as text, to start folding from. The journal alone is the truth.

A snapshot is JSON: which run's state it is, at which commit, and the state itself, the
engine's and the world's. One that is not what it should be is ignored, and the journal
is folded from its beginning, if the server still holds that.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from orchestrator.rules import Rules
from orchestrator.state import State
from utils.errors import BadEntry
from utils.journal import first_field, sha256_of
from utils.protocol import Count, Frozen, Sha256

_STATE: TypeAdapter[State] = TypeAdapter(State)


class Snapshot(Frozen):
    """The state at commit `seq`, whose hash is `sha256`.

    `fields` are the names of the state's parts, in the order in which `state` has them:
    another version's snapshot is told by them.
    """

    spec_sha256: Sha256
    seq: Count
    sha256: Sha256
    fields: tuple[str, ...]
    state: str
    world: str
    state_sha256: Sha256


def state_sha256(state: State) -> str:
    """Hash a run's state: the engine's and the world's, as a snapshot would hold them."""
    return sha256_of("\n".join(_written(state)))


def freeze(state: State, *, spec_sha256: str) -> str:
    """Write a state down."""
    engine, world = _written(state)
    return Snapshot(
        spec_sha256=spec_sha256,
        seq=state.seq,
        sha256=state.sha256,
        fields=State._fields,
        state=engine,
        world=world,
        state_sha256=state_sha256(state),
    ).model_dump_json()


def thaw(rules: Rules, body: str, *, spec_sha256: str) -> State:
    """Read a state back.

    Args:
        spec_sha256: The hash of the run's spec.

    Raises:
        BadEntry: It is not a snapshot of such a run, or of another version of the state.
    """
    try:
        found = Snapshot.model_validate_json(body)
        if (found.spec_sha256, found.fields) != (spec_sha256, State._fields):
            raise BadEntry("snapshot", "it is another run's, or another version's")
        world = _adapter(type(rules.world.initial(rules.spec))).validate_json(found.world)
        state = _STATE.validate_json(found.state)._replace(world=world)
    except ValidationError as error:
        raise BadEntry("snapshot", f"no state: {first_field(error)}") from error
    if (state.seq, state.sha256) != (found.seq, found.sha256):
        raise BadEntry("snapshot", "it names another commit than its state")
    if state_sha256(state) != found.state_sha256:
        raise BadEntry("snapshot", "its hash is not that of its state")
    return state


def _written(state: State) -> tuple[str, str]:
    world = _adapter(type(state.world)).dump_json(state.world)
    return _STATE.dump_json(state._replace(world=None)).decode(), world.decode()


def _adapter(of: type[Any]) -> TypeAdapter[Any]:
    """Make what writes and reads a world's state; takes a millisecond, seldom."""
    return TypeAdapter(of)
