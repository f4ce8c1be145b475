"""The door by which policies, worlds, minds, rules and memories come in.

A plugin is an entry point of an installed distribution, in a group such as
`parley.minds`. Those that come with Parley use the same door.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from utils.errors import BadInput
from utils.names import look_up


def find(group: str, name: str, *, where: str = "") -> Any:
    """Load a plugin.

    Args:
        group: The entry point group, such as "parley.minds".
        name: What the scenario calls it.
        where: File and line, or the option, for the error.

    Returns:
        What the plugin's author put there: a factory, a function.

    Raises:
        BadInput: No plugin has this name; two have it; or it cannot be imported.

    Example:
        >>> find("parley.riddles", "sphinx")
        Traceback (most recent call last):
        ...
        utils.errors.BadInput: unknown riddle 'sphinx'; there is no riddle
    """
    what = _noun(group)
    found = look_up(name, _points(group), what, where)
    if len({point.value for point in found}) > 1:
        owners = sorted(f"{point.value} from {_owner(point)}" for point in found)
        raise BadInput(
            f"two plugins are the {what} '{name}': {' and '.join(owners)}",
            where=where,
            mend="uninstall one of them",
        )
    try:
        return found[0].load()
    except Exception as error:  # a stranger's module may raise anything
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise BadInput(
            f"the {what} '{name}' ({found[0].value} from {_owner(found[0])}) cannot be loaded: "
            f"{why}",
            where=where,
        ) from error


def names(group: str) -> list[str]:
    """List the names in a group, in order, without importing anything."""
    return sorted(_points(group))


def _points(group: str) -> dict[str, list[EntryPoint]]:
    return _points_on(group, tuple(sys.path))


@cache  # it reads the files of every distribution on the path: 4 ms, several times a run
def _points_on(group: str, path: tuple[str, ...]) -> dict[str, list[EntryPoint]]:
    points: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=group):
        points.setdefault(point.name, []).append(point)
    return points


def _noun(group: str) -> str:
    """Name one member of a group.

    Example:
        >>> _noun("parley.minds"), _noun("parley.policies")
        ('mind', 'policy')
    """
    word = group.rpartition(".")[2]
    return f"{word.removesuffix('ies')}y" if word.endswith("ies") else word.removesuffix("s")


def _owner(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "an unnamed distribution"
