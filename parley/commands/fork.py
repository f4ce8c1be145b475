"""`parley fork`: go on from a commit of a run, changed and unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command(short_help="Go on from a commit of a run, changed and unchanged.")
@click.argument("parent", metavar="DIR-or-RUN")
@click.option(
    "--at",
    required=True,
    metavar="PLACE",
    help="A commit (40), or a turn that closed: turn:12, turn:CHANNEL:12.",
)
@click.option("--change", "changes", multiple=True, metavar="KEY=VALUE", help="What is changed.")
@click.option(
    "--replicates",
    type=click.IntRange(1, 1_000),
    default=1,
    show_default=True,
    metavar="N",
    help="Forks of each arm. Several draw by seeds of their own, the same in both arms.",
)
@click.option("--reseed", is_flag=True, help="Draw by a seed of its own in a single one too.")
@click.option("--no-control", is_flag=True, help="Make no unchanged forks beside the changed.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder for all datasets.  [default: datasets/RUN-at-SEQ]",
)
@click.option("--offline", is_flag=True, help="Answer with the offline model: no language model.")
@click.option("--mind", metavar="KIND", help="What answers, for every bot, in all forks.")
@click.option("--model", metavar="M", help="The model that is asked, for every bot, in all forks.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a fork.")
def command(
    parent: str, at: str, changes: tuple[str, ...], out: Path | None, as_json: bool, **given: Any
) -> None:
    """Go on from a commit of a run, changed and unchanged.

    DIR-or-RUN is a dataset's folder or a run on the server. A fork has its parent's
    commits up to PLACE, byte for byte, and goes on live from there. Beside every changed
    fork an unchanged one is made, the control: what two of these differ by is no effect.

    \b
    What can be changed, several at once:
      heard.text=TEXT     other words in place of what was heard last (heard.CHANNEL.text)
      heard=delete        nobody heard what was heard last (heard.CHANNEL)
      inject=TEXT         an announcement to all (inject.CHANNEL)
      bot.ada.persona=skeptic         bot.ada.persona.style="in questions"
      bot.ada.model=small             bot.ada.prompt=plain    bot.ada.memory.amount=5
      model.default.model=llama3.2:3b model.default.options.temperature=0.2
      channel.main.policy=random      channel.main.hears=neighbours
      seed=11                         end.turns=60

    \b
    Examples:
      parley fork datasets/tea --at turn:12 --change bot.ada.persona=skeptic
      parley fork datasets/tea --at turn:12 --change heard.text="I sold it." --replicates 5
      parley fork salon-3f2a --at 40 --offline --change channel.main.policy=random

    \b
    Exit codes: 0 done, 1 a fork went wrong, 2 bad input, 3 something is missing.
    """
    from parley.forks.arms import Asked, fork_all, offline_answers
    from parley.whole_run import Wishes

    answers = offline_answers() if given["offline"] else {}
    answers |= {field: given[field] for field in ("mind", "model") if given[field] is not None}
    asked = Asked(
        parent=parent,
        at=at,
        changes=changes,
        answers=answers,
        replicates=given["replicates"],
        with_control=not given["no_control"],
        reseed=given["reseed"],
    )
    fork_all(asked, Wishes(out=out, offline=given["offline"], as_json=as_json))
