"""From a scenario file to the spec of a run: every name looked up, every default filled in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bots.around import SERVED
from parley.library import Library
from parley.lookup import Lookup, check_known
from parley.model_options import check_spec
from utils import plugins
from utils.awaited import TOLD, Telling, When
from utils.errors import BadInput
from utils.names import check_name, shown
from utils.scenario import BotEntry, ChannelEntry, Crowd, MemoryEntry, Scenario, load
from utils.spec import BotSpec, ChannelSpec, EndSpec, MemorySpec, ModelSpec, Spec
from utils.yamlfile import Document
from worlds.audience import AUDIENCES
from worlds.measures import NAMES, is_measure
from worlds.seam import World
from worlds.settings import BadSetting

OFFLINE_MODEL = "parley-offline"


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says in place of the file. None leaves the file's word."""

    turns: int | None = None
    seed: int | None = None
    mind: str | None = None
    model: str | None = None
    say: str | None = None
    offline: bool = False


def resolve_file(path: Path, overrides: Overrides | None = None) -> Spec:
    """Read a scenario file and resolve it with the library it finds.

    Raises:
        BadInput: Something in it cannot be; the line says where.
    """
    name = check_name(path.stem, "scenario", where=str(path))
    scenario, document = load(path)
    return resolve(
        scenario, document, Library.open(path.parent), overrides or Overrides(), name=name
    )


def resolve(
    scenario: Scenario, document: Document, found: Library, overrides: Overrides, *, name: str
) -> Spec:
    """Look up every name of a scenario and fill in every default.

    Args:
        scenario: What the file says.
        document: Its lines, for errors.
        found: Personas and templates.
        overrides: What the command line says instead.
        name: The scenario's name: the file's, without its ending.

    Raises:
        BadInput: A name that is nowhere, two bots of one name, a member who is no bot.
    """
    look = Lookup(document)
    _check_overrides(overrides)
    look.name("world", scenario.world.name, plugins.names("parley.worlds"), "world")
    bots = _bots(scenario, look, found)
    channels = _channels(scenario, look, tuple(bot.name for bot in bots), overrides)
    end = scenario.end
    if overrides.turns is not None:
        end = end.model_copy(update={"turns": overrides.turns, "minutes": None})
        channels = tuple(one.model_copy(update={"turns": None}) for one in channels)
    spec = Spec(
        scenario=name,
        seed=scenario.seed if overrides.seed is None else overrides.seed,
        about=scenario.about,
        labels=scenario.labels,
        world=scenario.world,
        models=_models(scenario, look, overrides),
        bots=bots,
        channels=channels,
        end=end,
        floor=scenario.floor,
        pace=scenario.pace,
        guards=scenario.guards,
        measures=scenario.measures,
        when=_when(scenario, look, bots, channels),
    )
    check_spec(spec, look.refuse)
    _check_world(spec, look)
    return spec


def _check_world(spec: Spec, look: Lookup) -> None:
    """Let the world look at the scenario before anything runs. Raises BadInput."""
    world: World[Any] = plugins.find("parley.worlds", spec.world.name)()
    try:
        world.initial(spec)
    except BadSetting as bad:
        raise look.refuse(bad.what, "world", spec.world.name, *bad.at, mend=bad.mend) from bad
    named: list[tuple[str, tuple[str | int, ...]]]
    named = [(one, ("measures", at)) for at, one in enumerate(spec.measures)]
    named += [(one.measure, ("end",)) for one in spec.end.measures]
    named += [(one.measure, ("when", at)) for at, one in enumerate(spec.when)]
    for measure, at in named:
        if not world.measures(measure) and not is_measure(measure):
            what = f"the world '{spec.world.name}' does not measure '{measure}', nor any talk"
            raise look.refuse(what, *at, mend=f"any talk has: {', '.join(NAMES)}")


def _check_overrides(overrides: Overrides) -> None:
    """Refuse what no file could say either. Raises BadInput, naming the option."""
    checks: tuple[tuple[str, object, Callable[[Any], object]], ...] = (
        ("--turns", overrides.turns, lambda turns: EndSpec(turns=turns)),
        ("--seed", overrides.seed, lambda seed: Scenario(bots=(BotEntry(),), seed=seed)),
        ("--model", overrides.model, lambda model: ModelSpec(model=model)),
        ("--say", overrides.say, lambda say: ChannelEntry(opening=say)),
    )
    for option, value, check in checks:
        try:
            if value is not None:
                check(value)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise BadInput(f"{shown(value)}: {first['msg'].lower()}", where=option) from error


def _models(scenario: Scenario, look: Lookup, overrides: Overrides) -> dict[str, ModelSpec]:
    change: dict[str, object] = {}
    if overrides.offline:
        change = {"mind": "ollama", "model": OFFLINE_MODEL, "host": ""}
    if overrides.mind is not None:
        check_known("mind", overrides.mind, plugins.names("parley.minds"), "--mind")
        change["mind"] = overrides.mind
    if overrides.model is not None:
        change["model"] = overrides.model
    models = {}
    for name, written in scenario.models.items():
        look.name("mind", written.mind, plugins.names("parley.minds"), "models", name, "mind")
        model = ModelSpec.model_validate({**written.model_dump(), **change})
        if model.mind == "rule":
            look.name("rule", model.rule, plugins.names("parley.rules"), "models", name, "rule")
        if model.mind == "recorded" and not model.record:
            what = f"model '{name}' does not say which record"
            raise look.refuse(what, "models", name, mend="add record: with a folder, or run:ID")
        if model.hosts and (model.host or model.mind not in SERVED):
            what = "'hosts' is for the minds 'ollama' and 'openai', in place of 'host'"
            raise look.refuse(what, "models", name, "hosts", mend="name one host:")
        if model.mind in ("ollama", "openai") and not model.model:
            what = f"model '{name}' does not say which"
            raise look.refuse(what, "models", name, mend="add model:")
        if "seed" in model.options:
            why = "a call's seed is drawn from the run's"
            raise look.refuse(why, "models", name, "options", "seed", mend="set seed: at the top")
        models[name] = model
    return models


def _bots(scenario: Scenario, look: Lookup, found: Library) -> tuple[BotSpec, ...]:
    bots: dict[str, BotSpec] = {}
    default = next(iter(scenario.models), None)
    if default is None:
        raise look.refuse("there is no model", "models", mend="leave models out, or name one")
    for at, entry in _entries(scenario):
        persona, prompt = entry.persona, entry.prompt
        name = entry.name or persona
        look.name("persona", persona, found.personas, *at, *_key(look, at, "persona"))
        look.name("prompt", prompt, found.templates, *at, *_key(look, at, "prompt"))
        look.name("model", entry.model or default, scenario.models, *at, "model")
        if name == "none":
            raise look.refuse("a bot without persona needs a name", *at, mend="add name:")
        if name in bots:
            raise look.refuse(f"there are two bots named '{name}'", *at, mend="add name: to one")
        bots[name] = BotSpec(
            name=name,
            persona=found.personas[persona],
            prompt=found.templates[prompt],
            model=entry.model or default,
            memory=_memory(entry.memory),
        )
    return tuple(bots.values())


def _entries(scenario: Scenario) -> list[tuple[tuple[str | int, ...], BotEntry]]:
    """List the bots that are to be, with the place in the file each comes from."""
    if not isinstance(scenario.bots, Crowd):
        return [(("bots", index), entry) for index, entry in enumerate(scenario.bots)]
    crowd = scenario.bots
    width = len(str(crowd.count))
    return [
        (
            ("bots",),
            BotEntry(
                name=f"{crowd.name}-{number:0{width}}",
                persona=crowd.persona,
                model=crowd.model,
                prompt=crowd.prompt,
                memory=crowd.memory,
            ),
        )
        for number in range(1, crowd.count + 1)
    ]


def _key(look: Lookup, at: tuple[str | int, ...], key: str) -> tuple[str, ...]:
    return (key,) if (*at, key) in look.document.lines else ()


def _memory(entry: MemoryEntry) -> MemorySpec:
    if entry.window == "none":
        return MemorySpec(kind="none", amount=1, scope=entry.scope)
    amount, _, unit = entry.window.partition(" ")
    return MemorySpec.model_validate(
        {"amount": int(amount), "unit": unit.rstrip("s") + "s", "scope": entry.scope}
    )


def _channels(
    scenario: Scenario, look: Lookup, bots: tuple[str, ...], overrides: Overrides
) -> tuple[ChannelSpec, ...]:
    channels: list[ChannelSpec] = []
    policies = plugins.names("parley.policies")
    is_salon = scenario.world.name == "salon"
    written = {"main": ChannelEntry()} if scenario.channels is None else scenario.channels
    if scenario.channels is None and not is_salon:
        return ()
    for name, entry in written.items():
        at = ("channels", name)
        look.name("policy", entry.policy, policies, *at, "policy")
        look.name("audience", entry.hears, AUDIENCES, *at, "hears")
        channels.append(_channel(name, entry, look, bots, overrides))
    if not channels and is_salon:
        raise look.refuse("there is no channel", "channels", mend="leave channels out, or name one")
    return tuple(channels)


def _when(
    scenario: Scenario, look: Lookup, bots: tuple[BotSpec, ...], channels: tuple[ChannelSpec, ...]
) -> tuple[When, ...]:
    """Find the channels and bots of what the scenario tells its run."""
    found = []
    for index, one in enumerate(scenario.when):
        at, do = ("when", index, "do"), one.do
        channel = do.channel
        if channel is not None:
            look.name("channel", channel, (each.name for each in channels), *at)
        elif "channel" in TOLD[do.verb]:
            if len(channels) != 1:
                raise look.refuse(f"'{do.verb}' does not say in which channel", *at)
            channel = channels[0].name
        if do.bot is not None:
            look.name("bot", do.bot, (bot.name for bot in bots), *at)
        try:
            telling = Telling(verb=do.verb, channel=channel, bot=do.bot, text=do.text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]["msg"]
            raise look.refuse(first.removeprefix("Value error, "), *at) from error
        rest = one.model_dump(exclude={"do"})
        found.append(When(**rest, do=telling))
    return tuple(found)


def _channel(
    name: str, entry: ChannelEntry, look: Lookup, bots: tuple[str, ...], overrides: Overrides
) -> ChannelSpec:
    at = ("channels", name, "members")
    members = bots if entry.members == "all" else entry.members
    for index, member in enumerate(members):
        look.name("bot", member, bots, *at, index)
    if not members:
        raise look.refuse(f"channel '{name}' has no members", *at)
    if len(set(members)) < len(members):
        raise look.refuse(f"channel '{name}' names a member twice", *at)
    return ChannelSpec(
        name=name,
        members=members,
        hears=entry.hears,
        policy=entry.policy,
        opening=entry.opening if overrides.say is None else overrides.say,
        turns=entry.turns,
    )
