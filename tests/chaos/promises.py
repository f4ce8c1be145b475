"""What a run's record must be, whatever happened to the processes that made it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.chaos.beside import added, in_channels, on_disk
from tests.chaos.scene import RUN, scene_of
from tests.chaos.silence import silence
from tests.chaos.simulation import Parts, Played, play
from tests.swarm import happened
from utils import keys
from utils.calls import CallRecord
from utils.errors import BadEntry
from utils.journal import Garbage, Sealed, chain, consume, parse
from utils.protocol import Failed, Proposed
from utils.spec import Spec
from utils.streams import Entry, order_of

Words = list[tuple[str, int, str, str]]


def broken(played: Played) -> list[str]:
    """List the promises that a play broke."""
    if played.stuck:
        return [f"stuck: {played.stuck}", *played.died]
    try:
        journal = list(chain(played.streams.journal(RUN)))
    except BadEntry as bad:
        return [f"no chain: {bad}"]
    faults = {one.fault for one in played.faults}
    found = [*played.died, *fence(journal), *_inputs(played, journal)]
    found += [*in_channels(played, journal), *on_disk(played, journal)]
    found += silence(played, journal)
    if [one.sha256 for one in played.read] != [one.sha256 for one in journal]:
        found.append("the reader holds another journal")
    if "tail lost" not in faults:
        found += [*_acknowledged(played, journal), *_calls(played, journal)]
    if played.scene.is_patient:
        found += _words(played, journal)
    return found


def words_of(journal: list[Sealed]) -> Words:
    """List what the bots said, channel by channel."""
    heard = happened(journal, "heard")
    return sorted((one.channel, one.turn, one.speaker, one.text) for one in heard if one.speaker)


# --- turns, grants, seats ---------------------------------------------------------------


def fence(journal: list[Sealed]) -> list[str]:
    """A grant is closed once, by the live seat; a turn is closed once, and in order."""
    seen = Fence()
    for sealed in journal:
        seen.take(sealed)
    if seen.live:
        seen.found.append(f"epochs {sorted(seen.live)} are never closed")
    return seen.found


class Fence:
    """What is live as a journal is read, and what was wrong so far. A method a kind.

    Attributes:
        at: The hash of the commit that is read.
        live: Epochs to the grants that are live, and `hashes` to the commits that made them.
        answers: What the commit that is read takes in, by the epoch it names.
        seats: Bots to the host and the number of their seats.
    """

    def __init__(self) -> None:
        self.found: list[str] = []
        self.at = ""
        self.live: dict[int, Any] = {}
        self.hashes: dict[int, str] = {}
        self.answers: dict[int, Proposed | Failed] = {}
        self.seats: dict[str, tuple[str, int]] = {}
        self._turns: Counter[str] = Counter()
        self._epochs = 0

    def take(self, sealed: Sealed) -> None:
        """Read the next commit."""
        self.at, self.answers = sealed.sha256, dict(_answers(sealed))
        for event in events_of(sealed):
            getattr(self, event.kind, self.other)(event)

    def other(self, event: Any) -> None:
        """Nothing hangs on it."""

    def seated(self, event: Any) -> None:
        self.seats[event.bot] = (event.host, event.seat)

    def unseated(self, event: Any) -> None:
        self.seats.pop(event.bot, None)

    def granted(self, event: Any) -> None:
        self._epochs += 1
        if event.epoch != self._epochs:
            self.found.append(f"epoch {event.epoch} is granted after {self._epochs - 1}")
        self.live[event.epoch], self.hashes[event.epoch] = event, self.at

    def acted(self, event: Any) -> None:
        if event.epoch not in self.answers:
            self.found.append(f"epoch {event.epoch} is closed by nobody's answer")
        self.revoked(event)

    passed = acted

    def revoked(self, event: Any) -> None:
        if self.live.pop(event.epoch, None) is None:
            self.found.append(f"epoch {event.epoch} is closed while it is not live")
        answer = self.answers.get(event.epoch)
        if answer and self.seats.get(event.bot) != (answer.author, answer.seat):
            self.found.append(f"epoch {event.epoch} is answered from an old seat")
        if answer and answer.grant != self.hashes.get(event.epoch):
            self.found.append(f"epoch {event.epoch} is answered as granted by another commit")

    def turn_closed(self, event: Any) -> None:
        self._turns[event.channel] += 1
        if event.turn != self._turns[event.channel]:
            self.found.append(f"{event.channel}: turn {event.turn} is closed out of order")


def events_of(sealed: Sealed) -> list[Any]:
    return list(sealed.commit.events)


def _answers(sealed: Sealed) -> Iterator[tuple[int, Proposed | Failed]]:
    """List what answers grants among a commit's inputs, but for what was rejected."""
    rejected = {event.input_id for event in events_of(sealed) if event.kind == "rejected"}
    for consumed in sealed.commit.inputs:
        arrived = parse(consumed)
        if isinstance(arrived, Proposed | Failed) and consumed.id not in rejected:
            yield arrived.epoch, arrived


# --- inputs -----------------------------------------------------------------------------


def _inputs(played: Played, journal: list[Sealed]) -> Iterator[str]:
    """What is on the floor is consumed; nothing is acted on twice."""
    consumed = [one for sealed in journal for one in sealed.commit.inputs]
    done = Counter[tuple[str, str]]()
    for sealed in journal:  # what was read again after a rollback is rejected again
        rejected = Counter(one.input_id for one in happened([sealed], "rejected"))
        for one in sealed.commit.inputs:
            done[one.author, one.nonce] += not rejected[one.id]
            if rejected[one.id] not in ((1,) if isinstance(parse(one), Garbage) else (0, 1)):
                yield f"{one.id} is rejected {rejected[one.id]} times: {one.raw[:60]!r}"
    yield from (f"{author} {nonce} is done twice" for (author, nonce), n in done.items() if n > 1)
    injected = Counter(one.text for one in happened(journal, "heard") if one.speaker is None)
    yield from (f"'{text}' is heard {n} times" for text, n in injected.items() if n > 1)
    known, ids = {one.nonce for one in consumed}, {one.id for one in consumed}
    for entry in _in_time(played, journal):
        said = consume(entry.id, entry.fields)
        if said.nonce not in known or not (said.nonce or said.id in ids):
            yield f"{said.id}, {said.nonce or 'garbage'} of {said.author}, is never consumed"


def _in_time(played: Played, journal: list[Sealed]) -> list[Entry]:
    """List what was on the floor before the last commit that took anything from it.

    The server's log tells, not the ids: a clock that goes back gives lower ones later.
    """
    last = max((one.seq for one in journal if one.commit.inputs), default=0)
    over_at = order_of(journal[-1].commit.cursor)
    before = []
    for entry in added(played, keys.floor(RUN), keys.journal(RUN)):
        if entry.key == keys.floor(RUN):
            before.append(entry)
        elif entry.id == f"{last}-0":
            return [one for one in before if order_of(one.id) <= over_at]
    return []


def _acknowledged(played: Played, journal: list[Sealed]) -> Iterator[str]:
    """Where the server lost nothing, what it acknowledged is consumed once, in its order."""
    consumed = [one.id for sealed in journal for one in sealed.commit.inputs]
    floor = added(played, keys.floor(RUN))
    if consumed != [entry.id for entry in _in_time(played, journal)]:
        yield "the floor is not consumed once, in its order"
    known = {one.nonce for sealed in journal for one in sealed.commit.inputs}
    taken = set(consumed)
    late = {consume(one.id, one.fields).nonce for one in floor if one.id not in taken}
    yield from (
        f"'{nonce}' from outside is lost"
        for nonce in played.injected
        if nonce not in known and nonce not in late
    )


# --- what is beside the journal -----------------------------------------------------------


def _calls(played: Played, journal: list[Sealed]) -> Iterator[str]:
    """Nothing is said without its call's record; the prompt held what the bot had heard."""
    calls = {}
    for entry in played.streams.all(keys.calls(RUN)):
        record = CallRecord.model_validate_json(entry.body)
        calls[record.epoch, record.host] = record
    known = _known(played, journal)
    recalled = played.scene.spec.bots[0].memory.amount
    for sealed in journal:
        answers = dict(_answers(sealed))
        for event in events_of(sealed):
            if event.kind in ("acted", "passed"):
                call = calls.get((event.epoch, answers[event.epoch].author))
                if call is None:
                    yield f"epoch {event.epoch} is answered without a record"
                elif sorted(_seen(call)) != sorted(known[event.epoch][-recalled:]):
                    yield f"epoch {event.epoch}: {event.bot} did not recall what it had heard"


def _known(played: Played, journal: list[Sealed]) -> dict[int, list[str]]:
    """List what each bot had heard by the commit of its grant, by epoch."""
    members = {channel.name: channel.members for channel in played.scene.spec.channels}
    heard: dict[str, list[str]] = {}
    known = {}
    for sealed in journal:
        for event in events_of(sealed):
            for bot in members[event.channel] if event.kind == "heard" else ():
                heard.setdefault(bot, []).append(event.message_id)
        granted = [event for event in events_of(sealed) if event.kind == "granted"]
        known.update({event.epoch: list(heard.get(event.bot, ())) for event in granted})
    return known


def _seen(call: CallRecord) -> list[str]:
    return [one.item for one in call.exposures if one.seen and one.kind == "message"]


# --- the words --------------------------------------------------------------------------


def _words(played: Played, journal: list[Sealed]) -> Iterator[str]:
    """Nobody gave up, and the bots said what they say when nothing goes wrong."""
    for one in happened(journal, "turn_closed"):
        if one.outcome != "acted":
            yield f"{one.channel}: turn {one.turn} is {one.outcome}"
    if words_of(journal) != undisturbed(played.scene.spec):
        yield "the words are not those of the undisturbed run"


@cache
def _undisturbed(body: str) -> Words:
    scene = scene_of(0)
    calm = scene.weather._replace(rates={}, most=0)
    fair = scene._replace(
        spec=Spec.model_validate_json(body),
        is_patient=True,
        longest_ms=0,
        orchestrators=1,
        hosts=1,
        recorders=0,
        trimmed_at=0,
        weather=calm,
    )
    return words_of(
        list(play(0, scene=fair, parts=Parts(is_interrupted=False)).streams.journal(RUN))
    )


def undisturbed(spec: Spec) -> Words:
    """Tell the words of a run in which nothing goes wrong."""
    return _undisturbed(spec.model_dump_json())
