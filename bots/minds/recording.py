"""The answers of a run that was: of each grant, the call whose answer was proposed.

The journal says which: the action that closed a grant names its call by hash. What
failed, came late or was never taken is no answer. Attempts that were answered under the
same call id before it, such as one that a guard kept back, are there too: whoever is
asked the same answers the same.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, get_args

from pydantic import ValidationError

from utils import keys
from utils.calls import CallRecord
from utils.dataset import Dataset
from utils.errors import BadInput, FailureKind, Missing
from utils.journal import Sealed, chain, sha256_of
from utils.names import check_name
from utils.protocol import Acted, Passed
from utils.streams import Streams

FAILURES = frozenset(get_args(FailureKind))

RUN = "run:"
"""What `record` begins with where it names a run on a server and not a folder."""


class Place(NamedTuple):
    """Where an answer belongs: a bot has one grant for it."""

    channel: str
    turn: int
    bot: str
    tries: int


@dataclass(frozen=True, slots=True)
class Told:
    """One answered attempt. The whole record is kept packed: it is seldom looked at."""

    call_id: str
    messages_sha256: str
    seed: int
    packed: bytes

    @property
    def record(self) -> CallRecord:
        """The record, as it was."""
        return CallRecord.model_validate_json(zlib.decompress(self.packed))


class Recording:
    """What was answered, by place.

    Args:
        name: Folder or run, for errors.
        journal: The run's commits; they are checked as they are read.
        calls: The bodies of the records of its calls, in order. What cannot be read
            is no answer.

    Raises:
        BadEntry: The journal is not what it says it is.
    """

    def __init__(self, name: str, journal: Iterable[Sealed], calls: Iterable[str]) -> None:
        self.name = name
        proposed = {
            event.call_sha256
            for sealed in chain(journal)
            for event in sealed.commit.events
            if isinstance(event, Acted | Passed) and event.call_sha256 is not None
        }
        self._told: dict[Place, list[Told]] = {}
        self._failed: dict[Place, list[str]] = {}
        taken: dict[Place, str] = {}
        seen: set[str] = set()
        for body in calls:
            record = _read(body)
            sha256 = sha256_of(body) if record is not None else ""
            if record is None or sha256 in seen:
                continue
            seen.add(sha256)
            place = Place(record.channel, record.turn, record.bot, record.tries)
            if record.outcome not in FAILURES:
                self._told.setdefault(place, []).append(_told(record, body))
            else:
                self._failed.setdefault(place, []).append(record.outcome)
            if sha256 in proposed:
                taken[place] = record.call_id
        for place, told in list(self._told.items()):
            kept = [one for one in told if one.call_id == taken.get(place)]
            if kept:
                self._told[place] = kept
            else:
                del self._told[place]

    def at(self, place: Place) -> list[Told]:
        """List the answers of a place, the one that was proposed last; none if there are none."""
        return self._told.get(place, [])

    def failed(self, place: Place) -> list[str]:
        """List how the attempts at a place failed."""
        return self._failed.get(place, [])

    def __len__(self) -> int:
        """Count the places that have an answer."""
        return len(self._told)


def read_folder(folder: Path) -> Recording:
    """Read the answers of a dataset.

    Raises:
        Missing: There is no dataset there, or its texts were withheld.
        BadEntry: It is not what it should be.
    """
    try:
        dataset = Dataset.open(folder)
    except BadInput as error:
        raise Missing(error.what, where=error.where, mend=f"{error.mend}, or run:ID") from error
    if not dataset.has_texts:
        raise Missing(f"the texts of {folder} were withheld", mend="name a dataset that has them")
    return Recording(str(folder), dataset.commits(), (call.body for call in dataset.calls()))


def read_run(streams: Streams, run: str) -> Recording:
    """Read the answers of a run that a server holds.

    Raises:
        BadInput: It cannot be a run's id.
        Missing: There is no such run, or it has said nothing.
        BadEntry: Its journal is not what it should be.
    """
    check_name(run, "run", where="record")
    if streams.top(keys.journal(run)) is None:
        raise Missing(f"no run {run} at this server", mend="parley runs lists what there is")
    calls = (entry.body for entry in streams.all(keys.calls(run)))
    return Recording(f"run {run}", streams.journal(run), calls)


def _read(body: str) -> CallRecord | None:
    try:
        return CallRecord.model_validate_json(body.encode("utf-8", "surrogateescape"))
    except ValidationError:
        return None


def _told(record: CallRecord, body: str) -> Told:
    return Told(
        call_id=record.call_id,
        messages_sha256=record.messages_sha256,
        seed=record.seed,
        packed=zlib.compress(body.encode()),
    )
