"""All forks of one parent at one point: replicates of the treatment, and of nothing at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

from parley.forks.branch import Plan, begin, spec_of
from parley.forks.parent import At, open_parent
from parley.library import Library
from parley.resolve import OFFLINE_MODEL
from parley.starting import stamped
from parley.whole_run import (
    Performed,
    Stage,
    Wishes,
    check_out,
    check_performed,
    perform,
    preflight,
    stage,
)
from utils.errors import Missing
from utils.names import counted
from utils.origin import Change
from utils.spec import Spec


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks for.

    Attributes:
        parent: A dataset's folder, or a run's id.
        changes: `KEY=VALUE`, each.
        answers: What answers in all forks in place of the parent's minds: fields of every
            model, with their values.
        with_control: Whether an unchanged fork is made beside each changed one.
        reseed: Whether a single replicate draws by a seed of its own, as several do.
    """

    parent: str
    at: str
    changes: Sequence[str] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    replicates: int = 1
    with_control: bool = True
    reseed: bool = False

    @property
    def is_reseeded(self) -> bool:
        """Whether the forks draw by other seeds than their parent."""
        return self.reseed or self.replicates > 1

    @property
    def arms(self) -> tuple[bool, ...]:
        """The arms, whether each is treated. Without a change there is only the control."""
        if not self.changes:
            return (False,)
        return (False, True) if self.with_control else (True,)


def fork_all(asked: Asked, wishes: Wishes) -> None:
    """Make all forks, run each to its end, and export it into one folder.

    Raises:
        BadInput: There is no such parent, point or change: nothing was run.
        ParleyError: Something was missing, or a fork went wrong.
    """
    at = At.read(asked.at)
    if wishes.out is not None:
        check_out(wishes.out, may_exist=False)
    with stage(wishes) as on:
        parent = open_parent(asked.parent, on.streams)
        plan = Plan.make(parent, at, asked.changes, Library.open())
        plan = replace(plan, common=_answering(plan.point.era.spec, asked.answers))
        specs = dict(_specs(plan, asked))
        out = wishes.out or Path("datasets") / f"{plan.point.run}-at-{plan.point.seq}"
        check_out(out, may_exist=False)
        models = _preflight(on, list(specs.values()))
        if not wishes.as_json:
            _say_what_is_forked(plan, asked, models)
        out.mkdir(parents=True)
        for name, spec in specs.items():
            performed = _play(on, plan, spec, replace(wishes, out=out / name, as_json=True))
            _say_what_came(name, spec, performed, as_json=wishes.as_json)
            check_performed(performed)
    if not wishes.as_json and len(specs) > 1:
        click.echo(f"compare them: parley compare {out}")


def _answering(spec: Spec, answers: Mapping[str, str]) -> tuple[Change, ...]:
    """Write what answers here as changes of every model, where it is not so already."""
    return tuple(
        Change(key=f"model.{name}.{at}", value=value)
        for name, model in spec.models.items()
        for at, value in answers.items()
        if getattr(model, at) != value
    )


def offline_answers() -> dict[str, str]:
    """Say that the offline model answers."""
    return {"mind": "ollama", "model": OFFLINE_MODEL, "host": ""}


def _specs(plan: Plan, asked: Asked) -> Iterator[tuple[str, Spec]]:
    """Make the scenario of every fork: what is wrong with one is known before any runs."""
    for replicate in range(1, asked.replicates + 1):
        for is_treated in asked.arms:
            spec = spec_of(
                plan, is_treated=is_treated, replicate=replicate, is_reseeded=asked.is_reseeded
            )
            yield f"{spec.labels['arm']}-{replicate}", spec


def _preflight(on: Stage, specs: Sequence[Spec]) -> list[str]:
    """Ask the models of every arm, once each. Raises `Missing`."""
    lines: dict[str, None] = {}
    different = {json.dumps(spec.model_dump(mode="json")["models"]): spec for spec in specs}
    for spec in different.values():
        try:
            lines |= dict.fromkeys(preflight(on, spec))
        except Missing as missing:
            if any(model.model == OFFLINE_MODEL for model in spec.models.values()):
                mend = "add --offline: the parent was answered by the offline model"
                raise Missing(missing.what, where=missing.where, mend=mend) from missing
            raise
    return list(lines)


def _play(on: Stage, plan: Plan, spec: Spec, wishes: Wishes) -> Performed:
    spec = stamped(spec, on.streams)
    run = begin(on.streams, spec, plan.parent, plan.point.epochs)
    return perform(on, spec, run, wishes)


def _say_what_is_forked(plan: Plan, asked: Asked, models: Sequence[str]) -> None:
    where = f"commit {plan.point.seq}, after {counted(plan.point.turns, 'turn')}"
    arms = " and ".join("treated" if one else "control" for one in asked.arms)
    click.echo(f"{plan.point.run} at {where}: {counted(asked.replicates, 'replicate')} of {arms}")
    for line in models:
        click.echo(f"model {line}")


def _say_what_came(name: str, spec: Spec, performed: Performed, *, as_json: bool) -> None:
    exported, origin = performed.exported, spec.origin
    if as_json:
        told = {
            "fork": name,
            "run": performed.run,
            "dataset": str(exported.folder),
            "arm": spec.labels["arm"],
            "replicate": int(spec.labels["replicate"]),
            "fork_of": spec.labels["fork_of"],
            "seq": origin.seq if origin else None,
            "seed": spec.seed,
            "rows": exported.rows,
            "phase": exported.phase,
            "interrupted": performed.interrupted,
        }
        click.echo(json.dumps(told))
        return
    messages = counted(exported.rows.get("messages", 0), "message")
    click.echo(f"{name}: run {performed.run}, seed {spec.seed}: {messages}: {exported.folder}")
