"""A resolved scenario as text, each value with where it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import JsonValue

from utils.misfit import KeyPath
from utils.scenario import load
from utils.spec import Spec
from utils.yamlfile import Document

WIDTH = 44


def with_origins(spec: Spec, path: Path) -> str:
    """Write a spec as YAML, each value followed by `# <file>:<line>` or `# default`.

    Personas and templates stand by name; `parley personas show NAME` has the rest.
    """
    document = load(path)[1]
    data = spec.model_dump(mode="json")
    data["bots"] = [
        {**bot, "persona": bot["persona"]["name"], "prompt": bot["prompt"]["name"]}
        for bot in data["bots"]
    ]
    data["channels"] = {
        channel["name"]: {key: value for key, value in channel.items() if key != "name"}
        for channel in data["channels"]
    }
    data["world"] = {data["world"]["name"]: data["world"]["settings"]}
    data.pop("scenario")
    return "\n".join(_lines(data, document, (), 0))


def _lines(value: JsonValue, document: Document, at: KeyPath, depth: int) -> Iterator[str]:
    pairs = (
        [(f"{key}:", key, inner) for key, inner in value.items()]
        if isinstance(value, dict)
        else [("-", index, inner) for index, inner in enumerate(value)]
        if isinstance(value, list)
        else []
    )
    for label, key, inner in pairs:
        head = "  " * depth + label
        if inner and isinstance(inner, dict | list) and not _is_plain_list(inner):
            yield head
            yield from _lines(inner, document, (*at, key), depth + 1)
        else:
            text = f"{head} {json.dumps(inner, ensure_ascii=False)}"
            yield f"{text:<{WIDTH}} # {origin(document, (*at, key))}"


def origin(document: Document, at: KeyPath) -> str:
    """Tell where a value comes from: its line, or the line of the whole it was short for.

    A bot written as its persona's name alone is there in one line; what that line does
    not say is a default.
    """
    for known in _said_at(document, at):
        if known in document.lines:
            return f"{Path(document.path).name}:{document.lines[known]}"
    return "default"


def _said_at(document: Document, at: KeyPath) -> Iterator[KeyPath]:
    """List the places in the file that may say a value, the plainest first."""
    bots = document.data.get("bots") if isinstance(document.data, dict) else None
    if at[0] == "bots" and isinstance(bots, dict):  # a crowd: what is said once is all bots'
        yield from _short_forms(("bots", *at[2:]), bots)
        if at[2:] == ("name",):
            yield ("bots", "count")
    elif at[0] == "bots" and isinstance(bots, list) and isinstance(bots[int(at[1])], str):
        if at[2] in ("persona", "name"):
            yield at[:2]
    else:
        entry = bots[int(at[1])] if at[0] == "bots" and isinstance(bots, list) else {}
        yield from _short_forms(at, entry)
        if at[0] == "bots" and at[2:] == ("name",):
            yield (*at[:2], "persona")


def _short_forms(at: KeyPath, entry: JsonValue) -> Iterator[KeyPath]:
    """List where a memory's parts may be said: by themselves, in its window, in one word."""
    yield at
    if at[-1] in ("kind", "amount", "unit"):
        yield (*at[:-1], "window")
        if isinstance(entry, dict) and isinstance(entry.get("memory"), str):
            yield at[:-1]


def _is_plain_list(value: JsonValue) -> bool:
    return isinstance(value, list) and not any(isinstance(one, dict | list) for one in value)
