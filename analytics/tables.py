"""Every table, as one fold of a run's raw records. Pure: same records, same rows.

    for table, row in tables_from(spec, commits, calls, run="tea"): ...

Commits come first, then calls: what a call adds to another table (a bot's tokens, an
incident) is known when both are through. Rows come as soon as they are known, so
nothing is held that grows with messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic import ValidationError

from analytics.columns import RUN_ID, Column, Row, label_columns
from analytics.fold import Fold
from analytics.places import Place
from analytics.rows import (
    actions,
    bots,
    calls,
    exposures,
    incidents,
    interventions,
    measures,
    memories,
    messages,
    runs,
    turns,
    world_events,
)
from utils.callfile import RecordedCall
from utils.errors import BadEntry
from utils.journal import Sealed, chain, first_field, sha256_of
from utils.lineage import check_era, era_at, eras_of
from utils.protocol import (
    Acted,
    Began,
    Event,
    FellBack,
    Forked,
    Heard,
    Incident,
    Intervened,
    Measured,
    OpenEvent,
    Passed,
    Rejected,
    Revoked,
    Say,
)
from utils.spec import Spec

TABLES: Mapping[str, tuple[Column, ...]] = {
    "messages": (RUN_ID, *messages.COLUMNS),
    "turns": (RUN_ID, *turns.COLUMNS),
    "actions": (RUN_ID, *actions.COLUMNS),
    "calls": (RUN_ID, *calls.COLUMNS),
    "exposures": (RUN_ID, *exposures.COLUMNS),
    "memories": (RUN_ID, *memories.COLUMNS),
    "measures": (RUN_ID, *measures.COLUMNS),
    "interventions": (RUN_ID, *interventions.COLUMNS),
    "world_events": (RUN_ID, *world_events.COLUMNS),
    "bots": (RUN_ID, *bots.COLUMNS),
    "runs": (RUN_ID, *runs.COLUMNS),
    "incidents": (RUN_ID, *incidents.COLUMNS),
}
"""Table to columns, in order. A run's labels follow them, in every table alike."""

TableRow = tuple[str, Row]


def columns_of(table: str, labels: Iterable[str] = ()) -> tuple[Column, ...]:
    """List a table's columns, for a run with these labels."""
    return (*TABLES[table], *label_columns(labels))


def read_spec(body: str) -> Spec:
    """Parse a run's spec as it is stored.

    Raises:
        BadEntry: It is none.
    """
    try:
        return Spec.model_validate_json(body)
    except ValidationError as error:
        raise BadEntry("spec", f"no scenario: {first_field(error)}") from error


def tables_from(
    spec: str,
    commits: Iterable[Sealed],
    calls: Iterable[RecordedCall],
    *,
    run: str,
) -> Iterator[TableRow]:
    """Fold a run's records into the rows of all tables.

    Args:
        spec: The resolved scenario, exactly as stored.
        commits: The journal from commit 1, in order. Their chain is checked here.
        calls: The calls that count, in order. Asked for only after the last commit.
        run: The run's id.

    Returns:
        (table, row) pairs; a row's keys are `columns_of(table, labels)`, in that order.

    Raises:
        BadEntry: A record is not what it should be.
    """
    tables = _Tables(spec, run)
    for sealed in chain(commits):
        for table, row in tables.commit(sealed):
            yield table, tables.whole(row)
    for call in calls:
        for table, row in tables.call(call):
            yield table, tables.whole(row)
    for table, row in tables.end():
        yield table, tables.whole(row)


_TELLING = {Acted, FellBack, Heard, Incident, Intervened, Measured, OpenEvent, Passed}
_TELLING |= {Rejected, Revoked}
"""The events that some table has a row of. The others only change what comes after them."""

RECENT_CALLS = 10_000
"""Calls among which one that was sent twice is looked for: a host resends what it still keeps."""


class _Tables:
    """One pass over one run."""

    def __init__(self, spec: str, run: str) -> None:
        self._eras = eras_of(run, spec)
        self.fold = Fold(self._eras[0].spec)
        self._spec_sha256 = sha256_of(spec)
        self._recent: dict[str, None] = {}
        self._run: Row = {RUN_ID.name: run}
        labels = self._eras[-1].spec.labels
        self._labels: Row = {f"label_{name}": labels[name] for name in sorted(labels)}

    def whole(self, row: Row) -> Row:
        return {**self._run, **row, **self._labels}

    def commit(self, sealed: Sealed) -> Iterator[TableRow]:
        """Rows are written from the run as it was before each event."""
        fold, commit = self.fold, sealed.commit
        fold.totals.commits += 1
        fold.totals.inputs += len(commit.inputs)
        fold.last_ms, fold.sha256 = commit.at_ms, sealed.sha256
        run_ms = fold.run_ms(commit.at_ms)
        check_era(self._eras, sealed)
        for index, event in enumerate(commit.events):
            if isinstance(event, Began):
                fold.time.begin(commit.at_ms)
                run_ms = fold.run_ms(commit.at_ms)
            elif isinstance(event, Forked):
                fold.follow(era_at(self._eras, commit.seq).spec)
                fold.time.skip(commit.at_ms - event.paused_ms, commit.at_ms)
                run_ms = fold.run_ms(commit.at_ms)
            place = Place(commit.seq, index, commit.at_ms, run_ms)
            if type(event) in _TELLING:
                yield from self._event(event, place, commit.events[index + 1 :])
            fold.take(event, place)
        fold.end_commit()

    def call(self, call: RecordedCall) -> Iterator[TableRow]:
        if call.sha256 in self._recent:  # a host said it again after a lost connection
            self.fold.totals.resent += 1
            return
        self._recent[call.sha256] = None
        if len(self._recent) > RECENT_CALLS:
            del self._recent[next(iter(self._recent))]
        if call.record is not None:
            yield "calls", calls.row(self.fold, call, call.record)
            for row in exposures.rows(call, call.record):
                yield "exposures", row
        for row in incidents.of_call(self.fold, call):
            yield from self._incident(row)
        self.fold.take_call(call)

    def end(self) -> Iterator[TableRow]:
        fold = self.fold
        fold.settle()
        for held in fold.live.values():
            yield "turns", turns.live(fold, held)
        if fold.closed is not None:
            yield from self._incident(incidents.of_missing(fold, fold.closed))
        for row in bots.rows(fold):
            yield "bots", row
        yield "runs", runs.row(fold, self._spec_sha256)

    def _event(self, event: Event, place: Place, later: tuple[Event, ...]) -> Iterator[TableRow]:
        fold = self.fold
        match event:
            case Heard():
                yield "messages", messages.row(fold, event, place)
            case Acted() | Passed() | Revoked():
                yield "turns", turns.closed(fold, event, place)
            case Measured():
                yield "measures", measures.row(fold, event, place)
            case Intervened():
                yield "interventions", interventions.row(event, place)
            case OpenEvent():
                yield "world_events", world_events.row(fold, event, place)
        if isinstance(event, FellBack) or (
            isinstance(event, Acted) and not isinstance(event.action, Say)
        ):
            yield "actions", actions.row(fold, event, place)
        yield from self._incident(incidents.of_event(event, place, later))

    def _incident(self, row: Row | None) -> Iterator[TableRow]:
        if row is not None:
            self.fold.totals.incidents += 1
            yield "incidents", row
