"""`parley doctor`: what is there, what is missing, and the line that mends it."""

from __future__ import annotations

import json

import click

from parley import opening


@click.command(short_help="Tell what is reachable, what is missing, and how to mend it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(as_json: bool) -> None:
    """Tell what is reachable, what is missing, and how to mend it.

    Looks at the Redis-protocol server, the model server, the library of personas and
    scenarios, and the plugins. Exits with 3 if something a run needs is missing.

    \b
    Examples:
      parley doctor
      OLLAMA_HOST=http://192.168.1.9:11434 parley doctor
    """
    from parley.examination import examine
    from utils.errors import Missing
    from utils.names import counted

    findings = examine(opening.settings())
    for finding in findings:
        if as_json:
            click.echo(json.dumps(finding.as_dict()))
            continue
        mark = "ok     " if finding.ok else "MISSING" if finding.needed else "absent "
        click.echo(f"{mark} {finding.what}: {finding.detail}")
        if finding.mend:
            click.echo(f"        {finding.mend}")
    missing = [finding for finding in findings if finding.needed and not finding.ok]
    if missing:
        raise Missing(f"{counted(len(missing), 'thing')} a run needs: {missing[0].what}")
