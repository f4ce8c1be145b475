"""Whether the options of a scenario's models and personas can be sent as they are."""

from __future__ import annotations

from collections.abc import Callable

from bots.minds.ollama_options import LOAD_OPTIONS, check_options
from bots.minds.seam import BadOption
from utils.errors import BadInput
from utils.spec import ModelSpec, Spec

Refuse = Callable[..., BadInput]
"""From a reason and a place in the file to the error: `parley.lookup.Lookup.refuse`."""


def check_spec(spec: Spec, refuse: Refuse) -> None:
    """Refuse options that a server would ignore, refuse, or load its model anew for.

    Raises:
        BadInput: One of them; the line says where.
    """
    for name, model in spec.models.items():
        if model.mind == "ollama":
            _check(model, refuse, "models", name, "options")
    _check_personas(spec, refuse)
    _check_loads(spec, refuse)


def _check(model: ModelSpec, refuse: Refuse, *at: str | int) -> None:
    try:
        check_options(model.options)
    except BadOption as bad:
        raise refuse(bad.what, *at, bad.option, mend=bad.mend) from bad


def _check_personas(spec: Spec, refuse: Refuse) -> None:
    for bot in spec.bots:
        own = dict(bot.persona.mind)
        if not own or spec.models[bot.model].mind != "ollama":
            continue
        if "seed" in own:
            what = f"the persona of '{bot.name}' sets a seed: a call's is drawn from the run's"
            raise refuse(what, "bots", mend="set seed: at the top")
        for option in LOAD_OPTIONS:
            if option in own:
                what = f"the persona of '{bot.name}' sets '{option}', which loads the model anew"
                raise refuse(what, "bots", mend="set it under models, for all who share it")
        try:
            check_options(own)
        except BadOption as bad:
            raise refuse(f"the persona of '{bot.name}': {bad.what}", "bots", mend=bad.mend) from bad


def _check_loads(spec: Spec, refuse: Refuse) -> None:
    """Refuse two entries that ask one model, each with other load-time options."""
    loads: dict[tuple[str, str], tuple[str, object]] = {}
    used = {bot.model for bot in spec.bots}
    for name, model in spec.models.items():
        if model.mind != "ollama" or name not in used:
            continue
        load = [model.shift, *(model.options.get(option) for option in LOAD_OPTIONS)]
        other, before = loads.setdefault((model.host, model.model), (name, load))
        if before != load:
            what = f"'{other}' and '{name}' have '{model.model}' loaded with different options"
            mend = f"give both the same shift and {', '.join(LOAD_OPTIONS[:3])} ..."
            raise refuse(what, "models", name, mend=mend)
