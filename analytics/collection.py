"""Several datasets side by side: which of them are one and the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

from utils.manifest import Manifest

_LIKENESS: tuple[tuple[Callable[[Manifest], str | None], str], ...] = (
    (lambda one: one.last_sha256 or None, "are the same run, commit by commit"),
    (lambda one: one.checks.words_sha256, "say the same in the same order"),
    (lambda one: one.checks.renamed_sha256, "say the same in the same order but for bots' names"),
)


def alike(manifests: Mapping[str, Manifest]) -> list[str]:
    """Say which datasets are the same, or the same after renaming: one sentence a group.

    A pair is named once, for the closest likeness it has.

    Args:
        manifests: Each dataset's, by the name it is to be called by.
    """
    said: list[str] = []
    known: set[tuple[str, str]] = set()
    for mark, what in _LIKENESS:
        groups: dict[str, list[str]] = {}
        for name, manifest in manifests.items():
            key = mark(manifest)
            if key is not None:
                groups.setdefault(key, []).append(name)
        for names in groups.values():
            pairs = set(combinations(names, 2))
            if pairs - known:
                said.append(f"{' and '.join(names)} {what}")
                known |= pairs
    return said
