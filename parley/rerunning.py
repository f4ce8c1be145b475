"""What comes of asking again: by bot and model, in a table of every pair, and in words."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from analytics.cells import cell
from analytics.columns import Value
from bots.around import Around, located
from bots.minds.seam import Mind
from bots.rerun import Pair
from parley.resolve import OFFLINE_MODEL
from utils import plugins
from utils.calls import CallRecord
from utils.errors import BadInput, Missing
from utils.spec import Spec

MINDS = "parley.minds"

HEADER = (
    *("line", "entry_id", "bot", "channel", "turn", "tries", "attempt"),
    *("mind", "model", "model_now", "model_digest", "model_digest_now", "seed"),
    *("same_request", "identical", "similarity", "failure", "response", "response_now"),
)


class Minds:
    """The minds that are asked again, each found and checked when it is first needed.

    Args:
        spec: The run's scenario: how its models are loaded.
        around: Where models answer that name no place of their own.
        model: Ask this model instead of the one that answered then.
        host: Ask this server, wherever the scenario says it was.
    """

    def __init__(
        self, spec: Spec, around: Around, *, model: str | None = None, host: str | None = None
    ) -> None:
        self._models = {bot.name: spec.models[bot.model] for bot in spec.bots}
        self._around, self._model, self._host = around, model, host
        self._minds: dict[str, Mind] = {}

    def name_of(self, record: CallRecord) -> str:
        """Name the model that is asked for a call."""
        return self._model or record.model

    def find(self, record: CallRecord) -> Mind:
        """Find the mind for a call.

        Raises:
            Missing: Its server or model is not there.
        """
        model = self._models[record.bot].model_copy(update={"model": self.name_of(record)})
        if self._host is not None:
            model = model.model_copy(update={"host": self._host, "hosts": ()})
        place = located(model, self._around)[0]
        key = place.model_dump_json()
        if key not in self._minds:
            mind = self._minds[key] = plugins.find(MINDS, model.mind)(place)
            try:
                mind.preflight()
            except Missing as missing:
                raise Missing(missing.what, mend=_mend(place.model, missing.mend)) from missing
        return self._minds[key]

    def close(self) -> None:
        """Let all connections go."""
        for mind in self._minds.values():
            mind.close()


def _mend(model: str, mend: str) -> str:
    """Say what mends a missing server here: there is no `--offline` that could be added."""
    if model == OFFLINE_MODEL:
        return "start the offline model, in another terminal: parley offline-model"
    return "start Ollama, or name its server: --host URL" if "--offline" in mend else mend


@dataclass(slots=True)
class Share:
    """What came of some requests.

    Attributes:
        asked: How many; `failed` of them have no answer now, and `identical` the same.
        alike: The sum of the similarities of those answers that are others.
        same_requests: Of how many the very bytes went out again.
        is_no_model: Whether the server says of any answer that no language model gave it.
    """

    asked: int = 0
    failed: int = 0
    identical: int = 0
    alike: float = 0.0
    same_requests: int = 0
    is_no_model: bool = False

    def add(self, pair: Pair) -> None:
        """Count a pair in."""
        self.asked += 1
        if pair.now is None:
            self.failed += 1
            return
        self.identical += pair.is_identical
        self.same_requests += pair.is_same_request is True
        self.alike += 0.0 if pair.is_identical else pair.similarity or 0.0
        self.is_no_model |= pair.now.about.language_model is False

    @property
    def answered(self) -> int:
        """How many were answered now."""
        return self.asked - self.failed

    @property
    def share_identical(self) -> float | None:
        """Of those that were answered; none if none was."""
        return self.identical / self.answered if self.answered else None

    @property
    def similarity_of_others(self) -> float | None:
        """Mean over the answers that are not identical; none if there are none."""
        others = self.answered - self.identical
        return self.alike / others if others else None


@dataclass(slots=True)
class Rerun:
    """A rerun so far: in all, and by bot, model then and model now."""

    everything: Share = field(default_factory=Share)
    groups: dict[tuple[str, str, str], Share] = field(default_factory=dict)
    digests: set[tuple[str, str, str]] = field(default_factory=set)

    def add(self, pair: Pair, model_now: str) -> None:
        """Count a pair in."""
        then = pair.then
        self.everything.add(pair)
        self.groups.setdefault((then.bot, then.model, model_now), Share()).add(pair)
        digest_now = pair.now.about.digest if pair.now else ""
        is_told = then.model == model_now and then.model_digest and digest_now
        if is_told and then.model_digest != digest_now:
            self.digests.add((then.model, then.model_digest, digest_now))


class Table:
    """The table of every pair; written as it goes, so that what is done is kept."""

    def __init__(self, file: IO[str]) -> None:
        self._file, self._writer = file, csv.writer(file, lineterminator="\n")
        self._writer.writerow(HEADER)

    def add(self, pair: Pair, model_now: str) -> None:
        """Write a pair down."""
        then, now = pair.then, pair.now
        values: tuple[Value, ...] = (
            *(pair.line, pair.call.id, then.bot, then.channel, then.turn, then.tries),
            *(then.attempt, then.mind, then.model, model_now),
            *(then.model_digest, now.about.digest if now else None, then.seed),
            *(pair.is_same_request, pair.is_identical if now else None, pair.similarity),
            *(pair.failure, then.response, now.text if now else None),
        )
        self._writer.writerow([cell(value) for value in values])
        self._file.flush()


@contextmanager
def table_at(path: Path | None, *, dataset: Path) -> Iterator[Table | None]:
    """Hold the table open.

    Raises:
        BadInput: It would change the dataset, is there already, or cannot be written.
    """
    if path is None:
        yield None
        return
    if path.resolve().is_relative_to(dataset.resolve()):
        mend = "a dataset is sealed: name a file outside it"
        raise BadInput(f"{path} is in the dataset", where="--out", mend=mend)
    try:
        file = path.open("x", encoding="utf-8", newline="")
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}", where="--out", mend="name another") from error
    with file:
        yield Table(file)
