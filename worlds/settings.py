"""A world's own settings, from the scenario to the world's own model."""

from __future__ import annotations

from typing import TypeVar

from pydantic import JsonValue, ValidationError

from utils.errors import BadInput
from utils.misfit import KeyPath, misfits
from utils.protocol import Frozen
from utils.spec import Spec

M = TypeVar("M", bound=Frozen)


class NoSettings(Frozen):
    """The settings of a world that has none."""


class BadSetting(BadInput):
    """A world cannot be as its settings say. `at` is the path of the key among them."""

    def __init__(self, what: str, *, at: KeyPath = (), mend: str = "") -> None:
        super().__init__(what, where=".".join(("world", *map(str, at))), mend=mend)
        self.at = at


def read(spec: Spec, model: type[M]) -> M:
    """Read the settings of the spec's world.

    Args:
        model: The world's own settings, frozen, every one with a default.

    Raises:
        BadSetting: A setting is not one, or has a value it cannot have.
    """
    given: dict[str, JsonValue] = dict(spec.world.settings)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = misfits(given, model, error, {})[0]
        raise BadSetting(first.reason, at=first.at) from error
