"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Decorated = Callable[..., Any]


def overrides(command: Decorated) -> Decorated:
    """Add the options that change a scenario from the command line."""
    for option in reversed(
        (
            click.option(
                "--turns", type=click.IntRange(1, 10**9), metavar="N", help="End after N turns."
            ),
            click.option("--seed", type=int, metavar="S", help="The run seed."),
            click.option("--mind", metavar="KIND", help="What answers: ollama, scripted, rule."),
            click.option("--model", metavar="M", help="The model that is asked, for every bot."),
        )
    ):
        command = option(command)
    return command


def output(command: Decorated) -> Decorated:
    """Add the options that say where a dataset goes and how a run is shown."""
    for option in reversed(
        (
            click.option(
                "--out",
                type=click.Path(path_type=str),
                metavar="DIR",
                help="The dataset folder.  [default: datasets/RUN]",
            ),
            click.option("--plain", is_flag=True, help="Plain lines, no colours."),
            click.option("--json", "as_json", is_flag=True, help="One JSON line at the end."),
        )
    ):
        command = option(command)
    return command
