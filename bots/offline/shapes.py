"""The smallest JSON that fits a schema, for asks that want JSON and not speech.

It covers what people write by hand and what pydantic writes: objects, arrays, strings,
numbers, enums, constants, references and alternatives. Of patterns of strings only those
like `^[a-z]{2,8}$` are understood, and formats of strings not at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from utils.seeds import Chance

_REPEATED = re.compile(r"\^\[([^\[\]\\^]+)\]\{([0-9]{1,4}),([0-9]{1,4})\}\$")
"""A pattern of one class of characters, so many to so many times."""

MORE_THAN_LEAST = 6
"""Characters that a text of such a pattern has at most beyond what it must have."""

DEPTH_LIMIT = 12
ITEMS_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Shape:
    """A schema with all that is needed to fill it.

    Args:
        root: The whole schema, where references point into.
        chance: Draws among alternatives and inside ranges.
        text: What a free string says.
    """

    root: Mapping[str, JsonValue]
    chance: Chance
    text: str

    def example(self) -> JsonValue:
        """Give a value that fits.

        Example:
            >>> schema = {"type": "object", "properties": {"go": {"enum": ["north"]}}}
            >>> Shape(schema, Chance(7), "text").example()
            {'go': 'north'}
        """
        return self._fill(dict(self.root), "$", DEPTH_LIMIT)

    def _fill(self, schema: JsonValue, place: str, depth: int) -> JsonValue:
        if not isinstance(schema, dict) or depth == 0:
            return None
        schema = self._resolved(schema, place, depth)
        if "const" in schema:
            return schema["const"]
        enum = schema.get("enum")
        if isinstance(enum, list) and enum:
            return self.chance.pick(enum, "enum", place)
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "null")
        if kind == "object":
            return self._object(schema, place, depth)
        if kind == "array":
            return self._array(schema, place, depth)
        return self._plain(str(kind), schema, place)

    def _plain(self, kind: str, schema: dict[str, JsonValue], place: str) -> JsonValue:
        if kind in ("integer", "number"):
            value = self._number(schema, place)
            return value if kind == "integer" else float(value)
        if kind == "boolean":
            return self.chance.below(2, "boolean", place) == 1
        return self._string(schema, place) if kind == "string" else None

    def _resolved(
        self, schema: dict[str, JsonValue], place: str, depth: int
    ) -> dict[str, JsonValue]:
        """Follow a reference, choose an alternative, merge what must hold together."""
        for _ in range(depth):
            pointer, merged = schema.get("$ref"), dict(schema)
            if isinstance(pointer, str):
                merged = self._pointed(pointer)
            for key in ("anyOf", "oneOf"):
                options = [one for one in _dicts(schema.get(key)) if one.get("type") != "null"]
                if options:
                    merged = self.chance.pick(options, key, place)
            for part in _dicts(schema.get("allOf")):
                merged = {**merged, **part}
            if "allOf" in schema:
                merged.pop("allOf", None)
            if merged == schema:
                break
            schema = merged
        return schema

    def _pointed(self, pointer: str) -> dict[str, JsonValue]:
        found: JsonValue = dict(self.root)
        for key in pointer.removeprefix("#/").split("/"):
            found = found.get(key) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def _object(self, schema: dict[str, JsonValue], place: str, depth: int) -> JsonValue:
        properties, required = schema.get("properties"), schema.get("required")
        if not isinstance(properties, dict):
            return {}
        names = [str(name) for name in required] if isinstance(required, list) else []
        return {
            name: self._fill(properties.get(name, {"type": "string"}), f"{place}.{name}", depth - 1)
            for name in names or properties
        }

    def _array(self, schema: dict[str, JsonValue], place: str, depth: int) -> JsonValue:
        if depth <= 1:
            return []
        prefix = schema.get("prefixItems")
        if isinstance(prefix, list):
            return [self._fill(one, f"{place}[{at}]", depth - 1) for at, one in enumerate(prefix)]
        count = min(ITEMS_LIMIT, max(_whole(schema.get("minItems"), 1), 0))
        if "maxItems" in schema:
            count = min(count, _whole(schema["maxItems"], count))
        items = schema.get("items", {"type": "string"})
        return [self._fill(items, f"{place}[{at}]", depth - 1) for at in range(count)]

    def _string(self, schema: dict[str, JsonValue], place: str) -> str:
        repeated = _REPEATED.fullmatch(str(schema.get("pattern", "")))
        if repeated:
            return self._repeated(repeated[1], int(repeated[2]), int(repeated[3]), place)
        least, most = _whole(schema.get("minLength"), 0), _whole(schema.get("maxLength"), 600)
        text = self.text
        while len(text) < min(least, 10_000):
            text += f" {self.text}"
        return text[: max(0, most)]

    def _repeated(self, kinds: str, least: int, most: int, place: str) -> str:
        """Draw a text of one class of characters."""
        one = re.compile(f"[{kinds}]")
        letters = [letter for letter in map(chr, range(32, 127)) if one.fullmatch(letter)]
        spare = max(0, min(most - least, MORE_THAN_LEAST))
        count = (least + self.chance.below(spare + 1, "count", place)) if letters else 0
        return "".join(self.chance.pick(letters, "letter", place, at) for at in range(count))

    def _number(self, schema: dict[str, JsonValue], place: str) -> int:
        low = _whole(schema.get("minimum"), _whole(schema.get("exclusiveMinimum"), -1) + 1)
        high = _whole(schema.get("maximum"), _whole(schema.get("exclusiveMaximum"), low + 10) - 1)
        span = min(max(0, high - low), 2**32 - 1)
        step = max(1, _whole(schema.get("multipleOf"), 1))
        value = low + self.chance.below(span + 1, "number", place)
        rounded = value - value % step
        return rounded if rounded >= low else rounded + step


def _dicts(listed: JsonValue) -> list[dict[str, JsonValue]]:
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _whole(value: JsonValue, otherwise: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return otherwise
    return int(value) if abs(value) < 2**53 else otherwise
