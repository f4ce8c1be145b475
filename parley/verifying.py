"""Grade B: is every commit decided, and every prompt built, as the record says? No server.

Grade A asks whether a dataset follows from its raw records. Grade B asks whether those
follow from one another, by the rules and the code that are installed here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import nsmallest
from pathlib import Path
from typing import TypeVar

from analytics.difference import Difference
from bots.replay import prompts_again
from orchestrator.replay import decisions_again
from utils.dataset import CALLS, JOURNAL, SPEC, Dataset
from utils.errors import BadEntry, BadInput
from utils.finding import Finding
from utils.spec import Spec

T = TypeVar("T")

FIRST = 5
"""Of commits, and of prompts, so many that do not follow are named: the others may come of
them, and are counted."""

STEP = 200
"""Records between two words on how far it is."""

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Again:
    """What doing a run again found.

    Attributes:
        commits, calls: How many were decided and built again.
        differences: The first that do not follow, in the order of the run.
        others: How many more there are.
        unchecked: What could not be done again, and why.
    """

    commits: int = 0
    calls: int = 0
    differences: list[Difference] = field(default_factory=list)
    others: int = 0
    unchecked: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether all was done again, and came out the same."""
        return not self.differences and not self.unchecked


def do_again(folder: Path, *, progress: Progress | None = None) -> Again:
    """Decide every commit of a dataset again, and build every prompt.

    Args:
        progress: Told now and then how many of how many records are done.

    Raises:
        BadInput: There is no dataset; its texts were withheld; or the scenario names a
            world, a policy or a memory that is not installed.
    """
    gone = [name for name in (SPEC, JOURNAL, CALLS) if not (folder / name).is_file()]
    if gone:
        return Again(unchecked=[f"grade B: {gone[0]} is not there"])
    dataset = Dataset.open(folder)
    if not dataset.has_texts:
        raise BadInput(
            "nothing can be decided or asked again: its texts were withheld",
            where=str(folder),
            mend="grade A can be verified",
        )
    again = Again()
    try:
        spec = _spec(dataset)
    except BadEntry as error:
        again.unchecked.append(f"grade B: {SPEC} cannot be read: {error.why}")
        return again
    told = _Told(2 * dataset.manifest.commits + dataset.manifest.calls, progress)
    decisions = decisions_again(spec, told.each(dataset.commits()))
    calls = told.each(dataset.calls())
    prompts = prompts_again(spec, told.each(dataset.commits()), calls)
    again.commits = _take(again, "the decisions", decisions, told)
    again.calls = _take(again, "the prompts", prompts, told) - again.commits
    return again


def _spec(dataset: Dataset) -> Spec:
    """Read the scenario; a template that is not what its hash says is read as it stands.

    Grade A has said that it was changed: here it is to be found which turns that touches.
    """
    try:
        return dataset.spec()
    except BadEntry:
        try:
            spec = json.loads(dataset.spec_text)
            for bot in spec["bots"]:
                del bot["prompt"]["sha256"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return dataset.spec()
        return Spec.read(dataset.run, json.dumps(spec))


def _take(again: Again, what: str, findings: Iterable[Finding], told: _Told) -> int:
    """Keep the first findings and count the others; how many records they cost."""
    before, count = told.done, 0

    def counted() -> Iterator[Finding]:
        nonlocal count
        try:
            for finding in findings:
                count += 1
                yield finding
        except BadEntry as error:
            again.unchecked.append(f"{what} beyond {error.entry}: {error.why}")

    first = nsmallest(FIRST, counted(), key=lambda finding: finding.place)
    again.differences += [_difference(one) for one in first]
    again.others += count - len(first)
    return told.done - before


def _difference(finding: Finding) -> Difference:
    where = (finding.channel, finding.bot, finding.call and f"call {finding.call}")
    about = ", ".join(filter(None, where))
    return Difference(
        CALLS if finding.line else JOURNAL,
        f"{about}: {finding.what}" if about else finding.what,
        line=finding.line or finding.commit,
        commit=finding.commit,
        turn=finding.turn,
    )


class _Told:
    """Counts records as they are read, and tells how far it is."""

    def __init__(self, of: int, progress: Progress | None) -> None:
        self.done, self._of, self._progress = 0, of, progress

    def each(self, records: Iterable[T]) -> Iterator[T]:
        for record in records:
            self.done += 1
            if self._progress and self.done % STEP == 0:
                self._progress(min(self.done, self._of), self._of)
            yield record
