"""`parley demo`: the first thing a newcomer types."""

from __future__ import annotations

from typing import Any

import click

from parley.options import output


@click.command(short_help="Three personas talk, on this machine, with nothing to install.")
@click.option("--turns", type=click.IntRange(1, 10_000), default=24, show_default=True)
@click.option("--seed", type=int, metavar="S", help="The run seed.")
@click.option("--model", metavar="M", help="Ask this model at OLLAMA_HOST instead.")
@output
def command(turns: int, seed: int | None, model: str | None, shown: dict[str, Any]) -> None:
    """Three personas talk, on this machine, with nothing to install.

    An embedded Redis-protocol server, an orchestrator, three hosts and the offline
    model, which is no language model. With --model, a real Ollama answers instead.
    Ends by printing the dataset folder.

    \b
    Examples:
      parley demo
      parley demo --seed 11 --turns 12
      OLLAMA_HOST=http://127.0.0.1:11434 parley demo --model llama3.2:1b
    """
    from parley.library import find_scenario
    from parley.resolve import Overrides, resolve_file
    from parley.whole_run import DEMO_TOKENS_PER_S, Wishes, whole_run

    offline = model is None
    changes = Overrides(turns=turns, seed=seed, model=model, offline=offline)
    spec = resolve_file(find_scenario("salon"), changes)
    pace = None if shown["as_json"] else DEMO_TOKENS_PER_S
    whole_run(spec, Wishes(**shown, offline=offline, tokens_per_s=pace))
