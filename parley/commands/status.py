"""`parley status`: how one run stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from utils.streams import Streams

HELP = """Tell how a run stands; without RUN, the one started last.

Whether it runs or is paused, turns and pace, the world's time and what it measured last,
who holds the floor and for how long yet, which host serves which bot, which bots no host
serves and whose turns go by because of that, who is muted, whether an orchestrator leads
the run, the last word, and what went wrong. Nothing is written to the server.

\b
Examples:
  parley status
  parley status salon-3f2a
  parley status salon-3f2a --json
"""


@click.command(help=HELP, short_help="Show how far a run is, and who holds the floor.")
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(run: str | None, as_json: bool) -> None:
    """Tell how a run stands."""
    from parley.opening import records, settings

    with records(settings(), name="status") as connection:
        for line in tell_status(connection, run, as_json=as_json):
            click.echo(line)


def tell_status(streams: Streams, run: str | None, *, as_json: bool) -> list[str]:
    """Write how a run stands as lines: for a person, or one JSON object.

    Raises:
        BadInput: There is no such run, or no run at all.
    """
    import json

    from analytics.observer.runs import registered
    from analytics.observer.status import record, report, standing
    from utils.errors import BadInput

    if run is None:
        entries = registered(streams)
        if not entries:
            raise BadInput("there are no runs yet", mend="start one with: parley demo")
        run = entries[0].run
    at = standing(streams, run)
    return [json.dumps(record(at)).replace("\x7f", "\\u007f")] if as_json else report(at)
