"""The root command. Its subcommands are strings until one is called.

`parley --help` imports click and nothing else of weight: no pandas, no redis, no rich.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from parley import __version__
from utils.errors import ParleyError

COMMANDS: dict[str, str] = {
    "demo": "Three personas talk, on this machine, with nothing to install.",
    "run": "Run a scenario from start to end here, and export its dataset.",
    "seed": "Start a run on a swarm that is up.",
    "orchestrator": "Lead runs: grant turns, keep the journal.",
    "bots": "Serve bots: take seats, answer grants.",
    "record": "Record runs to disk; keep the server small.",
    "offline-model": "Serve Ollama's API with no model behind it.",
    "ready": "Wait until a swarm can start a run; say what to type.",
    "pull": "Have the model server fetch the models that are needed.",
    "secrets": "Make passwords and the users' file for a Redis server.",
    "runs": "List runs.",
    "status": "Show how far a run is, and who holds the floor.",
    "watch": "Follow a conversation live.",
    "tell": "Tell a run to pause, step, hear something, go without a bot.",
    "export": "Write a run's dataset folder.",
    "verify": "Check that a dataset holds what it says.",
    "rerun": "Ask recorded requests again, live; see how far answers drift.",
    "fork": "Go on from a commit of a run, changed and unchanged.",
    "compare": "Measure where runs part, and whether that is an effect.",
    "measure": "Compute metrics of datasets.",
    "report": "Write one HTML page about a dataset, with figures.",
    "doctor": "Tell what is reachable, what is missing, and how to mend it.",
    "personas": "List, show and check personas.",
    "scenarios": "List, show and check scenarios.",
}
"""Every command and its short help; a test holds the help to the command's own."""

INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import `parley.commands.<name>` and return its `command`."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"parley.commands.{name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; name the nearest one when there is none."""
        from utils.names import nearest, shown  # pydantic takes 0.1 s to import

        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            close = nearest(args[0], COMMANDS)
            mend = f"did you mean {shown(close)}?" if close else "try: parley --help"
            raise click.UsageError(f"there is no command {shown(args[0])}; {mend}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="parley")
def root() -> None:
    """Parley: a laboratory for conversations between language models.

    A conversation is a dataset that a stranger can verify, replay and fork.

    \b
    Examples:
      parley demo                          three personas talk, nothing to install
      parley run salon --model llama3.2:1b one whole run, with a real Ollama
      parley watch                         the conversation, live
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run a command. Every failure is one line on stderr and the right exit code."""
    try:
        # Outside standalone mode click returns what `Exit` carries instead of leaving.
        code = root.main(args=args, prog_name="parley", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(0)
    except click.UsageError as error:
        _fail(_misused(error), 2)
    except click.ClickException as error:
        _fail(error.format_message(), 2)
    except ParleyError as error:
        _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone, as `parley runs | head -1` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _misused(error: click.UsageError) -> str:
    """Say which command was given what it does not take, and where it says what it does."""
    command = error.ctx.command_path.partition(" ")[2] if error.ctx else ""
    line = error.format_message()
    if not command:
        return line
    is_mended = not line.endswith(".")  # click's own "Did you mean ...?" says it better
    return (
        f"{command}: {line}"
        if is_mended
        else f"{command}: {line[:-1]}; try: parley {command} --help"
    )


def _fail(line: str, code: int) -> None:
    click.echo(f"parley: {' '.join(line.split())}", err=True)
    sys.exit(code)
