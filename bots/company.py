"""One run as a host sees it: the scenario, the host's seats in it, and what they hear."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from bots.around import SERVED, Around, located, unsigned
from bots.fleet import Fleet
from bots.hearing import Hearing
from bots.memory.seam import Memory
from bots.minds.recorded import RecordedMind
from bots.minds.recording import Place
from bots.minds.seam import Mind, MindFactory
from bots.prompt import Framings
from bots.seat import Seat
from bots.served import Served
from bots.task import Sitting, Task, prepare
from bots.tokens import UNMEASURED, Scale
from utils import keys, plugins
from utils.calls import LATEST_CALLS, CallRecord
from utils.errors import BadEntry, StreamError
from utils.mail import ChannelEntry, StandingGrant
from utils.protocol import ChannelClosed, Granted
from utils.spec import BotSpec, ModelSpec, Spec
from utils.streams import Entry, Streams

MEMORIES = "parley.memories"
MINDS = "parley.minds"

PAGE = 1_000
"""Most entries of a channel that are read at once."""
ENTERED_AT_ONCE = 200
"""As many of them take a fraction of the shortest lease, on a slow machine too."""


class Company:
    """A run that this host serves bots of.

    Args:
        run: The run's id.
        spec: Its resolved scenario.
        around: Where models and records are that name no place of their own.
        fleet: The model servers this host knows.
    """

    def __init__(self, run: str, spec: Spec, *, around: Around, fleet: Fleet) -> None:
        self.run, self.spec = run, spec
        self.displays = spec.displays()
        self.seats: dict[str, Seat] = {}
        self._minds: dict[str, Mind] = {}
        self._around, self._fleet = around, fleet
        self._after: dict[str, str] = {}
        self._last: dict[str, Entry] = {}

    def mind(self, model: str) -> Mind:
        """Find the mind behind a model's name, made and checked when first asked for.

        Raises:
            Missing: Its server or model is not there.
            BadInput: There is no such mind.
        """
        if model not in self._minds:
            mind = self._made(self.spec.models[model])
            mind.preflight()
            self._minds[model] = mind
        return self._minds[model]

    def _made(self, model: ModelSpec) -> Mind:
        """Make a model's mind; one that asks servers, for each of them."""
        factory: MindFactory = plugins.find(MINDS, model.mind)
        places = located(model, self._around)
        if model.mind not in SERVED:
            return factory(places[0])
        minds = {unsigned(one.host): factory(one) for one in places}
        return Served(model.model, minds, self._fleet)

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

    def enter(
        self, streams: Streams, bot: str, channels: Iterable[str], *, on_page: Callable[[], object]
    ) -> None:
        """Let a bot hear what was said in the channels it is or was in; follow open ones.

        Harmless when it has heard some of it: an entry is taken in once.

        Args:
            on_page: Called now and then while a long talk is read, so that the host is not
                thought lost meanwhile.
        """
        hearing = self.seats[bot].hearing
        read: list[tuple[str, ChannelEntry]] = []
        on_page()
        for channel in channels:
            key, last = keys.channel(self.run, channel), None
            for last in streams.all(key, upto=self._after.get(key, "+"), page=ENTERED_AT_ONCE):
                read.append((key, _parsed(last)))
                if len(read) % ENTERED_AT_ONCE == 0:
                    on_page()
            if last and key not in self._after:
                self._after[key], self._last[key] = last.id, last
        for key, entry in sorted(read, key=lambda pair: pair[1].seq):
            hearing.take(_channel_of(key), entry)
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
            guards=self.spec.guards,
        )
        scale = self._scale(seat, grant.event)
        return prepare(sitting, grant, seat.hearing, seat.memory, seat.framings, scale=scale)

    def learn(self, streams: Streams, bot: str) -> None:
        """Find what another host learned about a bot's tokens before the seat came here."""
        seat = self.seats[bot]
        if self.spec.models[seat.bot.model].mind in SERVED:
            try:
                entries = streams.latest(keys.calls(self.run), count=LATEST_CALLS)
            except StreamError:  # this host's role may not read calls: it begins anew
                return
            calls = (counted_call(entry.body, bot) for entry in entries)
            last = next((call for call in calls if call is not None), None)
            seat.scale = seat.scale if last is None else scale_after(last)

    def _scale(self, seat: Seat, granted: Granted) -> Scale:
        """Tell what a bot's estimates are multiplied by: as then, if its mind is a record."""
        mind = self.mind(seat.bot.model)
        if not isinstance(mind, RecordedMind):
            return seat.scale
        place = Place(granted.channel, granted.turn, granted.bot, granted.tries)
        factor = mind.token_scale(place)
        return Scale(factor, is_measured=factor != UNMEASURED.factor)

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


def counted_call(body: str, bot: str) -> CallRecord | None:
    """Read a call's record, if it is this bot's and its server counted the prompt."""
    if f'"bot":"{bot}"' not in body:
        return None
    try:
        call = CallRecord.model_validate_json(body)
    except ValueError:
        return None
    return call if call.bot == bot and call.prompt_tokens and call.estimated_tokens else None


def scale_after(call: CallRecord) -> Scale:
    """Tell what a bot's estimates are multiplied by after a call."""
    scale = Scale(call.token_scale, is_measured=call.token_scale != UNMEASURED.factor)
    return scale.after(estimated=call.estimated_tokens or 0, counted=call.prompt_tokens)


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
    return sorted([(entry.key, _parsed(entry)) for entry in read], key=lambda pair: pair[1].seq)


def _parsed(entry: Entry) -> ChannelEntry:
    try:
        return ChannelEntry.model_validate_json(entry.body)
    except ValueError as error:
        raise BadEntry(f"{entry.key} {entry.id}", "not a channel entry") from error
