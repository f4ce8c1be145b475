"""What was asked: the scenario as it was resolved, bots, models, channels and rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from analytics.report import wording
from analytics.report.markup import Child, Html, joined, pairs, table, tag
from analytics.report.source import Source
from utils.printable import printable_line
from utils.spec import BotSpec, ChannelSpec, Spec

MOST_ROWS = 40
"""Rows of a table in the page; the dataset has all."""


def asked(source: Source) -> Html:
    """Write what was asked and run, on about a page."""
    spec = source.spec
    return joined(
        (
            _facts(source, spec),
            tag("h3", "Models"),
            _models(source, spec),
            tag("h3", "Bots"),
            _bots(spec),
            *((tag("h3", "Channels"), _channels(spec)) if spec.channels else ()),
        )
    )


def _facts(source: Source, spec: Spec) -> Html:
    return pairs(
        {
            "Scenario": spec.scenario,
            "Seed": str(spec.seed),
            "World": _world(spec),
            "Pace": source.word("pace"),
            "Labels": ", ".join(f"{name}: {spec.labels[name]}" for name in sorted(spec.labels)),
            "Ends": _end(spec),
            "Floor": f"{spec.floor.allow_s:g} s a grant, {spec.floor.tries} tries a turn, at most "
            f"{spec.floor.max_chars:,} characters",
            "Guards": _guards(spec),
            "Began": wording.moment(source.told.get("began_ms")),
            "Run time": wording.duration(source.number("took_ms")) + _paused(source),
        }
    )


def _world(spec: Spec) -> str:
    settings = spec.world.settings
    said = ", ".join(f"{name}: {_value(settings[name])}" for name in sorted(settings))
    return f"{spec.world.name} ({said})" if said else spec.world.name


def _end(spec: Spec) -> str:
    end = spec.end
    ways = [
        f"after {wording.count(end.turns, 'turn')}" if end.turns else "",
        f"after {end.minutes:g} min" if end.minutes else "",
        *(f"when {one.measure} is {one.value:g}" for one in end.measures),
        f"after {end.silence_minutes:g} min of silence",
    ]
    return ", or ".join(way for way in ways if way)


def _guards(spec: Spec) -> str:
    guards = spec.guards
    on = [
        "empty answers" if guards.empty else "",
        f"repetition from {guards.repetition.share:.0%} of {guards.repetition.n}-grams on"
        if guards.repetition
        else "",
        "leaving the persona" if guards.persona else "",
    ]
    return ", ".join(one for one in on if one) or "none"


def _paused(source: Source) -> str:
    paused_ms = source.number("paused_ms")
    return f", and {wording.duration(paused_ms)} of pause" if paused_ms else ""


def _models(source: Source, spec: Spec) -> Html:
    rows = []
    for name in sorted(spec.models):
        model = spec.models[name]
        options = ", ".join(f"{key} {_value(model.options[key])}" for key in sorted(model.options))
        rows.append((name, model.mind, _answers(model.mind, model.model, model.rule), options))
    declared = table(
        ("model", "mind", "what answers", "options set"), rows, caption="Models of the scenario"
    )
    seen = list(_seen(source))
    if not seen:
        return declared
    head = ("as it answered", "digest", "quantization", "server", "calls")
    return joined((declared, table(head, seen, numeric=(4,), caption="Models as they answered")))


def _answers(mind: str, model: str, rule: str) -> str:
    if mind == "rule":
        return f"rule {rule}"
    return model or {"scripted": "written lines"}.get(mind, "")


def _seen(source: Source) -> Iterator[tuple[Child, ...]]:
    """List what answered, as the calls say: a digest that changed in mid-run is seen here."""
    for one in source.manifest.models:
        if one.servers or one.digests:
            yield (
                one.model,
                joined((mono(digest[:16]) for digest in one.digests), ", "),
                ", ".join(one.quantizations),
                ", ".join(one.servers),
                wording.count(one.calls),
            )


def _bots(spec: Spec) -> Html:
    """List the bots; those that differ in their name alone are one row."""
    shown = spec.displays()
    alike: dict[tuple[str, ...], list[str]] = {}
    for bot in spec.bots:
        alike.setdefault(_kind_of(bot), []).append(shown[bot.name])
    rows = [
        (_named(names), persona, model, joined((prompt, " ", mono(sha256[:8]))), memory)
        for (persona, model, prompt, sha256, memory), names in list(alike.items())[:MOST_ROWS]
    ]
    head = ("bot", "who it is", "model", "prompt", "memory")
    left = sum(len(names) for names in list(alike.values())[MOST_ROWS:])
    return joined((table(head, rows, caption="Bots"), left_out(left, "bot", "bots.csv")))


def _kind_of(bot: BotSpec) -> tuple[str, ...]:
    memory = bot.memory
    recalled = f"{memory.kind}, {memory.amount} {memory.unit}, {memory.scope}"
    return (
        _persona(bot),
        bot.model,
        bot.prompt.name,
        bot.prompt.sha256,
        "none" if memory.kind == "none" else recalled,
    )


def _named(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} to {names[-1]} ({len(names)})"


def _persona(bot: BotSpec) -> str:
    persona = bot.persona
    return printable_line(persona.role or persona.character, most=90) or "no persona"


def _channels(spec: Spec) -> Html:
    shown = spec.displays()
    rows = [_channel(one, shown) for one in spec.channels[:MOST_ROWS]]
    whole = table(
        ("channel", "who is in it", "who speaks next", "who hears", "opening"),
        rows,
        caption="Channels",
    )
    return joined((whole, left_out(len(spec.channels) - len(rows), "channel", "raw/spec.json")))


def _channel(channel: ChannelSpec, shown: dict[str, str]) -> tuple[Child, ...]:
    members = [shown.get(one, one) for one in channel.members]
    named = ", ".join(members) if len(members) <= 8 else f"{len(members)} bots"
    opening = tag("div", printable_line(channel.opening, most=240), class_="long")
    return channel.name, named, channel.policy, channel.hears, opening


def left_out(count: int, unit: str, where: str) -> Html | None:
    """Say how many rows are not in the page, and where they are."""
    if count <= 0:
        return None
    return tag("p", f"{wording.count(count, unit)} more in {where}.", class_="note")


def mono(text: str) -> Html:
    """Write a hash or a file's name in letters of one width."""
    return tag("span", text, class_="mono")


def lines(texts: Iterable[str]) -> Html:
    """Write sentences one below another."""
    return joined(tag("p", one) for one in texts)


def _value(value: object) -> str:
    if isinstance(value, str):
        return value
    return printable_line(json.dumps(value, ensure_ascii=False, default=str), most=120)
