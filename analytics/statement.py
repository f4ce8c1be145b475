"""What a dataset's manifest promises, and what it does not; and what wrote the folder."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import version

from utils.manifest import ModelSeen

DETERMINISTIC = (
    "Every table, the codebook and what this manifest says of the run follow from raw/ alone: "
    "parley verify builds them again and compares bytes (grade A).",
    "Every decision follows from the inputs that its commit carries, and every prompt from the "
    "journal and raw/spec.json: nothing in them reads a clock or rolls dice (grade B).",
    "Every draw is placed by the run's seed, its purpose, channel, turn, bot and try.",
)

ALWAYS_OPEN = (
    "Times are those of the run's server and hosts: the same run made again has others.",
    "What was decided where time decides (deadlines, lost hosts, who of several channels speaks "
    "first) is in the record, and may come out otherwise in another run of the same seed.",
    "started_with has the versions where the run was started, and made_with those of what wrote "
    "this folder; those of each orchestrator and host are not in the record.",
)

ANSWERS = (
    "What a model answers: the same request with the same seed may be answered otherwise, because "
    "a server's cache and batches change its arithmetic. Only the recorded answers are certain."
)

WITHHELD = (
    "Texts were withheld: each stands as its SHA-256 and length. What a commit's hash says of its "
    "own bytes, what an answer was and what a prompt held cannot be checked here."
)

LIBRARIES = ("parley", "pydantic")


def not_deterministic(models: Iterable[ModelSeen], *, is_withheld: bool) -> tuple[str, ...]:
    """List what nobody can promise of a run with these models."""
    asked = any(model.digests or model.servers for model in models)
    return (
        *((ANSWERS,) if asked else ()),
        *ALWAYS_OPEN,
        *((WITHHELD,) if is_withheld else ()),
    )


def versions(*, with_parquet: bool = False) -> dict[str, str]:
    """Tell the versions of what writes a dataset on this machine."""
    libraries = (*LIBRARIES, "pyarrow") if with_parquet else LIBRARIES
    return {"python": platform.python_version()} | {name: version(name) for name in libraries}
