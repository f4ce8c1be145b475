"""A resolved scenario as text, each value with where it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import JsonValue

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
    data["world"] = data["world"]["name"]
    data.pop("scenario")
    return "\n".join(_lines(data, document, (), 0))


def _lines(
    value: JsonValue, document: Document, at: tuple[str | int, ...], depth: int
) -> Iterator[str]:
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


def origin(document: Document, at: tuple[str | int, ...]) -> str:
    """Tell where a value comes from: its line, or the line of the whole it was short for.

    A bot written as its persona's name alone is there in one line; what that line does
    not say is a default.
    """
    if at in document.lines:
        return f"{Path(document.path).name}:{document.lines[at]}"
    if at[-1] in ("kind", "amount", "unit") and (*at[:-1], "window") in document.lines:
        return origin(document, (*at[:-1], "window"))
    is_who = len(at) == 3 and at[0] == "bots" and at[2] in ("persona", "name")
    if is_who and at[:2] in document.lines:
        return f"{Path(document.path).name}:{document.lines[at[:2]]}"
    return "default"


def _is_plain_list(value: JsonValue) -> bool:
    return isinstance(value, list) and not any(isinstance(one, dict | list) for one in value)
