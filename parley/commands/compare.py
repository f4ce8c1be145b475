"""`parley compare`: where runs part, how far they drift, and whether that is an effect."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from analytics.comparison import Comparison
    from analytics.divergence import Said, Talk
    from analytics.effect import Effect

CURVES = ("pair", "run_a", "replicate_a", "run_b", "replicate_b", "turn", "words", "participation")
SHOWN_PARTINGS = 3
SHOWN_TURNS = 24
TEXT_CHARS = 90
NO_EMBEDDINGS = (
    "Meaning is not compared: these datasets hold no embeddings. Words and shares of the floor are."
)


@click.command(short_help="Measure where runs part, and whether that is an effect.")
@click.argument("a", metavar="A", type=click.Path(path_type=Path))
@click.argument("b", metavar="[B]", type=click.Path(path_type=Path), required=False)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the curves of all pairs as CSV; the file must not exist.",
)
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
def command(a: Path, b: Path | None, out: Path | None, as_json: bool) -> None:
    """Measure where runs part, and whether that is an effect.

    A and B are datasets, or folders of datasets: A holds the unchanged runs. One folder
    alone is what `parley fork` writes, with both arms in it. All is measured after the
    commits that the runs have in common.

    \b
    words          1 less the share of words that two runs have in common in a turn
    participation  total variation of who has spoken how much, up to a turn

    \b
    Examples:
      parley compare datasets/tea-at-40
      parley compare datasets/tea-at-40/control-1 datasets/tea-at-40/treated-1
      parley compare controls treated --out curves.csv
    """
    from analytics.comparison import arms_of, compare, talk_of
    from utils.errors import BadInput

    if out is not None and out.exists():
        raise BadInput("there is something already", where=str(out), mend="name another")
    controls, treated = arms_of(a, b)
    comparison = compare(
        [talk_of(folder) for folder in controls], [talk_of(folder) for folder in treated]
    )
    if out is not None:
        _write_curves(comparison, out)
    if as_json:
        click.echo(json.dumps(_told(comparison)))
    else:
        for line in lines_of(comparison):
            click.echo(line)


def lines_of(comparison: Comparison) -> list[str]:
    """Tell a comparison as a person reads it."""
    controls, treated = comparison.controls, comparison.treated
    head = (
        f"A: {_many(len(controls))}, B: {_many(len(treated))}; "
        f"{comparison.shared} commits in common"
    )
    told = [head, *_partings(comparison), *_curves(comparison)]
    if any(met is not None for *_, met in comparison.partings):
        for measure, found in comparison.effects.items():
            told.append(f"{measure}: {sentence(found)}")
        told.append(NO_EMBEDDINGS)
    return told


def sentence(found: Effect) -> str:
    """Say what a measure shows, and what it cannot show."""
    from analytics.effect import LEAST_RUNS, LEVEL

    cross = f"A and B are {found.cross:.3f} apart"
    if found.within is None or found.size is None:
        return f"{cross}; what two unchanged runs differ by is not known from one of them"
    spread = f"{cross}, two of A {found.within:.3f}: {found.size:+.3f}"
    if found.low is None or found.high is None:
        return f"{spread}; no interval and no verdict with fewer than {LEAST_RUNS} runs of each"
    interval = f"{spread}, {LEVEL:.0%} interval {found.low:+.3f} to {found.high:+.3f}"
    if found.is_there:
        return f"{interval}. B differs by more than two unchanged runs do."
    return f"{interval}. No effect beyond what two unchanged runs differ by."


def _many(count: int) -> str:
    from utils.names import counted

    return counted(count, "run")


def _partings(comparison: Comparison) -> list[str]:
    told = []
    for a, b, met in comparison.partings[:SHOWN_PARTINGS]:
        if met is None:
            told.append(f"{a.run} and {b.run} do not part: {len(a.messages)} messages, the same")
            continue
        told.append(f"{a.run} and {b.run} part:")
        told += [f"  {name} {_said(one)}" for name, one in (("A", met.a), ("B", met.b))]
    left = len(comparison.partings) - SHOWN_PARTINGS
    return [*told, f"and {left} more pairs: --json has them"] if left > 0 else told


def _said(said: Said | None) -> str:
    from utils.printable import printable_line

    if said is None:
        return "has ended"
    where = f"commit {said.seq}, turn {said.turn} of {said.channel}"
    return f"{where}, {said.speaker or 'nobody'}: {printable_line(said.text, most=TEXT_CHARS)}"


def _curves(comparison: Comparison) -> list[str]:
    """Tabulate the mean curves, every turn or as many as fit."""
    ab = comparison.mean("ab")
    aa = {one.turn: one for one in comparison.mean("aa")}
    if not any(one.words or one.participation for one in (*ab, *aa.values())):
        return []
    step = -(-len(ab) // SHOWN_TURNS)
    told = ["  turn    words A/B   A/A    participation A/B   A/A"]
    for one in ab[::step]:
        base = aa.get(one.turn)
        words = f"{base.words:.3f}" if base else "    -"
        shares = f"{base.participation:.3f}" if base else "    -"
        told.append(
            f"  {one.turn:>4}        {one.words:.3f} {words}              "
            f"{one.participation:.3f} {shares}"
        )
    return told


def _told(comparison: Comparison) -> dict[str, Any]:
    return {
        "a": [one.run for one in comparison.controls],
        "b": [one.run for one in comparison.treated],
        "shared_commits": comparison.shared,
        "partings": [
            {
                "a": a.run,
                "b": b.run,
                "part": met is not None,
                "at_a": _as_json(met.a) if met else None,
                "at_b": _as_json(met.b) if met else None,
            }
            for a, b, met in comparison.partings
        ],
        "curves": {
            kind: [
                {"turn": one.turn, "words": one.words, "participation": one.participation}
                for one in comparison.mean(kind)
            ]
            for kind in ("aa", "ab")
        },
        "effects": {
            measure: {
                "cross": one.cross,
                "within": one.within,
                "effect": one.size,
                "low": one.low,
                "high": one.high,
                "is_there": one.is_there,
                "sentence": sentence(one),
            }
            for measure, one in comparison.effects.items()
        },
        "embeddings": None,
    }


def _as_json(said: Said | None) -> dict[str, Any] | None:
    if said is None:
        return None
    return {
        "seq": said.seq,
        "channel": said.channel,
        "turn": said.turn,
        "speaker": said.speaker,
        "text": said.text,
    }


def _write_curves(comparison: Comparison, out: Path) -> None:
    """Write a row for each turn of each pair."""
    from utils.errors import BadInput

    def named(talk: Talk) -> tuple[str, str]:
        return talk.run, talk.labels.get("replicate", "")

    try:
        with out.open("x", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(CURVES)
            for pair in comparison.pairs:
                for one in pair.curve:
                    row = (pair.kind, *named(pair.a), *named(pair.b), one.turn)
                    writer.writerow([*row, one.words, one.participation])
    except OSError as error:
        raise BadInput(str(error.strerror), where=str(out), mend="name another") from error
