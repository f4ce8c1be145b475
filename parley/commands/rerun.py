"""`parley rerun`: recorded requests, asked again live."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from parley import opening
from parley.progress import drawn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bots.rerun import Pair
    from parley.rerunning import Minds, Rerun, Share, Table
    from utils.dataset import Dataset

HOW = (
    "similarity: difflib's ratio over words, 0 to 1, a mean over the answers that are not identical"
)


@click.command(short_help="Ask recorded requests again, live; see how far answers drift.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--bot", metavar="NAME", help="This bot's requests only.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The first N only.")
@click.option("--model", metavar="NAME", help="Ask this model instead of the one of then.")
@click.option("--host", metavar="URL", help="Ask this server; else OLLAMA_HOST.")
@click.option(
    "--allow-s",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    help="How long an answer may take, seconds.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="A CSV file of every pair."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each bot and model.")
def command(
    folder: Path,
    bot: str | None,
    limit: int | None,
    model: str | None,
    host: str | None,
    allow_s: float,
    out: Path | None,
    as_json: bool,
) -> None:
    """Ask a dataset's recorded requests again, live: grade C.

    Each request that was answered goes out once more as it is in the record: the same
    messages, options, seed and format, to the same model. Said is the share of answers
    that are identical, and how alike the others are, by bot and model. Of a warm server
    not even a fixed seed makes all of them identical: that is what is measured here.

    Nothing is changed in the dataset. Interrupted, it tells what was done so far. Exit
    code 3 says that the server or the model is not there.

    \b
    Examples:
      parley rerun datasets/tea
      parley rerun datasets/tea --limit 50 --out again.csv
      parley rerun datasets/tea --bot ada --model llama3.2:3b
      parley rerun datasets/tea --host http://gpu:11434 --json
    """
    from parley.rerunning import Rerun
    from utils.dataset import Dataset

    allow_ms = round(allow_s * 1000)
    wishes = Wishes(bot, limit, model, host, allow_ms=allow_ms, out=out, as_json=as_json)
    ask_again(Dataset.open(folder), Rerun(), wishes)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked again, of whom, and how it is told."""

    bot: str | None = None
    limit: int | None = None
    model: str | None = None
    host: str | None = None
    allow_ms: int = 120_000
    out: Path | None = None
    as_json: bool = False


def ask_again(dataset: Dataset, rerun: Rerun, wishes: Wishes) -> None:
    """Ask, count what comes of it in, and tell it; what was done so far if interrupted.

    Raises:
        BadInput: The dataset has no texts, there is no such bot, or no such file can be.
        Missing: A server or a model is not there.
    """
    from bots.around import Around
    from bots.rerun import asked_again
    from parley.rerunning import Minds, table_at
    from utils.errors import BadInput
    from utils.names import look_up

    if not dataset.has_texts:
        raise BadInput(
            "nothing can be asked again: its texts were withheld",
            where=str(dataset.folder),
            mend="ask whoever has the whole dataset",
        )
    spec = dataset.spec()
    if wishes.bot is not None:
        look_up(wishes.bot, {one.name: one for one in spec.bots}, "bot", "--bot")
    around = Around.of(opening.settings())
    minds = Minds(spec, around, model=wishes.model, host=wishes.host)
    with table_at(wishes.out, dataset=dataset.folder) as table, closing(minds):
        pairs = asked_again(dataset.calls(), minds.find, bot=wishes.bot, allow_ms=wishes.allow_ms)
        try:
            of = dataset.manifest.calls
            _go_through(islice(pairs, wishes.limit), rerun, minds, table, of=of)
        except KeyboardInterrupt:
            _say(dataset.folder, rerun, as_json=wishes.as_json)
            click.echo("interrupted: the rest was not asked", err=True)
            raise SystemExit(130) from None
    _say(dataset.folder, rerun, as_json=wishes.as_json)


def _go_through(
    pairs: Iterable[Pair], rerun: Rerun, minds: Minds, table: Table | None, *, of: int
) -> None:
    with drawn("asking again", beyond=0) as progress:
        for pair in pairs:
            model_now = minds.name_of(pair.then)
            if table is not None:
                table.add(pair, model_now)
            rerun.add(pair, model_now)
            if progress is not None:
                progress(pair.line, of)


def _say(folder: Path, rerun: Rerun, *, as_json: bool) -> None:
    if as_json:
        for (bot, then, now), share in rerun.groups.items():
            place = {"dataset": str(folder), "bot": bot, "model": then, "model_now": now}
            click.echo(json.dumps(place | _numbers(share)))
        return
    if not rerun.everything.asked:
        click.echo(f"{folder}: no request of it asked a server and was answered")
        return
    click.echo(f"{folder}: {_in_words(rerun.everything)}")
    for (bot, then, now), share in rerun.groups.items():
        asked = then if then == now else f"{then}, now {now}"
        click.echo(f"  {bot}, {asked}: {_in_words(share)}")
    if rerun.everything.similarity_of_others is not None:
        click.echo(f"  {HOW}")
    for model, was, is_now in sorted(rerun.digests):
        click.echo(f"  note: {model} is another model now: digest {is_now[:12]}, then {was[:12]}")
    for model in sorted({now for (_, _, now), one in rerun.groups.items() if one.is_no_model}):
        click.echo(f"  note: {model} is no language model, and says so: this says nothing of one")


def _numbers(share: Share) -> dict[str, int | float | bool | None]:
    return {
        "asked": share.asked,
        "failed": share.failed,
        "identical": share.identical,
        "share_identical": share.share_identical,
        "similarity_of_others": share.similarity_of_others,
        "same_requests": share.same_requests,
        "is_language_model": False if share.is_no_model else None,
    }


def _in_words(share: Share) -> str:
    parts = []
    if share.share_identical is not None:
        parts.append(
            f"{share.identical:,} of {share.answered:,} identical ({share.share_identical:.1%})"
        )
    if share.similarity_of_others is not None:
        parts.append(f"similarity of the others {share.similarity_of_others:.2f}")
    if share.failed:
        parts.append(f"{share.failed:,} not answered now")
    return "; ".join(parts)
