"""Which scenario a run follows from which commit on: a fork's is its parent's up to the fork.

    eras = eras_of("tea", spec_text)
    era_at(eras, seq).spec

A spec holds the whole spec of the run it was forked from, and that one its own parent's:
so a run's spec and its journal are all that is needed to fold it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from utils.errors import BadEntry
from utils.journal import Sealed, sha256_of
from utils.protocol import Began, Forked
from utils.spec import Spec

MAX_GENERATIONS = 8
"""Runs of which each was forked from the one before: each spec stands in the next as text,
its quotes escaped once more."""


@dataclass(frozen=True, slots=True)
class Era:
    """A stretch of a journal in which one scenario holds.

    Attributes:
        first_seq: Its first commit: 1, or that of its `Forked`.
        text: The spec, exactly as it was stored.
    """

    first_seq: int
    text: str
    spec: Spec

    @property
    def sha256(self) -> str:
        """The hash by which the journal names the spec."""
        return sha256_of(self.text)


def eras_of(run: str, spec_text: str | None) -> tuple[Era, ...]:
    """List the eras of a run, the first first; a run that is no fork has one.

    Args:
        run: The run's id, for errors.
        spec_text: Its spec, as it is stored.

    Raises:
        BadEntry: A spec is none, or they do not follow one another.
    """
    return eras_under(run, Spec.read(run, spec_text), spec_text or "")


def eras_under(run: str, spec: Spec, spec_text: str = "") -> tuple[Era, ...]:
    """List the eras of a run whose spec is read already. As `eras_of`."""
    eras = [_era(spec, spec_text)]
    while (origin := eras[0].spec.origin) is not None:
        if len(eras) == MAX_GENERATIONS:
            raise BadEntry(f"run {run}", f"it is a fork over {MAX_GENERATIONS} generations")
        eras.insert(0, _era(Spec.read(run, origin.spec), origin.spec))
        if eras[0].first_seq >= eras[1].first_seq:
            raise BadEntry(f"run {run}", "it was forked from what came before its parent")
    return tuple(eras)


def _era(spec: Spec, text: str) -> Era:
    return Era(spec.origin.seq + 1 if spec.origin else 1, text, spec)


def era_at(eras: Sequence[Era], seq: int) -> Era:
    """Find the era that a commit belongs to."""
    return next(era for era in reversed(eras) if era.first_seq <= seq)


def check_era(eras: Sequence[Era], sealed: Sealed) -> None:
    """Check that a commit is of the run that these specs tell of.

    Raises:
        BadEntry: It names another spec, or is not the one that was forked from.
    """
    for era in eras:
        origin = era.spec.origin
        if sealed.seq == era.first_seq:
            _check_first(era, sealed)
        elif origin and sealed.seq == origin.seq and sealed.sha256 != origin.sha256:
            raise BadEntry(f"journal {sealed.seq}", "it is not the commit that was forked from")


def _check_first(era: Era, sealed: Sealed) -> None:
    where = f"journal {sealed.seq}"
    named = [event for event in sealed.commit.events if isinstance(event, Began | Forked)]
    if not named and era.spec.origin:
        raise BadEntry(where, "a fork begins with another commit")
    if any(event.spec_sha256 != era.sha256 for event in named):
        raise BadEntry(where, "it names another spec than the one that is stored")
