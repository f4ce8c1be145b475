"""Two arms of runs compared: where they part, how far they drift, and whether that is much.

comparison = compare(talks_of(controls), talks_of(treated))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

from analytics.divergence import (
    Distance,
    Parting,
    Said,
    Talk,
    curve,
    mean_curve,
    parting,
    shared_commits,
)
from analytics.effect import Effect, effect
from utils.dataset import Dataset, datasets_in
from utils.errors import BadInput
from utils.journal import Sealed, chain
from utils.protocol import Heard, Unheard
from utils.seeds import Chance, seed_for

MEASURES = ("words", "participation")
CONTROL, TREATED = "control", "treated"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs, and how far apart they are, turn by turn.

    Attributes:
        kind: `aa` for two controls, `ab` for a control and a treated one.
    """

    kind: str
    a: Talk
    b: Talk
    curve: tuple[Distance, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two arms, compared.

    Attributes:
        controls, treated: The runs of A and those of B.
        shared: Commits that all of them have in common.
        partings: Each control with the run of B it is paired with, and where they part.
        pairs: Every pair that counts, with its curve.
        effects: Measure to what the treated differ by, beyond what controls do.
    """

    controls: tuple[Talk, ...]
    treated: tuple[Talk, ...]
    shared: int
    partings: tuple[tuple[Talk, Talk, Parting | None], ...]
    pairs: tuple[Pair, ...]
    effects: dict[str, Effect]

    def mean(self, kind: str) -> list[Distance]:
        """Average the curves of one kind of pair."""
        return mean_curve([pair.curve for pair in self.pairs if pair.kind == kind])


def talk_of(folder: Path) -> Talk:
    """Read a dataset's conversation. Raises `BadInput`, `BadEntry`."""
    dataset = Dataset.open(folder)
    if not dataset.has_texts:
        raise BadInput("its texts were withheld", where=str(folder), mend="compare whole datasets")
    hashes: list[str] = []
    messages: dict[str, Said] = {}
    for sealed in chain(dataset.commits()):
        hashes.append(sealed.sha256)
        _hear(messages, sealed)
    spec = dataset.spec()
    return Talk(dataset.run, spec.seed, spec.labels, tuple(messages.values()), tuple(hashes))


def _hear(messages: dict[str, Said], sealed: Sealed) -> None:
    """Take a commit's messages in, by their ids; what a fork took back was never said."""
    for event in sealed.commit.events:
        if isinstance(event, Heard):
            messages[event.message_id] = Said(
                sealed.seq,
                event.channel,
                event.turn,
                event.speaker,
                event.text,
                is_answer=event.epoch is not None,
            )
        elif isinstance(event, Unheard):
            messages.pop(event.message_id, None)


def arms_of(a: Path, b: Path | None) -> tuple[list[Path], list[Path]]:
    """Tell which datasets are the controls, and which are compared with them.

    Args:
        a: A dataset, or a folder of them; with both arms in it if there is no `b`.
        b: The same for what is compared with it.

    Raises:
        BadInput: A folder holds no dataset, or not both arms.
    """
    if b is not None:
        return datasets_in(a), datasets_in(b)
    arms: dict[str, list[Path]] = {CONTROL: [], TREATED: []}
    for folder in datasets_in(a):
        arms.setdefault(Dataset.open(folder).manifest.labels.get("arm", ""), []).append(folder)
    if not arms[CONTROL] or not arms[TREATED]:
        what = f"no runs of both arms in {a}: their label 'arm' is {CONTROL} or {TREATED}"
        raise BadInput(what, mend="name two folders: parley compare A B")
    return arms[CONTROL], arms[TREATED]


def compare(controls: Sequence[Talk], treated: Sequence[Talk]) -> Comparison:
    """Compare two arms of runs, at least one of each."""
    shared = min(shared_commits(controls[0], one) for one in (*controls, *treated))
    between = _Curves(shared)
    seeds = {one.seed for one in controls}
    is_paired = len(controls) > 1 and len(seeds) == len(controls)

    def counts(one: int, other: int) -> bool:
        """Two runs of one seed are nearer than two controls are: they tell of nothing."""
        return not is_paired or treated[one].seed != controls[other].seed

    pairs = [
        Pair("aa", one, other, between(one, other))
        for place, one in enumerate(controls)
        for other in controls[place + 1 :]
    ]
    pairs += [
        Pair("ab", control, one, between(control, one))
        for number, one in enumerate(treated)
        for place, control in enumerate(controls)
        if counts(number, place) or len(controls) == 1
    ]
    effects = {}
    for measure in MEASURES:
        found = effect(
            partial(between.cross, measure, counts, treated, controls),
            partial(between.within, measure, controls),
            treated=len(treated),
            controls=len(controls),
            chance=Chance(_seed(controls, treated)),
        )
        if found is not None:
            effects[measure] = found
    met = tuple((a, b, parting(a, b)) for a, b in _met(controls, treated))
    return Comparison(tuple(controls), tuple(treated), shared, met, tuple(pairs), effects)


class _Curves:
    """Curves of pairs of runs, each made once."""

    def __init__(self, shared: int) -> None:
        self._shared = shared
        self._made: dict[tuple[int, int], tuple[Distance, ...]] = {}

    def __call__(self, a: Talk, b: Talk) -> tuple[Distance, ...]:
        key = (id(a), id(b))
        if key not in self._made:
            self._made[key] = tuple(curve(a, b, after=self._shared))
        return self._made[key]

    def cross(
        self,
        measure: str,
        counts: Callable[[int, int], bool],
        treated: Sequence[Talk],
        controls: Sequence[Talk],
        *pair: int,
    ) -> float | None:
        """Tell how far a treated run is from a control, if that pair counts."""
        one, other = pair
        return self._height(measure, controls[other], treated[one]) if counts(one, other) else None

    def within(self, measure: str, controls: Sequence[Talk], one: int, other: int) -> float:
        """Tell how far two controls are apart."""
        first, second = sorted((one, other))
        return self._height(measure, controls[first], controls[second])

    def _height(self, measure: str, a: Talk, b: Talk) -> float:
        """Average a curve over its turns; a curve without a turn is 0."""
        found = [float(getattr(one, measure)) for one in self(a, b)]
        return fmean(found) if found else 0.0


def _met(controls: Sequence[Talk], treated: Sequence[Talk]) -> list[tuple[Talk, Talk]]:
    """Pair each treated run with the control of its replicate, else with the first one."""
    by_replicate = {one.labels.get("replicate", ""): one for one in reversed(controls)}
    return [
        (by_replicate.get(one.labels.get("replicate", ""), controls[0]), one) for one in treated
    ]


def _seed(controls: Sequence[Talk], treated: Sequence[Talk]) -> int:
    """Make one comparison's resamples the same each time."""
    ends = [one.commits[-1] if one.commits else "" for one in (*controls, *treated)]
    return seed_for(len(controls), "compare", *ends)
