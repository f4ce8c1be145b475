"""One run as a host sees it: the scenario, the host's seats in it, and what they hear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bots.hearing import Hearing
from bots.memory.seam import Memory
from bots.minds.seam import Mind
from bots.prompt import Framings
from bots.seat import Seat
from bots.task import Sitting, Task, prepare
from utils import keys, plugins
from utils.errors import BadEntry
from utils.mail import ChannelEntry, StandingGrant
from utils.protocol import ChannelClosed
from utils.spec import BotSpec, Spec
from utils.streams import Entry, Streams

MEMORIES = "parley.memories"
MINDS = "parley.minds"

PAGE = 1_000
"""Most entries of a channel that are read at once."""


class Company:
    """A run that this host serves bots of.

    Args:
        run: The run's id.
        spec: Its resolved scenario.
        ollama_host: Where a model is asked that names no host of its own.
    """

    def __init__(self, run: str, spec: Spec, *, ollama_host: str) -> None:
        self.run, self.spec = run, spec
        self.displays = spec.displays()
        self.seats: dict[str, Seat] = {}
        self._minds: dict[str, Mind] = {}
        self._ollama_host = ollama_host
        self._after: dict[str, str] = {}
        self._last: dict[str, Entry] = {}

    def mind(self, model: str) -> Mind:
        """Find the mind behind a model's name, made and checked when first asked for.

        Raises:
            Missing: Its server or model is not there.
            BadInput: There is no such mind.
        """
        if model not in self._minds:
            spec = self.spec.models[model]
            spec = spec.model_copy(update={"host": spec.host or self._ollama_host})
            mind: Mind = plugins.find(MINDS, spec.mind)(spec)
            mind.preflight()
            self._minds[model] = mind
        return self._minds[model]

    def seat(self, bot: BotSpec, *, now_ms: int) -> Seat:
        """Make a seat for a bot; it has heard nothing yet."""
        memory: Memory = plugins.find(MEMORIES, bot.memory.kind)(bot.memory)
        seat = Seat(
            bot=bot,
            memory=memory,
            hearing=Hearing(bot.name),
            framings=Framings(bot),
            asked_ms=now_ms,
        )
        self.seats[bot.name] = seat
        return seat

    def enter(self, streams: Streams, bot: str, channels: Iterable[str]) -> None:
        """Let a bot hear what was said in the channels it is or was in; follow open ones.

        Harmless when it has heard some of it: an entry is taken in once.
        """
        read: list[Entry] = []
        for channel in channels:
            key = keys.channel(self.run, channel)
            entries = list(streams.all(key, upto=self._after.get(key, "+")))
            read += entries
            if entries and key not in self._after:
                self._after[key], self._last[key] = entries[-1].id, entries[-1]
        for key, entry in _in_order(read):
            self.seats[bot].hearing.take(_channel_of(key), entry)
            self._forget_closed(key, entry)

    @property
    def positions(self) -> Mapping[str, str]:
        """The channels' streams, each with the id of the last entry heard."""
        return self._after

    def hear(self, read: list[Entry]) -> bool:
        """Let every seat hear what was read after `positions`; whether it was all there is."""
        for entry in read:
            self._after[entry.key] = entry.id
            self._last[entry.key] = entry
        for key, heard in _in_order(read):
            for seat in self.seats.values():
                if _channel_of(key) in seat.hearing.upto:  # else it enters yet, from the start
                    seat.hearing.take(_channel_of(key), heard)
            self._forget_closed(key, heard)
        return len(read) < PAGE

    def listen(self, streams: Streams) -> None:
        """Read what the channels hold by now, for every seat at once.

        Called when a seat is granted something, by a host that has not read them with
        its mail. Nobody waits for a channel: one that many hosts follow would wake them
        all at every word.
        """
        while self._after and not self.hear(streams.read(self._after, count=PAGE)):
            pass

    def look_back(self, streams: Streams) -> None:
        """After a reconnect: check that what was heard last is still there.

        Raises:
            Forgotten: It is not. What the seats have heard is to be read anew.
        """
        for entry in self._last.values():
            streams.look_back(entry)

    def prepare(self, host: str, seat: Seat, grant: StandingGrant) -> Task:
        """Make the task of answering a grant."""
        sitting = Sitting(
            run=self.run,
            host=host,
            seat=seat.number,
            bot=seat.bot,
            model=self.spec.models[seat.bot.model],
            displays=self.displays,
        )
        return prepare(sitting, grant, seat.hearing, seat.memory, seat.framings)

    def close(self) -> None:
        """Stop all answers and let connections go."""
        for seat in self.seats.values():
            seat.stop_all("run over")
        for mind in self._minds.values():
            mind.close()

    def _forget_closed(self, key: str, entry: ChannelEntry) -> None:
        """Follow a channel no more once it has closed."""
        if any(isinstance(event, ChannelClosed) for event in entry.events):
            self._after.pop(key, None)
            self._last.pop(key, None)


def run_of(key: str) -> str:
    """Name the run whose key this is; empty when it is no run's.

    Example:
        >>> run_of("parley:{tea-1}:inbox:h1"), run_of("parley:runs")
        ('tea-1', '')
    """
    return key.partition("{")[2].partition("}")[0]


def _channel_of(key: str) -> str:
    return key.rpartition(":")[2]


def _in_order(read: list[Entry]) -> list[tuple[str, ChannelEntry]]:
    """Parse channel entries and put those of several channels in the journal's order."""
    parsed = []
    for entry in read:
        try:
            parsed.append((entry.key, ChannelEntry.model_validate_json(entry.body)))
        except ValueError as error:
            raise BadEntry(f"{entry.key} {entry.id}", "not a channel entry") from error
    return sorted(parsed, key=lambda pair: pair[1].seq)
