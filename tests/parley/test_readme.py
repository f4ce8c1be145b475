"""What the README says is so: every command in it exists, and what can be run again is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from parley.cli import COMMANDS, root
from utils.settings import VARIABLES, Settings

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
PARLEY_LINES = [
    line[2:]
    for block in BLOCKS
    for line in block.splitlines()
    if re.match(r"\$ (\w+=\S+ )*parley ", line)
]


def arguments_of(line: str) -> list[str]:
    words = shlex.split(line)
    return words[words.index("parley") + 1 :] if "parley" in words else []


def parsed(arguments: list[str]) -> click.Context:
    """Parse a command line as click does, and call nothing."""
    name, command, rest = root.resolve_command(click.Context(root), arguments)
    assert command is not None
    return command.make_context(name, list(rest), resilient_parsing=False)


def test_the_readme_names_every_command() -> None:
    assert [name for name in COMMANDS if f"`parley {name}" not in README] == []


@pytest.mark.parametrize("line", [line for line in PARLEY_LINES if arguments_of(line)])
def test_every_command_in_the_readme_is_one_that_can_be_typed(line: str) -> None:
    parsed(arguments_of(line))


def test_a_command_that_cannot_be_typed_would_be_found() -> None:
    with pytest.raises(click.UsageError):
        parsed(["run", "salon", "--turn", "3"])


def test_the_readme_names_every_setting() -> None:
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
    assert named == set(VARIABLES.values())
    assert set(VARIABLES) == set(Settings.model_fields)


def test_the_readmes_scenario_is_the_one_that_comes_with_parley() -> None:
    salon = (Path(__file__).parents[2] / "scenarios" / "salon.yaml").read_text("utf-8")
    assert salon in README


def test_what_the_readme_shows_of_scenarios_is_what_parley_prints() -> None:
    printed = CliRunner().invoke(root, ["scenarios"]).output
    assert f"$ parley scenarios\n{printed}" in README


def test_every_file_the_readme_points_to_is_there() -> None:
    home = Path(__file__).parents[2]
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (home / link).exists()] == []
