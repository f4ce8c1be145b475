"""Why data does not fit a model, in words for the person who wrote the data.

What was expected is read from the model's JSON schema, so that a bound is written
once, in the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, JsonValue, PydanticInvalidForJsonSchema, ValidationError

from utils.names import NAME_PATTERN, NAME_RULE, counted, nearest, shown

KeyPath = tuple[str | int, ...]
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Misfit:
    """One reason.

    `at` is the key or item that is there and is at fault, or that lacks `key`.
    """

    at: KeyPath
    reason: str
    kind: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class _Fit:
    """What was to be, what is, and which keys are to come."""

    schema: Schema
    data: JsonValue
    planned: Mapping[str, str]

    def misfit(self, detail: Mapping[str, Any]) -> Misfit:
        at, value = _located(self.data, detail["loc"])
        kind, last = str(detail["type"]), str((detail["loc"] or ("",))[-1])
        if kind == "missing":
            wanted = self.expected((*at, last))
            must = f"; it must be {wanted}" if wanted else ""
            return Misfit(at, f"{shown(last)} is missing{must}", kind, last)
        if kind == "extra_forbidden":
            return self.unknown(at)
        if last == "[key]":
            wanted = _words({"type": "string", "pattern": self.key_pattern(at[:-1])})
            return Misfit(at, f"the key {shown(at[-1])} must be {wanted}", kind)
        if kind in {"value_error", "assertion_error"}:
            return Misfit(at, _said(at, str(detail["ctx"]["error"])), kind)
        wanted = self.expected(at)
        if wanted in {"", shown(value)}:
            return Misfit(at, _said(at, str(detail["msg"]).replace("Input should", "must")), kind)
        return Misfit(at, f"{_label(at)} must be {wanted}, not {shown(value)}", "shape")

    def unknown(self, at: KeyPath) -> Misfit:
        key, known = str(at[-1]), sorted(self.keys(at[:-1]))
        if key in self.planned:
            more = f": {self.planned[key]}" if self.planned[key] else ""
            return Misfit(at, f"{shown(key)} is planned but not built yet{more}", "planned")
        close = nearest(key, known)
        mend = f"; did you mean {shown(close)}?" if close else ""
        if known and not close:
            mend = f"; there is {', '.join(known)}"
        return Misfit(at, f"unknown key {shown(key)}{mend}", "unknown", close or "")

    def schemas(self, at: KeyPath) -> list[Schema]:
        found = list(_flat(self.schema, self.schema))
        for part in at:
            inner = [one for schema in found for one in _inner(schema, part)]
            found = [one for schema in inner for one in _flat(self.schema, schema)]
        return found

    def keys(self, at: KeyPath) -> set[str]:
        return {key for schema in self.schemas(at) for key in schema.get("properties", ())}

    def key_pattern(self, at: KeyPath) -> str:
        return next(
            (one for some in self.schemas(at) for one in some.get("patternProperties", ())), ""
        )

    def expected(self, at: KeyPath) -> str:
        words = dict.fromkeys(_words(schema) for schema in self.schemas(at))
        return " or ".join(word for word in words if word)


def misfits(
    data: JsonValue, model: type[BaseModel], error: ValidationError, planned: Mapping[str, str]
) -> list[Misfit]:
    """Say why plain data is not a model.

    Args:
        data: What was validated.
        model: What it was to be.
        error: What pydantic found.
        planned: Keys that are to come, and what they will do.

    Returns:
        At least one reason; for a choice between shapes, one and not one a shape.
    """
    try:
        schema = model.model_json_schema()
    except PydanticInvalidForJsonSchema:
        schema = {}
    fit = _Fit(schema, data, planned)
    found = list(dict.fromkeys(fit.misfit(dict(one)) for one in error.errors(include_url=False)))
    return [one for one in found if not _explained(one, found)]


def _explained(one: Misfit, found: Iterable[Misfit]) -> bool:
    """Tell whether another reason says it better: a fault inside, a key misspelt."""
    if one.kind == "missing":
        return any(
            other.kind == "unknown" and (other.at[:-1], other.key) == (one.at, one.key)
            for other in found
        )
    return one.kind == "shape" and any(
        len(other.at) + (other.kind == "missing") > len(one.at) == len(other.at[: len(one.at)])
        and other.at[: len(one.at)] == one.at
        for other in found
    )


def _located(data: JsonValue, loc: Iterable[str | int]) -> tuple[KeyPath, JsonValue]:
    """Follow pydantic's path as far as it is in the data; it also names union members."""
    at: KeyPath = ()
    for part in loc:
        if (isinstance(data, dict) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        ):
            at, data = (*at, part), data[part]  # type: ignore[index]
    return at, data


def _flat(root: Schema, schema: Schema) -> Iterator[Schema]:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        yield from _flat(root, root["$defs"][name])
        return
    choices = [one for word in ("anyOf", "oneOf", "allOf") for one in schema.get(word, ())]
    if not choices:
        yield schema
    for one in choices:
        yield from _flat(root, one)


def _inner(schema: Schema, part: str | int) -> Iterator[Schema]:
    if isinstance(part, int):
        fixed = schema.get("prefixItems", ())
        inner = [fixed[part] if part < len(fixed) else schema.get("items")]
    elif part in schema.get("properties", {}):
        inner = [schema["properties"][part]]
    else:
        inner = [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]
    yield from (one for one in inner if isinstance(one, Mapping))


_SIZED = {
    "string": ("text", "Length", "character"),
    "array": ("a list", "Items", "item"),
    "object": ("a mapping", "Properties", "key"),
}


def _words(schema: Schema) -> str:
    """Put one shape into words; empty when it says nothing."""
    kind = schema.get("type")
    if "const" in schema or "enum" in schema:
        options = schema.get("enum", [schema.get("const")])
        one_of = "one of " if len(options) > 1 else ""
        return one_of + ", ".join(shown(option) for option in options)
    if kind in {"number", "integer"}:
        return ("a number" if kind == "number" else "a whole number") + _range(schema)
    if kind == "string" and schema.get("pattern") == NAME_PATTERN:
        return f"a name ({NAME_RULE})"
    if kind in _SIZED:
        what, of, noun = _SIZED[str(kind)]
        like = f" that matches {schema['pattern']}" if "pattern" in schema else ""
        return what + _size(schema, of, noun) + like
    return {"boolean": "true or false", "null": "nothing"}.get(str(kind), "")


def _range(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f" from {least:g} to {most:g}"
    bounds = (
        ("of at least", least),
        ("above", schema.get("exclusiveMinimum")),
        ("of at most", most),
        ("below", schema.get("exclusiveMaximum")),
    )
    said = [f"{words} {bound:g}" for words, bound in bounds if bound is not None]
    return f" {' and '.join(said)}" if said else ""


def _size(schema: Schema, of: str, noun: str) -> str:
    least, most = schema.get(f"min{of}") or 0, schema.get(f"max{of}")
    if most is None:
        return f" of at least {counted(least, noun)}" if least else ""
    return (
        f" of {least} to {counted(most, noun)}" if least else f" of at most {counted(most, noun)}"
    )


def _said(at: KeyPath, message: str) -> str:
    message = message[:1].lower() + message[1:]
    if not at:
        return message
    return f"{_label(at)}{'' if message.startswith(('must ', 'has ')) else ':'} {message}"


def _label(at: KeyPath) -> str:
    """Name a key, or an item of one: `role`, `item 2 of goals`."""
    if not at:
        return "the file"
    *around, last = at
    if isinstance(last, int):
        return f"item {last + 1} of {_label(tuple(around))}"
    return last if last.isidentifier() else shown(last)
