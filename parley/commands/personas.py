"""`parley personas`: list, show and check persona files."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.group(short_help="List, show and check personas.", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List, show and check personas.

    Personas are files in ./personas, and those that come with Parley.

    \b
    Examples:
      parley personas
      parley personas show ada
      parley personas check personas/ada.yaml personas/bo.yaml
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_personas, as_json=as_json)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_personas(as_json: bool) -> None:
    """List the personas there are."""
    from parley.library import Library

    for name, persona in Library.open().personas.items():
        if as_json:
            click.echo(persona.model_dump_json())
        else:
            role = persona.role or "(nobody in particular)"
            click.echo(f"{name:<10} {persona.display:<10} {role}")


@command.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(name: str, as_json: bool) -> None:
    """Show one persona whole."""
    import yaml

    from parley.library import Library
    from utils.names import look_up

    persona = look_up(name, Library.open().personas, "persona")
    data = persona.model_dump(mode="json")
    click.echo(
        json.dumps(data)
        if as_json
        else yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=88).rstrip()
    )


@command.command("check")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check persona and prompt files; print line and reason of all that is wrong.

    Without FILES, checks every persona and prompt that can be found.
    """
    from bots.persona import check_file
    from parley.library import folders
    from utils.errors import ParleyError
    from utils.names import counted

    if not files:
        found = [*folders("personas", None), *folders("prompts", None)]
        files = tuple(path for folder in found for path in sorted(folder.glob("*.yaml")))
    problems = [problem for path in files for problem in check_file(path)]
    for problem in problems:
        click.echo(f"{problem.where}: {problem.reason}")
    if problems:
        raise ParleyError(f"{counted(len(problems), 'problem')} in {counted(len(files), 'file')}")
    click.echo(f"{counted(len(files), 'file')} checked, nothing wrong")
