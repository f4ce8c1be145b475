"""Many datasets in groups that are compared: the arms of a study."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from analytics.report.source import Source

REPLICATE = ("item", "replicate")
"""Labels that tell runs of one arm apart."""
MOST_CHARS = 60


def by_arm(sources: Sequence[Source]) -> dict[str, list[Source]]:
    """Gather runs whose labels agree but for item and replicate; without labels, by scenario.

    Returns:
        Arm's name to its runs, in the order of names. A name says what differs between
        arms: the label `arm` alone where that tells them all apart.
    """
    names = _telling([_facts(one) for one in sources])
    arms: dict[str, list[Source]] = {}
    for source, name in zip(sources, names, strict=True):
        arms.setdefault(name, []).append(source)
    return {name: arms[name] for name in sorted(arms)}


def differing(sources: Sequence[Source]) -> dict[str, dict[str, list[Source]]]:
    """Find the settings in which runs differ: setting to value to the runs that have it."""
    flat = [
        _flat(source.spec.model_dump(mode="json", exclude={"labels", "started_with"}))
        for source in sources
    ]
    keys = dict.fromkeys(key for one in flat for key in one)
    found: dict[str, dict[str, list[Source]]] = {}
    for key in keys:
        values: dict[str, list[Source]] = {}
        for source, one in zip(sources, flat, strict=True):
            values.setdefault(one.get(key, "not set"), []).append(source)
        if len(values) > 1:
            found[key] = values
    return found


def _facts(source: Source) -> dict[str, str]:
    labels = {name: label for name, label in source.spec.labels.items() if name not in REPLICATE}
    return labels or {"scenario": source.spec.scenario}


def _telling(facts: Sequence[Mapping[str, str]]) -> list[str]:
    """Name each by what is not the same in all of them."""
    varied = {key for one in facts for key in one if len({other.get(key) for other in facts}) > 1}
    groups = len({tuple(sorted(one.items())) for one in facts})
    if "arm" in varied and len({one.get("arm") for one in facts}) == groups:
        varied = {"arm"}
    if not varied:
        return ["all runs"] * len(facts)
    if len(varied) == 1:
        (key,) = varied
        return [one.get(key, f"no {key}") for one in facts]
    return [
        ", ".join(f"{key} {one[key]}" for key in sorted(varied) if key in one) or "no labels"
        for one in facts
    ]


def _flat(value: JsonValue, path: str = "") -> dict[str, str]:
    """Spell a value out as paths and leaves; what is in a list is named by its own name."""
    if isinstance(value, dict) and value:
        return {
            key: leaf
            for name, inner in value.items()
            for key, leaf in _flat(inner, f"{path}.{name}" if path else str(name)).items()
        }
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return {
            key: leaf
            for place, inner in enumerate(value)
            for key, leaf in _flat(inner, f"{path}.{_name(inner, place)}").items()
        }
    return {path: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}


def _name(value: JsonValue, place: int) -> str:
    name = value.get("name") if isinstance(value, dict) else None
    return name if isinstance(name, str) else str(place)
