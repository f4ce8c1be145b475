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


_MANY = (
    click.option(
        "--docker",
        type=click.IntRange(1, 1_000),
        metavar="N",
        help="Start N containers beside the stack that is up here.",
    ),
    click.option(
        "--processes", type=click.IntRange(1, 1_000), metavar="N", help="Start N processes here."
    ),
    click.option("--stack", metavar="NAME", help="With --docker: the compose project to join."),
    click.option(
        "--memory",
        metavar="SIZE",
        default="256m",
        show_default=True,
        help="With --docker: most memory of each.",
    ),
    click.option(
        "--cpus",
        type=click.FloatRange(0.01),
        default=1.0,
        show_default=True,
        help="With --docker: most processors of each.",
    ),
    click.option(
        "--pids",
        type=click.IntRange(8),
        default=128,
        show_default=True,
        help="With --docker: most processes and threads of each.",
    ),
)


def overrides(command: Command) -> Command:
    """Add the options that change a scenario; they come as the argument `changes`."""
    return _packed(command, "changes", _OVERRIDES, ("turns", "seed", "mind", "model"))


def output(command: Command) -> Command:
    """Add the options that say where a dataset goes; they come as the argument `shown`."""
    return _packed(command, "shown", _OUTPUT, ("out", "plain", "as_json"))


def pulse_file(command: Command) -> Command:
    """Add the option that names the file of the process's pulse; it comes as `pulse`."""
    return click.option(
        "--pulse",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Touch this file while the server answers, for a health check.",
    )(command)


def many(command: Command) -> Command:
    """Add the options for many hosts at once; they come as the argument `many`."""
    names = ("docker", "processes", "stack", "memory", "cpus", "pids")
    return _packed(command, "many", _MANY, names)


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
