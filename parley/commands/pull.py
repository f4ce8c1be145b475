"""`parley pull`: have the model server fetch what a scenario asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from parley import opening

if TYPE_CHECKING:
    from utils.spec import Spec

STEP_PERCENT = 5
"""How often a long fetch says how far it is: a log is no terminal."""
LOOK_S = 1.0


@click.command(short_help="Have the model server fetch the models that are needed.")
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--scenario", default="salon", show_default=True, help="Whose models, without MODEL.")
@click.option(
    "--wait-s",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="How long to wait for the server itself, seconds.",
)
def command(models: tuple[str, ...], scenario: str, wait_s: int) -> None:
    """Have the model server fetch the models that are needed.

    The server at OLLAMA_HOST fetches each MODEL; without one, what PARLEY_MODEL names, or
    else what the scenario asks. What it has already, it keeps.

    \b
    Examples:
      parley pull
      parley pull llama3.2:3b
      parley pull --scenario debate
    """
    from bots.minds.ollama_server import pull_model
    from parley.library import find_scenario
    from parley.resolve import resolve_file
    from utils.errors import BadInput

    here = opening.settings()
    if not models:
        models = (here.model,) if here.model else asked(resolve_file(find_scenario(scenario)))
    if not all(model.strip() for model in models):
        raise BadInput("a model's name is empty", where="MODEL", mend="try: parley pull --help")
    for server in here.model_servers:
        wait_for_server(server, within_s=wait_s)
        for model in models:
            click.echo(f"{model}: asking {server} for it")
            pull_model(server, model, tell=progress(model))
            click.echo(f"{model}: is there")


def asked(spec: Spec) -> tuple[str, ...]:
    """List the models that a scenario's bots ask of a model server, each once."""
    used = {bot.model for bot in spec.bots}
    chosen = [model for name, model in spec.models.items() if name in used]
    return tuple(dict.fromkeys(one.model for one in chosen if one.mind == "ollama"))


def wait_for_server(host: str, *, within_s: int) -> None:
    """Wait until a model server answers. Raises `Missing` when it does not."""
    from bots.minds.ollama_server import list_models
    from utils.clock import wait_until
    from utils.errors import Missing

    def answers() -> bool:
        try:
            list_models(host)
        except Missing:
            return False
        return True

    wait_until(answers, within_ms=within_s * 1000, every_ms=round(LOOK_S * 1000))
    list_models(host)


def progress(model: str) -> Callable[[str, int, int], None]:
    """Make what prints a line for each new step of a fetch, and each twentieth of it."""
    last: tuple[str, int] = ("", -1)

    def tell(status: str, there: int, total: int) -> None:
        nonlocal last
        part = there * 100 // total // STEP_PERCENT if total else 0
        if (status, part) != last:
            last = (status, part)
            size = f" {part * STEP_PERCENT:>3}% of {total / 1e6:,.0f} MB" if total else ""
            click.echo(f"{model}: {status}{size}")

    return tell
