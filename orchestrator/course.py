"""What a run follows, from its first commit to its last: a fork, its parent's rules before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from orchestrator import engine
from orchestrator.plugins import rules_for
from orchestrator.routes import channels_alone, entries
from orchestrator.rules import HASHED_EVERY, Rules
from utils.journal import Sealed, chain
from utils.lineage import Era, check_era, eras_of


@dataclass(frozen=True, slots=True)
class Course:
    """The scenarios that hold in a run, one after another, and the rules of each.

    Attributes:
        eras: As the run's spec tells them.
        rules: Those of each.
    """

    eras: tuple[Era, ...]
    rules: tuple[Rules, ...]

    @classmethod
    def read(cls, run: str, spec_text: str | None, *, hashed_every: int = HASHED_EVERY) -> Course:
        """Read a run's spec, and those it was forked from.

        Raises:
            BadEntry: One of them is none.
            BadInput: A name in one of them belongs to no plugin.
        """
        return cls.of(eras_of(run, spec_text), hashed_every=hashed_every)

    @classmethod
    def of(cls, eras: tuple[Era, ...], *, hashed_every: int = HASHED_EVERY) -> Course:
        """Find the rules of each era. Raises `BadInput`."""
        rules = (rules_for(era.spec) for era in eras)
        return cls(eras, tuple(replace(one, hashed_every=hashed_every) for one in rules))

    @property
    def first(self) -> Rules:
        """What the run's first commit follows."""
        return self.rules[0]

    @property
    def last(self) -> Rules:
        """What the run follows now."""
        return self.rules[-1]

    @property
    def first_seq(self) -> int:
        """The run's own first commit: 1, or a fork's `Forked`."""
        return self.eras[-1].first_seq

    def at(self, seq: int) -> Rules:
        """Find what a commit follows."""
        pairs = zip(self.eras, self.rules, strict=True)
        return next((rules for era, rules in [*pairs][::-1] if era.first_seq <= seq), self.last)


def written(course: Course, prefix: Iterable[Sealed]) -> Iterable[tuple[Sealed, dict[str, str]]]:
    """Write what goes beside each commit of a fork's beginning: the entries of its channels.

    Raises:
        BadEntry: A commit does not follow the one before, or is not the parent's.
    """
    state = engine.initial(course.first)
    for sealed in chain(prefix):
        check_era(course.eras, sealed)
        after = engine.evolve(course.at(sealed.seq), state, sealed)
        yield sealed, channels_alone(entries(state, after, sealed))
        state = after
