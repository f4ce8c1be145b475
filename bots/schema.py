"""Whether an answer fits the JSON schema that was asked for. Pure."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from pydantic import JsonValue
from referencing import Registry
from referencing.exceptions import Unresolvable

SHOWN_CHARACTERS = 300

NOWHERE: Registry[Any] = Registry()
"""References lead nowhere outside the schema: nothing is fetched."""


def misfit(value: JsonValue, schema: JsonValue) -> str | None:
    """Say what is wrong with a value, in one line; none if it fits.

    Args:
        value: Any JSON value.
        schema: A JSON schema, draft 2020-12. One that is none fits everything: the world
            that wrote it judges by itself.

    Example:
        >>> misfit({"go": "up"}, {"properties": {"go": {"enum": ["north", "south"]}}})
        "at $.go: 'up' is not one of ['north', 'south']"
        >>> misfit("F", {"enum": ["F", "J"]}) is None
        True
    """
    if not isinstance(schema, dict | bool):
        return None
    try:
        Draft202012Validator.check_schema(schema)
        found = best_match(Draft202012Validator(schema, registry=NOWHERE).iter_errors(value))
    except (SchemaError, Unresolvable, RecursionError):
        return None
    if found is None:
        return None
    said = " ".join(found.message.split())
    said = said if len(said) <= SHOWN_CHARACTERS else f"{said[:SHOWN_CHARACTERS]}..."
    return f"at {found.json_path}: {said}"
