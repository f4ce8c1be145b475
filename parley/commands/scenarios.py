"""`parley scenarios`: list, show and check scenario files."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.group(short_help="List, show and check scenarios.", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List, show and check scenarios.

    Scenarios are files in ./scenarios, and those that come with Parley.

    \b
    Examples:
      parley scenarios
      parley scenarios show debate
      parley scenarios check my.yaml
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_scenarios, as_json=as_json)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_scenarios(as_json: bool) -> None:
    """List the scenarios there are."""
    from parley.library import scenarios
    from utils.scenario import load

    for name, path in scenarios().items():
        about = load(path)[0].about
        line = {"scenario": name, "about": about, "file": str(path)}
        click.echo(json.dumps(line) if as_json else f"{name:<14} {about}")


@command.command("show")
@click.argument("scenario")
@click.option("--json", "as_json", is_flag=True, help="The resolved spec as one JSON object.")
def show(scenario: str, as_json: bool) -> None:
    """Show a scenario resolved, with the origin of each value."""
    from parley.library import find_scenario
    from parley.origins import with_origins
    from parley.resolve import resolve_file

    path = find_scenario(scenario)
    spec = resolve_file(path)
    click.echo(spec.model_dump_json() if as_json else with_origins(spec, path))


@command.command("check")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check scenario files; print line and reason of what is wrong.

    Without FILES, checks every scenario that can be found by name.
    """
    from parley.library import scenarios
    from parley.resolve import resolve_file
    from utils.errors import BadInput, ParleyError
    from utils.names import counted

    wrong = 0
    paths = files or tuple(scenarios().values())
    for path in paths:
        try:
            resolve_file(path)
        except BadInput as error:
            wrong += 1
            click.echo(str(error))
    if wrong:
        raise ParleyError(f"{wrong} of {counted(len(paths), 'scenario')} cannot be run")
    click.echo(f"{counted(len(paths), 'scenario')} checked, nothing wrong")
