"""What a reviewer would ask of a run first, gathered while its records pass by.

Pure. It holds what grows with open channels and with models, and of each call 16 bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from analytics.columns import Row
from utils.callfile import RecordedCall
from utils.journal import Sealed
from utils.manifest import Checks, ModelSeen
from utils.protocol import Acted, ChannelClosed, Heard, Passed, Revoked, Say, TurnClosed
from utils.spec import Spec

_WORD = re.compile(r"[\w-]+")
FEW_NAMES = 64
"""Up to so many names are looked for each by itself, which is faster; more word by word."""


@dataclass(slots=True)
class _Model:
    """One model so far. Dicts keep the order in which something was first seen."""

    calls: int = 0
    digests: dict[str, None] = field(default_factory=dict)
    quantizations: dict[str, None] = field(default_factory=dict)
    servers: dict[str, None] = field(default_factory=dict)
    language_model: dict[bool, None] = field(default_factory=dict)


class Review:
    """One pass over one run's records.

    Args:
        spec: The run's, for the names its bots go by.

    Attributes:
        entries: Calls taken in, those that cannot be read among them.
    """

    def __init__(self, spec: Spec) -> None:
        self._turns: dict[str, int] = {}
        self._missing = 0
        self._models: dict[tuple[str, str], _Model] = {}
        self._said = 0
        self._words, self._renamed = hashlib.sha256(), hashlib.sha256()
        self._stand_ins: dict[str, str] = {}
        self._names = _spelled_names(spec)
        self._many = len(self._names) > FEW_NAMES
        self._mention = _mention(self._names)
        self.entries = self._unreadable = 0
        # The first 8 bytes of each hash: a million of them whole would be 100 MB.
        self._named, self._there = array("Q"), array("Q")

    def take(self, sealed: Sealed) -> None:
        """Take in one commit."""
        for event in sealed.commit.events:
            if isinstance(event, Acted | Passed | Revoked) and event.call_sha256:
                self._named.append(int(event.call_sha256[:16], 16))
            match event:
                case Heard():
                    self._say(event.channel, event.turn, event.speaker, event.text)
                case Acted(action=action) if not isinstance(action, Say):
                    did = json.dumps(action.model_dump(mode="json"), sort_keys=True)
                    self._say(event.channel, event.turn, event.bot, did)
                case TurnClosed():
                    due = self._turns.get(event.channel, 0) + 1
                    self._missing += max(0, event.turn - due)
                    self._turns[event.channel] = event.turn
                case ChannelClosed():
                    self._turns.pop(event.channel, None)

    def take_call(self, call: RecordedCall) -> None:
        """Take in one attempt at a model."""
        record = call.record
        self.entries += 1
        self._there.append(int(call.sha256[:16], 16))
        if record is None:
            self._unreadable += 1
            return
        model = self._models.setdefault((record.mind, record.model), _Model())
        model.calls += 1
        if record.model_digest:
            model.digests[record.model_digest] = None
        if record.quantization:
            model.quantizations[record.quantization] = None
        if record.server:
            model.servers[record.server] = None
        if record.language_model is not None:
            model.language_model[record.language_model] = None

    def models(self) -> tuple[ModelSeen, ...]:
        """List the models that were asked, sorted by mind and name."""
        return tuple(
            ModelSeen(
                mind=mind,
                model=name,
                calls=seen.calls,
                digests=tuple(seen.digests),
                quantizations=tuple(seen.quantizations),
                servers=tuple(seen.servers),
                language_model=tuple(seen.language_model),
            )
            for (mind, name), seen in sorted(self._models.items())
        )

    def checks(self, run: Row) -> Checks:
        """Answer what a reviewer would ask.

        Args:
            run: The run's row of runs.csv.
        """
        granted, calls, counted = run["granted"], run["calls"], run["calls_counted"]
        changed = [one.model for one in self.models() if len(one.digests) > 1]
        return Checks(
            turns_missing=self._missing,
            calls_missing=max(0, int(str(counted)) - self.entries) if counted is not None else 0,
            calls_unknown=_absent(self._named, self._there),
            calls_unreadable=self._unreadable,
            share_revoked=_share(run["revoked"], granted),
            share_revoked_for_time=_share(run["revoked_deadline"], granted),
            share_resampled=_share(run["calls_guarded"], calls),
            share_cut=_share(run["calls_cut"], calls),
            changed_models=tuple(changed),
            words_sha256=self._words.hexdigest() if self._said else None,
            renamed_sha256=self._renamed.hexdigest() if self._said else None,
        )

    def _say(self, channel: str, turn: int, who: str | None, what: str) -> None:
        self._said += 1
        head = f"{channel}\0{turn}\0"
        self._words.update(f"{head}{who or ''}\0{what}\0".encode("utf-8", "surrogateescape"))
        who = self._stand_in(who) if who else ""
        if self._many or any(name in what for name in self._names):
            what = self._mention.sub(lambda word: self._stand_in(word[0]), what)
        self._renamed.update(f"{head}{who}\0{what}\0".encode("utf-8", "surrogateescape"))

    def _stand_in(self, word: str) -> str:
        """Put the number of a bot in the order of mention where its name stands."""
        bot = self._names.get(word)
        if bot is None:
            return word
        return self._stand_ins.setdefault(bot, f"\1{len(self._stand_ins)}")


def findings(run: Row, checks: Checks, models: Iterable[ModelSeen]) -> tuple[str, ...]:
    """Say in words what a reader of the dataset should know, and nothing where all is well.

    Args:
        run: The run's row of runs.csv.
    """
    said: list[str] = []
    if run["phase"] != "closed":
        said.append(f"The run was cut while {run['phase']}: its tables are not final.")
    if checks.turns_missing:
        said.append(f"{_many(checks.turns_missing, 'turn is', 'turns are')} missing.")
    if checks.calls_missing:
        said.append(f"{_many(checks.calls_missing, 'call is', 'calls are')} missing.")
    if checks.calls_unknown:
        named = _many(checks.calls_unknown, "grant names", "grants name")
        said.append(f"{named} a call that is not there.")
    if checks.calls_unreadable:
        said.append(f"{_many(checks.calls_unreadable, 'call', 'calls')} cannot be read.")
    said += [f"{run[count]} of {run[of]} {what}." for count, of, what in _COUNTED if run[count]]
    return (*said, *_of_models(models))


_COUNTED = (
    ("revoked", "granted", "grants were revoked"),
    ("revoked_deadline", "granted", "grants were revoked for time"),
    ("turns_given_up", "turns", "turns were given up"),
    ("calls_guarded", "calls", "answers were kept back by a guard, and asked for again"),
    ("calls_cut", "calls", "answers were cut"),
    ("calls_failed", "calls", "calls brought no answer that could be taken"),
)


def _of_models(models: Iterable[ModelSeen]) -> Iterator[str]:
    for model in models:
        if len(model.digests) > 1:
            yield f"Model {model.model} changed in mid-run: {len(model.digests)} digests answered."
        if model.language_model == (False,):
            yield f"{model.model or model.mind} is no language model, and says so."
        if model.model and not model.digests:
            yield f"No digest of model {model.model} is known."


def _spelled_names(spec: Spec) -> dict[str, str]:
    """Map each word by which a bot goes to the bot; a word of two bots to neither."""
    words: dict[str, str | None] = {}
    for bot, display in spec.displays().items():
        for word in {bot, bot.capitalize(), bot.upper(), *_WORD.findall(display)}:
            words[word] = bot if words.get(word, bot) == bot else None
    return {word: bot for word, bot in words.items() if bot is not None}


def _mention(names: Mapping[str, str]) -> re.Pattern[str]:
    if not names or len(names) > FEW_NAMES:
        return _WORD
    spelled = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{spelled})(?![\w-])")


def _absent(named: array[int], there: array[int]) -> int:
    """Count the numbers of one that are not in the other."""
    if not named or not there:
        return len(named)
    import numpy  # noqa: PLC0415  # a tenth of a second, which only a run with calls pays

    wanted, known = numpy.asarray(named), numpy.sort(numpy.asarray(there))
    places = numpy.minimum(numpy.searchsorted(known, wanted), len(known) - 1)
    return int(numpy.count_nonzero(known[places] != wanted))


def _share(part: object, whole: object) -> float | None:
    return int(str(part)) / int(str(whole)) if whole else None


def _many(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"
