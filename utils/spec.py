"""The resolved scenario: all that a run's outcome may depend on, as one frozen value.

A scenario file says what its author cared to say; a `Spec` says everything, with
personas and prompt templates inside. It is written once, when a run starts, and the
first commit holds its hash.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, ValidationError

from utils.awaited import Reached, When
from utils.errors import BadEntry
from utils.journal import first_field
from utils.names import Name
from utils.origin import Origin
from utils.persona import MAX_OPTIONS, OptionName, OptionValue, Persona, PromptTemplate
from utils.protocol import MAX_MEMBERS, MAX_TEXT_CHARS, Frozen, Short, Text

MAX_CHANNELS = MAX_MEMBERS
MAX_MODELS, MAX_LINES, MAX_LABELS, MAX_SETTINGS, MAX_MEASURES = 1_000, 10_000, 64, 64, 64

Phrase = Annotated[str, StringConstraints(min_length=2, max_length=200, pattern=r"\w")]
Option = bool | int | float | str | tuple[str, ...]
Think = bool | Literal["low", "medium", "high"]
Labels = Annotated[dict[Name, Short], Field(max_length=MAX_LABELS)]


def _without_login(host: str) -> str:
    if "@" in host:
        raise ValueError("must hold no user name and no password: a scenario is published")
    return host


Address = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(_without_login)
]


class ModelSpec(Frozen):
    """What answers for a bot.

    `mind` is a plugin's name. `model` and `host` are for minds that ask a server, `hosts`
    for a model that several servers have, each call going where least is to do;
    `lines` for `scripted`, `rule` for `rule`, `record` for `recorded`: a dataset's folder,
    or `run:` and a run's id. `options` go to the server as they are.
    `think` is a level for models that take one; `openai` servers take nothing else.
    `truncate` and `shift` say whether an Ollama server may cut a prompt, or forget its
    beginning in mid-answer: then it does so in silence, and Parley would not know.
    """

    mind: Name = "ollama"
    model: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\s\x00]*$")] = ""
    host: Annotated[str, StringConstraints(max_length=200), AfterValidator(_without_login)] = ""
    hosts: Annotated[tuple[Address, ...], Field(max_length=64)] = ()
    options: Annotated[dict[OptionName, OptionValue], Field(max_length=MAX_OPTIONS)] = {}
    think: Think = False
    truncate: bool = False
    shift: bool = False
    keep_alive: Annotated[str, StringConstraints(pattern=r"^(-1|0|[0-9]{1,9}(s|m|h))$")] = "30m"
    lines: Annotated[tuple[Text, ...], Field(max_length=MAX_LINES)] = ()
    rule: Name = "echo"
    record: Annotated[str, StringConstraints(max_length=1_000, pattern=r"^[^\x00]*$")] = ""


class MemorySpec(Frozen):
    """What a bot recalls when it is asked.

    `window` of 20 messages keeps the last 20 things the bot heard; of 800 tokens, as
    many as fit in an estimate of that; of 3 rounds, those of the last 3 rounds heard.
    With scope `all` it spans all of the bot's channels, each line tagged with its own.
    """

    kind: Name = "window"
    amount: int = Field(default=20, ge=1, le=100_000)
    unit: Literal["messages", "tokens", "rounds"] = "messages"
    scope: Literal["channel", "all"] = "channel"


class BotSpec(Frozen):
    """A participant: a name that is unique in the run, a persona, a memory, a mind."""

    name: Name
    persona: Persona
    prompt: PromptTemplate
    model: Name
    memory: MemorySpec


class ChannelSpec(Frozen):
    """A channel that is open from the start.

    `hears` says whose words reach a member: `all` of them, its `neighbours` in the
    ring of members, the `previous` one in it, or only it`self`; its own always do.
    """

    name: Name
    members: Annotated[tuple[Name, ...], Field(max_length=MAX_MEMBERS)]
    hears: Name = "all"
    policy: Name = "round_robin"
    opening: Text = ""
    turns: int | None = Field(default=None, ge=1, le=10**9)


class EndSpec(Frozen):
    """When a run is over: at whichever of these comes first.

    `turns` counts closed turns in all channels; `minutes` is run time, without
    pauses; `silence_minutes` is run time in which nobody acted; any of `measures` ends
    it.
    """

    turns: int | None = Field(default=None, ge=1, le=10**9)
    minutes: float | None = Field(default=None, gt=0, le=10**6)
    silence_minutes: float = Field(default=10, gt=0, le=10**6)
    measures: Annotated[tuple[Reached, ...], Field(max_length=MAX_MEASURES)] = ()


class FloorSpec(Frozen):
    """How turns are given.

    `allow_s` is how long a bot may hold a grant; a turn that was revoked is granted
    again until `tries` were made, then given up; `gather_s` is how long the first
    turn waits for all bots to be seated; `max_chars` bounds what is said in a turn.
    """

    allow_s: float = Field(default=120, gt=0, le=86_400)
    tries: int = Field(default=3, ge=1, le=100)
    gather_s: float = Field(default=60, gt=0, le=86_400)
    max_chars: int = Field(default=4_000, ge=1, le=MAX_TEXT_CHARS)

    @property
    def allow_ms(self) -> int:
        """`allow_s` in milliseconds."""
        return round(self.allow_s * 1000)


class RepetitionGuard(Frozen):
    """What counts as saying again what was said.

    An answer of which at least `share` of the different `n`-grams of words stand in one
    of the `last` messages the bot heard in the channel: its own, or of others.
    """

    share: float = Field(gt=0, le=1)
    n: int = Field(default=3, ge=1, le=20)
    of: Literal["anybody", "own", "others"] = "anybody"
    last: int = Field(default=10, ge=1, le=1_000)


class PersonaGuard(Frozen):
    """What counts as leaving the persona: any of these phrases, as whole words."""

    phrases: Annotated[tuple[Phrase, ...], Field(min_length=1, max_length=100)] = (
        "as an ai",
        "as a language model",
        "as a large language model",
        "i am an ai",
        "i'm an ai",
        "ai assistant",
        "ai language model",
    )


class GuardsSpec(Frozen):
    """What is looked at before an answer is taken. All of it is off unless it is named.

    An answer that one of them keeps back stays in the record; the model is asked once
    more with a seed of its own, and when that is kept back too, the bot passes.
    """

    empty: bool = False
    repetition: RepetitionGuard | None = None
    persona: PersonaGuard | None = None


class PaceSpec(Frozen):
    """When the world takes its step.

    `turns`: once every live grant is closed. `free`: once the grants that are due by
    then are closed, whatever the clock says. `realtime`: at its own time, of which
    `scale` milliseconds pass in one of run time.
    """

    kind: Literal["turns", "free", "realtime"] = "turns"
    scale: float = Field(default=1.0, gt=0, le=1_000, allow_inf_nan=False)


class WorldSpec(Frozen):
    """Which world's rules a run follows, and the world's own settings."""

    name: Name = "salon"
    settings: Annotated[dict[Name, JsonValue], Field(max_length=MAX_SETTINGS)] = {}


class Spec(Frozen):
    """Everything about a run before it starts.

    Attributes:
        started_with: Versions where it was started: of Parley, Python, libraries and the
            server. Nothing is decided by them. Not written when empty.
        origin: What a fork stands on.
    """

    parley: Literal[1] = 1
    scenario: Name
    seed: int = Field(ge=-(2**63), lt=2**63)
    about: Short = ""
    labels: Labels = {}
    world: WorldSpec = WorldSpec()
    models: Annotated[dict[Name, ModelSpec], Field(max_length=MAX_MODELS)]
    bots: Annotated[tuple[BotSpec, ...], Field(min_length=1, max_length=MAX_MEMBERS)]
    channels: Annotated[tuple[ChannelSpec, ...], Field(max_length=MAX_CHANNELS)]
    end: EndSpec
    floor: FloorSpec = FloorSpec()
    pace: PaceSpec = PaceSpec()
    guards: GuardsSpec = GuardsSpec()
    measures: Annotated[tuple[Name, ...], Field(max_length=MAX_MEASURES)] = ()
    when: Annotated[tuple[When, ...], Field(max_length=MAX_MEASURES)] = ()

    started_with: Annotated[
        dict[Name, Short], Field(max_length=MAX_LABELS, exclude_if=lambda versions: not versions)
    ] = {}
    origin: Origin | None = None

    @property
    def watched(self) -> tuple[str, ...]:
        """The measures that this scenario names, anywhere; each once."""
        awaited = (one.measure for one in (*self.end.measures, *self.when))
        return tuple(dict.fromkeys((*self.measures, *awaited)))

    def bot(self, name: str) -> BotSpec:
        """Find a bot by name. Raises KeyError when there is none."""
        for bot in self.bots:
            if bot.name == name:
                return bot
        raise KeyError(name)

    @classmethod
    def read(cls, run: str, body: str | None) -> Spec:
        """Read the spec of a run as it is stored.

        Raises:
            BadEntry: There is none, or it is not one: another version's, say.
        """
        if body is None:
            raise BadEntry(f"run {run}", "it has no spec")
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            raise BadEntry(f"run {run}", f"no spec: {first_field(error)}") from error

    def displays(self) -> dict[str, str]:
        """Map each bot's name to the name it is shown and addressed by.

        The persona's own, unless another bot has it too, or is called so.
        """
        counted = Counter(bot.persona.display.casefold() for bot in self.bots)
        names = {bot.name for bot in self.bots}
        shown = {}
        for bot in self.bots:
            word = bot.persona.display.casefold()
            is_its_own = counted[word] == 1 and (word == bot.name or word not in names)
            shown[bot.name] = bot.persona.display if word and is_its_own else bot.name.capitalize()
        return shown
