"""`parley verify`: does a dataset hold what it says? No server, no model."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from parley.progress import drawn

if TYPE_CHECKING:
    from analytics.verify import Verified
    from parley.verifying import Again


@click.command(short_help="Check that a dataset holds what it says.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--grade",
    type=click.Choice(["A", "B"], case_sensitive=False),
    default="A",
    show_default=True,
    help="A: fold the record again. B: decide and prompt again, too.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON line a dataset.")
def command(folder: Path, grade: str, as_json: bool) -> None:
    """Check that a dataset holds what it says, without a server or a model.

    DIR is a dataset, or a folder of datasets. Grade A checks the hash of every file and
    the journal's chain, folds the record again, and compares every table, the codebook
    and the manifest byte for byte. What differs is named by file, line, commit and turn.
    In a folder of datasets, those that are one and the same are named.

    Grade B does that, and then decides every commit again from its inputs and builds
    every prompt again from the journal, with recorded answers standing in for the model:
    events, prompts, ledgers and requests must come out the same. It names the first turn
    that differs, and how.

    A dataset that was changed, and sealed again, is found where it contradicts itself;
    one that was made up whole is not: its seal, published beside it, says that it is
    the one that was meant.

    Exit code 1 says that something differs; notes alone do not.

    \b
    Examples:
      parley verify datasets/tea
      parley verify datasets
      parley verify datasets/tea --grade B
      parley verify datasets/tea --json | jq .differences
    """
    from analytics.collection import alike
    from analytics.verify import verify
    from utils.dataset import datasets_in
    from utils.errors import ParleyError

    done: list[Verified] = []
    for one in datasets_in(folder):
        with drawn("verifying") as progress:
            done.append(verify(one, progress=progress))
        again = _done_again(done[-1]) if grade.upper() == "B" else None
        _say(done[-1], again, as_json=as_json)
    known = {str(one.folder): one.manifest for one in done if one.manifest is not None}
    for likeness in alike(known):
        click.echo(json.dumps({"note": likeness}) if as_json else f"note: {likeness}")
    bad = sum(not one.holds for one in done)
    if bad:
        raise ParleyError(
            "the dataset is not what it says it is"
            if len(done) == 1
            else f"{bad} of {len(done)} datasets are not what they say they are"
        )


def _done_again(verified: Verified) -> Again | None:
    """Add to what grade A found what grade B finds; none if there is nothing to read."""
    from parley.verifying import do_again

    if verified.manifest is None:
        return None
    with drawn("doing it again") as progress:
        again = do_again(verified.folder, progress=progress)
    verified.differences += again.differences
    verified.unchecked += again.unchecked
    return again


def _say(verified: Verified, again: Again | None, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_record(verified, again)))
        return
    manifest = verified.manifest
    run = f" (run {manifest.run})" if manifest else ""
    count = len(verified.differences) + (again.others if again else 0)
    holds = (
        f"grade {'B' if again else 'A'} holds"
        if verified.holds
        else f"{count} difference{'s' * (count > 1)}"
    )
    click.echo(f"{verified.folder}  {run.strip()}{': ' if run else ''}{holds}")
    for difference in verified.differences:
        click.echo(f"  {difference}")
    if again is not None and again.others:
        click.echo(f"  and {again.others:,} more commits and calls that do not follow")
    if manifest and verified.holds:
        files, commits = len(manifest.files) + 1, manifest.commits
        click.echo(f"  {files} files, {commits:,} commits, {manifest.calls:,} calls")
        if again is not None:
            click.echo(f"  {again.commits:,} commits decided again, {again.calls:,} prompts built")
        click.echo(f"  seal {manifest.seal}")
    for what in verified.unchecked:
        click.echo(f"  not checked: {what}")
    for note in manifest.findings if manifest else ():
        click.echo(f"  note: {note}")


def _record(verified: Verified, again: Again | None) -> dict[str, object]:
    """Write what was found for a program: one JSON object."""
    manifest = verified.manifest
    told: dict[str, object] = {
        "dataset": str(verified.folder),
        "run": manifest.run if manifest else None,
        "grade": "B" if again else "A",
        "holds": verified.holds,
        "differences": [asdict(one) for one in verified.differences],
        "unchecked": verified.unchecked,
        "notes": list(manifest.findings) if manifest else [],
        "commits": manifest.commits if manifest else None,
        "last_sha256": manifest.last_sha256 if manifest else None,
        "seal": manifest.seal if manifest else None,
    }
    if again is not None:
        told |= {"decided": again.commits, "prompted": again.calls, "others": again.others}
    return told
