"""Options that several commands share, each group handed over as one value."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]

_OVERRIDES = (
    click.option("--turns", type=click.IntRange(1, 10**9), metavar="N", help="End after N turns."),
    click.option("--seed", type=int, metavar="S", help="The run seed."),
    click.option("--mind", metavar="KIND", help="What answers: ollama, scripted, rule."),
    click.option("--model", metavar="M", help="The model that is asked, for every bot."),
)
_OUTPUT = (
    click.option(
        "--out",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The dataset folder.  [default: datasets/RUN]",
    ),
    click.option("--plain", is_flag=True, help="Plain lines, no colours."),
    click.option("--json", "as_json", is_flag=True, help="One JSON line at the end."),
)


def overrides(command: Command) -> Command:
    """Add the options that change a scenario; they come as the argument `changes`."""
    return _packed(command, "changes", _OVERRIDES, ("turns", "seed", "mind", "model"))


def output(command: Command) -> Command:
    """Add the options that say where a dataset goes; they come as the argument `shown`."""
    return _packed(command, "shown", _OUTPUT, ("out", "plain", "as_json"))


def _packed(
    command: Command, name: str, options: tuple[Command, ...], members: tuple[str, ...]
) -> Command:
    @wraps(command)
    def packing(**given: Any) -> Any:
        packed = {member: given.pop(member) for member in members}
        return command(**given, **{name: packed})

    for option in reversed(options):
        packing = option(packing)
    return packing
