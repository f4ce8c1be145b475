"""What a fork changes in its scenario: keys that name a place in it, and values for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import JsonValue, ValidationError

from parley.library import Library
from parley.model_options import check_spec
from utils import plugins
from utils.errors import BadInput
from utils.names import look_up, shown
from utils.origin import Change
from utils.persona import Persona
from utils.spec import ChannelSpec, EndSpec, MemorySpec, ModelSpec, Spec
from worlds.audience import AUDIENCES
from worlds.settings import BadSetting

WHERE = "--change"
KINDS: Mapping[str, str] = {
    "heard": "heard=delete or heard.text=TEXT",
    "inject": "inject=TEXT",
    "bot": "bot.NAME.persona, .persona.FIELD, .model, .prompt or .memory.FIELD",
    "model": "model.NAME.FIELD or .options.OPTION",
    "channel": "channel.NAME.policy or .hears",
    "end": "end.turns, .minutes or .silence_minutes",
    "seed": "seed=N",
}
"""What can be changed, by the first word of the key."""

PLAIN_TEXT = {"display", "role", "character", "style"}
"""Fields of a persona whose value is text, whatever it looks like."""

Path = list[str | int]


def read_change(text: str) -> Change:
    """Read `KEY=VALUE`. The value stays as it was written until its place is known.

    Raises:
        BadInput: It has no key or no `=`.
    """
    key, equals, value = text.partition("=")
    if not key or not equals:
        mend = "write KEY=VALUE, such as bot.ada.persona.style=curt"
        raise BadInput(f"{shown(text)} is no change", where=WHERE, mend=mend)
    look_up(key.split(".")[0], dict(KINDS), "thing to change", f"{WHERE} {key}")
    try:
        return Change(key=key, value=value)
    except ValidationError as error:
        raise BadInput("it is too long, or no text", where=WHERE) from error


def changed(spec: Spec, changes: Iterable[Change], library: Library) -> tuple[Spec, list[Change]]:
    """Make a scenario with changes; those of what was heard are left to others.

    Returns:
        The scenario, and the changes with their values as they are now in it.

    Raises:
        BadInput: A change names nothing, cannot be, or changes nothing.
    """
    done: list[Change] = []
    for change in changes:
        if change.is_edit:
            done.append(change)
            continue
        path = _path(spec, change)
        before, (spec, value) = spec, _with(spec, path, change, library)
        if before == spec:
            raise BadInput("it is so already", where=_where(change), mend="leave it out")
        done.append(Change(key=change.key, value=value))
    _check(spec)
    return spec, done


def _where(change: Change) -> str:
    return f"{WHERE} {change.key}"


def _path(spec: Spec, change: Change) -> Path:
    """Find the place in a spec that a key names."""
    kind, *rest = change.key.split(".")
    where = _where(change)
    if kind == "seed" and not rest:
        return ["seed"]
    if kind == "end" and len(rest) == 1 and rest[0] in EndSpec.model_fields:
        return ["end", *rest]
    if kind in ("bot", "model", "channel") and len(rest) > 1:
        name, *fields = rest
        if kind == "model":
            look_up(name, spec.models, "model", where)
            return ["models", name, *_known(fields, ModelSpec, {"options"}, where)]
        named = [bot.name for bot in spec.bots]
        if kind == "channel":
            named = [channel.name for channel in spec.channels]
        places = {known: place for place, known in enumerate(named)}
        place = look_up(name, places, kind, where)
        if kind == "channel":
            look_up(fields[0], dict.fromkeys(("policy", "hears")), "thing to change", where)
            return ["channels", place, *_known(fields, ChannelSpec, set(), where)]
        return ["bots", place, *_bot_path(fields, where)]
    raise BadInput("it names nothing", where=where, mend=f"write {KINDS[kind]}")


def _bot_path(fields: Sequence[str], where: str) -> Path:
    first, *rest = fields
    kinds = {"persona": Persona, "memory": MemorySpec, "model": None, "prompt": None}
    of = look_up(first, kinds, "thing to change", where)
    if first == "persona" and rest:
        if rest[0] == "name":
            raise BadInput("a persona's name is its file's", where=where, mend="change display")
        return [first, *_known(rest, Persona, {"mind", "big_five"}, where)]
    if (of is None and rest) or (first == "memory" and not rest):
        raise BadInput("it names nothing", where=where, mend=f"write {KINDS['bot']}")
    return [first, *(_known(rest, MemorySpec, set(), where) if rest else [])]


def _known(fields: Sequence[str], of: type[Any], open_at: set[str], where: str) -> Path:
    """Check the names of fields; below those in `open_at` one more name may stand."""
    look_up(fields[0], of.model_fields, "field", where)
    if len(fields) > (2 if fields[0] in open_at else 1):
        raise BadInput("it names nothing", where=where, mend=f"did you mean {shown(fields[0])}?")
    return [*fields]


def _with(spec: Spec, path: Path, change: Change, library: Library) -> tuple[Spec, JsonValue]:
    """Put a value in its place: as JSON if that can stand there, else as the text it is."""
    error: BadInput | None = None
    for value in _values(spec, path, change, library):
        body = spec.model_dump(mode="json")
        try:
            _put(body, path, value)
            return Spec.model_validate_json(json.dumps(body)), value
        except ValidationError as failure:
            first = failure.errors(include_url=False, include_input=False)[0]
            what = f"{shown(str(change.value))}: {first['msg'].lower()}"
            error = BadInput(what, where=_where(change))
    raise error or BadInput("it has no value", where=_where(change))


def _values(spec: Spec, path: Path, change: Change, library: Library) -> list[JsonValue]:
    text, where = str(change.value), _where(change)
    if path[0] == "bots" and path[2:] == ["persona"]:
        bot = spec.bots[int(path[1])]
        chosen = look_up(text, library.personas, "persona", where)
        # The bot stays who it is to the others: DESIGN's `keep: [name, memory]`.
        return [chosen.model_dump(mode="json") | {"display": bot.persona.display}]
    if path[0] == "bots" and path[2:] == ["prompt"]:
        template = look_up(text, library.templates, "prompt", where)
        return [template.model_dump(mode="json")]
    if path[-1] in PLAIN_TEXT:
        return [text]
    try:
        return [json.loads(text), text]
    except ValueError:
        return [text]


def _put(body: Any, path: Path, value: JsonValue) -> None:
    for name in path[:-1]:
        if isinstance(body, dict) and body.get(str(name)) is None:
            body[str(name)] = {}
        body = body[name]
    body[path[-1]] = value


def _check(spec: Spec) -> None:
    """Look at a changed scenario as one that is read from a file is looked at. Raises BadInput."""
    for name, model in spec.models.items():
        look_up(model.mind, _named("parley.minds"), "mind", f"{WHERE} model.{name}.mind")
        if model.mind == "rule":
            look_up(model.rule, _named("parley.rules"), "rule", f"{WHERE} model.{name}.rule")
        if model.mind == "recorded" and not model.record:
            raise BadInput("it does not say which record", where=f"{WHERE} model.{name}.record")
        if model.mind in ("ollama", "openai") and not model.model:
            raise BadInput("it does not say which model", where=f"{WHERE} model.{name}.model")
        if "seed" in model.options:
            what = "a call's seed is drawn from the run's"
            raise BadInput(what, where=f"{WHERE} model.{name}.options.seed", mend="change seed")
    for bot in spec.bots:
        look_up(bot.model, spec.models, "model", f"{WHERE} bot.{bot.name}.model")
        kinds = _named("parley.memories")
        look_up(bot.memory.kind, kinds, "memory", f"{WHERE} bot.{bot.name}.memory.kind")
    for channel in spec.channels:
        where = f"{WHERE} channel.{channel.name}"
        look_up(channel.policy, _named("parley.policies"), "policy", f"{where}.policy")
        look_up(channel.hears, AUDIENCES, "audience", f"{where}.hears")
    check_spec(spec, _refuse)
    try:
        plugins.find("parley.worlds", spec.world.name)().initial(spec)
    except BadSetting as bad:
        raise BadInput(bad.what, where=WHERE, mend=bad.mend) from bad


def _named(group: str) -> dict[str, None]:
    return dict.fromkeys(plugins.names(group))


def _refuse(reason: str, *at: str | int, mend: str = "") -> BadInput:
    return BadInput(reason, where=f"{WHERE} {'.'.join(map(str, at))}", mend=mend)
