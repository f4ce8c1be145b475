"""What a scenario may name: personas, prompts and scenarios, here and shipped."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bots.persona import load_personas, load_templates
from utils.errors import BadInput
from utils.library import Kind, shipped
from utils.names import nearest, shown
from utils.persona import Persona, PromptTemplate


@dataclass(frozen=True, slots=True)
class Library:
    """Personas and prompt templates, by name."""

    personas: Mapping[str, Persona]
    templates: Mapping[str, PromptTemplate]

    @classmethod
    def open(cls, beside: Path | None = None) -> Library:
        """Read the library: folders beside a scenario or here go before the shipped ones."""
        return cls(
            personas=load_personas(folders("personas", beside)),
            templates=load_templates(folders("prompts", beside)),
        )


def find_scenario(name: str) -> Path:
    """Find a scenario: a path as it is, a bare name here or among the shipped ones.

    Raises:
        BadInput: There is none; says the nearest there is.
    """
    if "/" in name or name.endswith((".yaml", ".yml")):
        if not os.path.lexists(name) or not Path(name).is_file():  # lexists: no path is too long
            raise BadInput("there is no such file", where=name, mend="try: parley scenarios")
        return Path(name)
    found = scenarios()
    if name not in found:
        close = nearest(name, found)
        mend = f"did you mean {shown(close)}?" if close else f"there is {', '.join(found)}"
        raise BadInput(f"there is no scenario {shown(name)}", mend=mend)
    return found[name]


def scenarios() -> dict[str, Path]:
    """List the scenarios that can be run by name."""
    found = {
        path.stem: path
        for folder in reversed(folders("scenarios", None))
        for path in sorted(folder.glob("*.yaml"))
    }
    return dict(sorted(found.items()))


def folders(kind: Kind, beside: Path | None) -> list[Path]:
    """List where things of a kind are looked for, the first that has a name winning."""
    near = [Path(kind)] if beside is None else [beside / kind, beside.parent / kind, Path(kind)]
    installed = shipped(kind)
    there = [folder for folder in near if folder.is_dir()]
    distinct = {folder.resolve(): folder for folder in [*there, installed]}
    return list(distinct.values())
